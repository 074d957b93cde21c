"""Feed descriptions: what each feed's YAML says, as plain data. The same files are dbt's sources.

A description names the fields to read, where they lie in the vendor's record and what makes a record usable. There is
no other register of feeds: adding one adds a file under `feeds/` and no Python.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from pipelines.evidence.containers import KeyPath, Signs, at
from pipelines.settings import FEEDS

Shape = Literal["json", "csv"]
Kind = Literal["log", "snapshot", "decision", "decision_log", "ticket"]
ColumnType = Literal[
    "text", "instant", "date", "boolean", "positive_number", "timezone", "regex",
    "integer", "integers", "json", "present", "list", "map",
]  # fmt: skip

KINDS = ("log", "snapshot", "decision", "decision_log", "ticket")
WHOLE_RECORD = "$"
"""The path that names the record itself."""

_TYPES = get_args(ColumnType)
_PROVIDES = (
    "account_state", "credential_state", "usage", "employment", "review_decisions", "entitlements", "tickets",
    "changes", "vault_inventory", "required_feeds",
)  # fmt: skip
# The C parser, where PyYAML was built with it: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Bump when a reader reads the same bytes differently: Parquet made by an older one is then made anew.
READER_VERSION = 5

_KEY = re.compile(r'(?:^|\.)(?:"([^"]+)"|([^".]+))')
_INSIGNIFICANT_IN_HEADINGS = re.compile(r"[\s_.\-\u2010-\u2015]+")


@dataclass(frozen=True)
class Redaction:
    """What must not be kept even inside a named field. `only_with` is text that every match contains (a fast sieve)."""

    pattern: str
    only_with: str = ""


@dataclass(frozen=True)
class Check:
    """One rule about a whole row: `expect` is a SQL condition on the columns, `otherwise` what to say if it fails.

    `{column}` in `otherwise` stands for the column's text in that row.
    """

    expect: str
    otherwise: str


@dataclass(frozen=True)
class Only:
    """Which of the logs that come in one envelope are this feed's: by what `column` says, where it says it.

    It says one of `values`, or begins with one of `begins`, or, where others can't be listed, is none of `never`; the case
    of letters doesn't count. With `where`, only records that have that column are asked. A record of another log is rejected,
    with `otherwise` as in Check, and is nothing that the feed lacks.
    """

    column: str
    otherwise: str
    values: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    where: str | None = None

    def allows(self, said: str) -> bool:
        """Whether a record whose column says this is the feed's."""
        word = said.strip().lower()
        if self.never:
            return word not in map(str.lower, self.never)
        return word in map(str.lower, self.values) or word.startswith(tuple(map(str.lower, self.begins)))

    @property
    def check(self) -> Check:
        """The same as a rule about a row."""
        word = f"lower(trim({self.column}))"
        if self.never:
            allowed = f"{word} NOT IN ({_listed(self.never)})"
        else:
            begins = [f"starts_with({word}, {_listed([start])})" for start in self.begins]
            allowed = " OR ".join(([f"{word} IN ({_listed(self.values)})"] if self.values else []) + begins)
        asked = f"{self.where} IS NULL OR " if self.where else ""
        return Check(f"{asked}{self.column} IS NULL OR {allowed}", f"a record of another log: {self.otherwise}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word.lower()}'" for word in words)


@dataclass(frozen=True)
class ItemField:
    """One field of each item of a list or map. The first of `paths` that an item has counts; `fields` make it a list.

    Text that is an object's or a list's JSON is kept only where the field `is_json`: some vendors write values so.
    """

    paths: tuple[KeyPath, ...]
    fields: Mapping[str, ItemField] = field(default_factory=dict)
    is_json: bool = False


@dataclass(frozen=True)
class Actions:
    """The vendor's words for what happened, in column `field`, and what they mean in ours.

    Where a word takes more than a column, `word` is SQL for it over the feed's columns.
    A word may mean several of ours: then the record says which. `use` are words that show use and nothing else;
    `all` where every record with an actor does.
    """

    field: str
    means: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    use: tuple[str, ...] | Literal["all"] = ()
    word: str | None = None


@dataclass(frozen=True)
class Obtain:
    """How a person gets the export. Says nothing about how it is read."""

    command: str
    permission: str
    retention: str
    retention_days: int | None
    traps: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Column:
    """One named field. JSON has it under one of `paths`, CSV under one of `headings`: the first that is there counts."""

    name: str
    description: str
    type: ColumnType = "text"
    paths: tuple[KeyPath, ...] = ()
    headings: tuple[str, ...] = ()
    required: bool = False
    values: tuple[str, ...] = ()
    any_case: bool = False
    pattern: str | None = None
    nulls: tuple[str, ...] = ()
    redact: Redaction | None = None
    fields: Mapping[str, ItemField] = field(default_factory=dict)
    is_typed: bool = False
    """True while a file is read in which such lists are believed to be JSON's lists, and never texts of them."""

    @property
    def is_whole_record(self) -> bool:
        return self.paths == ((WHOLE_RECORD,),)

    @property
    def vendor_name(self) -> str:
        """What the vendor calls it: the dotted path, or the newest heading."""
        return written_path(self.paths[0]) if self.paths else self.headings[0] if self.headings else self.name


@dataclass(frozen=True, kw_only=True, eq=False)
class FeedDescription:
    """One feed. `fingerprint` changes when the same bytes would be read into other rows."""

    system: str
    feed: str
    description: str
    kind: Kind
    shapes: tuple[Shape, ...]
    columns: tuple[Column, ...]
    wrappers: tuple[str, ...] = ()
    envelopes: tuple[KeyPath, ...] = ()
    provides: tuple[str, ...] = ()
    masked: bool = True
    keeps_rejected_text: bool = False
    event_time: str | None = None
    native_id: tuple[str, ...] = ()
    absence_scope: str | None = None
    checks: tuple[Check, ...] = ()
    only: Only | None = None
    needs_a_heading_of: tuple[str, ...] = ()
    """Columns of which a file must have at least one, whatever stands in it."""
    actions: Actions | None = None
    obtain: Obtain | None = None
    hashes: bool = True
    """False while a file is read in which every record is believed to have the vendor's own id."""
    foreign: frozenset[KeyPath] = frozenset()
    """While a file is read in which no record is believed to have anything under these paths: one that has is rejected."""
    timezone: str = "UTC"
    """Where the clock stands that the feed's times without a zone were read from; see settings.feed_timezones."""
    file: str = ""
    fingerprint: str = ""

    @property
    def name(self) -> str:
        return f"{self.system}/{self.feed}"

    @property
    def has_record_hash(self) -> bool:
        """Whether rows carry a hash of the whole record, to serve as its id where the vendor's own is not whole."""
        return self.kind == "log" and (not self.native_id or "record_hash" in self.native_id)

    def in_timezone(self, zone: str) -> FeedDescription:
        """The same feed with its times without a zone in this one; its rows are read anew."""
        return self if zone == self.timezone else replace(self, timezone=zone, fingerprint=f"{self.fingerprint}@{zone}")

    @property
    def required_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.required)

    @property
    def own_id(self) -> tuple[str, ...]:
        """The columns of the vendor's own id; where they all have a value, no hash stands in for them."""
        return tuple(column for column in self.native_id if column != "record_hash")

    @property
    def is_strict(self) -> bool:
        """Whether what is of another type than expected stops the reading, since it would be lost in silence."""
        return any(column.is_typed for column in self.columns)

    @cached_property
    def signs(self) -> Signs | None:
        """By what its JSON records are known; None where it has none."""
        if "json" not in self.shapes:
            return None
        named = [column for column in self.columns if column.paths and not column.is_whole_record]
        return Signs(
            required=tuple(column.paths for column in named if column.required),
            named=tuple(column.paths for column in named),
            wrappers=self.wrappers,
            envelopes=self.envelopes,
        )

    def is_record(self, value: Any) -> bool:
        """Whether a value is one of its JSON records: whether it fits, and is no record of another log in the same envelope."""
        if self.signs is None or not self.signs.fit(value):
            return False
        return self._allowed(value) is not False

    def is_surely_record(self, value: Any) -> bool:
        """Whether a value that is one of its JSON records says itself that it is."""
        return self._allowed(value) is True and self.only is not None and not self.only.never

    def _allowed(self, value: Any) -> bool | None:
        """Whether `only` allows a record, None where it has nothing to say."""
        if self.only is None or (self.only.where and self._first(value, self.only.where) is None):
            return None
        said = self._first(value, self.only.column)
        return self.only.allows(said) if isinstance(said, str) else None

    def _first(self, record: Any, column: str) -> Any:
        return next((found for path in self.column(column).paths if (found := at(record, path)) is not None), None)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@cache
def expecting(
    feed: FeedDescription,
    unused: frozenset[KeyPath] = frozenset(),
    foreign: frozenset[KeyPath] = frozenset(),
    typed: frozenset[str] = frozenset(),
    hashes: bool = True,
) -> FeedDescription:
    """The same feed for a file of which much is believed, so that less of each record has to be looked at.

    Nothing is looked for under the paths `unused` and `foreign`; `typed` are the columns in which lists are lists. One
    object for the same beliefs, as plans are kept by it.
    """
    if not unused | foreign | typed and hashes == feed.hashes:
        return feed
    return replace(
        feed,
        columns=tuple(
            replace(
                column,
                paths=tuple(path for path in column.paths if not starts_with_any(path, unused | foreign)),
                is_typed=column.name in typed,
            )
            for column in feed.columns
        ),
        foreign=foreign,
        hashes=hashes,
    )


def starts_with_any(path: KeyPath, starts: Collection[KeyPath]) -> bool:
    """Whether a path is one of these or leads further down from one."""
    return any(path[: len(start)] == start for start in starts)


class BrokenDescription(Exception):
    """A feed's YAML contradicts itself: a mistake of ours, so no UpheldError."""


@cache
def load_descriptions(folder: Path = FEEDS) -> dict[tuple[str, str], FeedDescription]:
    """Every described feed by (system, feed), sorted. Raises BrokenDescription naming file and fault."""
    found: dict[tuple[str, str], FeedDescription] = {}
    for path in sorted(folder.glob("*/*.yml")):
        for description in _read(path, f"pipelines/ingest/feeds/{path.parent.name}/{path.name}"):
            key = description.system, description.feed
            if key in found:
                raise BrokenDescription(
                    f"{description.file}: {description.name} is described in {found[key].file}, too."
                )
            found[key] = description
    return dict(sorted(found.items()))


def normal_heading(heading: str) -> str:
    """A CSV heading as headings are compared: no case, no spaces, underscores, hyphens or dots."""
    return _INSIGNIFICANT_IN_HEADINGS.sub("", heading.strip().lstrip("\ufeff")).casefold()


def match_headings(columns: Iterable[Column], found: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Where each column stands among a file's headings, by position, and which headings stand there twice.

    Of several synonyms in one file, the one listed first counts.
    """
    positions: dict[str, list[int]] = {}
    for position, heading in enumerate(found):
        positions.setdefault(normal_heading(heading), []).append(position)
    places: dict[str, int] = {}
    twice: list[str] = []
    for column in columns:
        for heading in column.headings:
            there = positions.get(normal_heading(heading))
            if there:
                places[column.name] = there[0]
                if len(there) > 1:
                    twice.append(found[there[0]].strip())
                break
    return places, twice


def _read(path: Path, file: str) -> Iterable[FeedDescription]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        for source in content["sources"]:
            for table in source["tables"]:
                yield _description(source["name"], table, file)
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as problem:
        raise BrokenDescription(f"{file}: {type(problem).__name__}: {problem}") from problem


def _description(system: str, table: dict[str, Any], file: str) -> FeedDescription:
    meta = dict(table["config"]["meta"])
    shape = meta.pop("shape")
    nulls = _texts(meta.pop("nulls", ()))
    actions = meta.pop("actions", None)
    obtain = meta.pop("obtain", None)
    columns = tuple(_column(column, nulls) for column in table["columns"])
    only = _only(said) if (said := meta.pop("only", None)) else None
    checks = tuple(Check(**check) for check in meta.pop("checks", ())) + ((only.check,) if only else ())
    envelopes = tuple(split_path(path) for path in meta.pop("envelopes", ()))
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in meta.items()
    }
    description = FeedDescription(
        system=system,
        feed=table["name"],
        description=table["description"].strip(),
        shapes=_texts(shape),
        columns=columns,
        checks=checks,
        only=only,
        envelopes=envelopes,
        actions=_actions(actions) if actions else None,
        obtain=Obtain(**obtain | {"traps": _texts(obtain.get("traps", ()))}) if obtain else None,
        file=file,
        fingerprint=_fingerprint(table),
        **values,
    )
    _refuse_contradictions(description)
    return description


def _column(column: dict[str, Any], nulls: tuple[str, ...]) -> Column:
    meta = dict(column["config"]["meta"])
    redact = meta.pop("redact", None)
    return Column(
        name=column["name"],
        description=column["description"],
        paths=_paths(meta),
        headings=tuple(meta.pop("headings", ())),
        values=tuple(meta.pop("values", ())),
        nulls=_texts(meta.pop("nulls", nulls)),
        redact=Redaction(**redact) if redact else None,
        fields=_item_fields(meta.pop("fields", {})),
        **meta,
    )


def _paths(meta: dict[str, Any]) -> tuple[KeyPath, ...]:
    """`path` or `paths`, taken out of `meta`."""
    written = [*([meta.pop("path")] if "path" in meta else []), *meta.pop("paths", ())]
    return tuple((path,) if path == WHOLE_RECORD else split_path(path) for path in written)


def _item_fields(fields: dict[str, Any]) -> dict[str, ItemField]:
    found = {}
    for ours, theirs in fields.items():
        meta = {"path": theirs} if isinstance(theirs, str) else dict(theirs)
        is_json = meta.pop("type", "text") == "json"
        found[ours] = ItemField(_paths(meta), _item_fields(meta.pop("fields", {})), is_json)
        if meta or not found[ours].paths:
            raise ValueError(f"{ours}: expected a path, or paths and fields, found {', '.join(meta) or 'none'}")
    return found


def _only(written: dict[str, Any]) -> Only:
    listed = {key: _texts(written[key]) for key in ("values", "begins", "never") if key in written}
    if not listed or ("never" in listed and len(listed) > 1):
        raise ValueError("only: expected values or begins, or never")
    return Only(**written | listed)


def _actions(written: dict[str, Any]) -> Actions:
    use = written.get("use", ())
    means = {word: _texts(ours) for word, ours in written.get("means", {}).items()}
    return Actions(**written | {"means": means, "use": use if use == "all" else _texts(use)})


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def split_path(path: str) -> KeyPath:
    """The keys of a dotted path; a key with dots of its own stands in double quotes."""
    keys = tuple(quoted or plain for quoted, plain in _KEY.findall(path))
    if not path or written_path(keys) != path:
        raise ValueError(f"expected keys with dots between them, found {path!r}")
    return keys


def written_path(keys: KeyPath) -> str:
    """The dotted path that `split_path` takes apart."""
    return ".".join(f'"{key}"' if "." in key else key for key in keys)


def _fingerprint(table: dict[str, Any]) -> str:
    # What an action means is for staging to know, and how an export is obtained for people.
    without = ("actions", "obtain", "provides")
    meaning = {
        "reader": READER_VERSION,
        "meta": {key: value for key, value in table["config"]["meta"].items() if key not in without},
        "columns": [(column["name"], column["config"]["meta"]) for column in table["columns"]],
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def _is_placed(column: Column, shapes: Sequence[str]) -> bool:
    # A column may stand in one of two shapes only; in CSV the whole record needs no heading.
    places = {"json": bool(column.paths), "csv": bool(column.headings) or column.is_whole_record}
    if len(shapes) > 1:
        return any(places.values())
    is_elsewhere = column.headings if "json" in shapes else column.paths and not column.is_whole_record
    return all(places.get(shape, True) for shape in shapes) and not is_elsewhere


def _refuse_contradictions(feed: FeedDescription) -> None:
    names = [column.name for column in feed.columns]
    faults = [
        f"{name} stands there twice" for name in {name for name in names if names.count(name) > 1}
    ]
    if feed.kind not in KINDS:
        faults.append(f"kind: expected one of {', '.join(KINDS)}, found {feed.kind!r}")
    if not feed.shapes or set(feed.shapes) - {"json", "csv"}:
        faults.append(f"shape: expected json, csv or both, found {', '.join(feed.shapes)!r}")
    if unknown := [word for word in feed.provides if word not in _PROVIDES]:
        faults.append(f"provides: unknown {', '.join(unknown)}")
    if feed.kind == "log" and feed.event_time not in names:
        faults.append("event_time: expected a column, since the feed is a log")
    faults += [
        f"{key}: {name} is no column"
        for key in ("native_id", "needs_a_heading_of")
        for name in getattr(feed, key)
        if name not in (*names, "record_hash")
    ]
    if "json" in feed.shapes and not any(column.required and column.paths for column in feed.columns):
        faults.append("expected a required column with a path: by those fields its records are known")
    if feed.only and not {feed.only.column, feed.only.where or feed.only.column} <= set(names):
        faults.append(f"only: {feed.only.column} or {feed.only.where} is no column")
    if feed.actions and feed.actions.field not in names:
        faults.append(f"actions: {feed.actions.field} is no column")
    for column in feed.columns:
        if column.name in ("reject_reason", "record_hash", "sha256", "record_number"):
            faults.append(f"{column.name}: the name is taken")
        if not _is_placed(column, feed.shapes):
            faults.append(f"{column.name}: json columns have a path, csv columns have headings")
        if column.type not in _TYPES:
            faults.append(f"{column.name}: type: expected one of {', '.join(_TYPES)}, found {column.type!r}")
        if not all(isinstance(value, str) for value in (*column.headings, *column.values, *column.nulls)):
            faults.append(f"{column.name}: quote what YAML takes for a truth value or a number")
        if bool(column.fields) != (column.type in ("list", "map")):
            faults.append(f"{column.name}: fields belong to lists and maps")
        if (WHOLE_RECORD,) in column.paths and (len(column.paths) > 1 or column.type not in ("json", "text")):
            faults.append(f"{column.name}: the whole record has one path and is json")
        if column.is_whole_record and feed.masked:
            faults.append(f"{column.name}: of a masked feed only named fields are read, never the whole record")
    if faults:
        raise BrokenDescription(f"{feed.file}: {'; '.join(faults)}.")
