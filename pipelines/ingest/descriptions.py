"""Feed descriptions: what each feed's YAML says, as plain data. The same files are dbt's sources.

A description names the fields to read, where they lie in the vendor's record and what makes a record usable. There is
no other register of feeds: adding one adds a file under `feeds/` and no Python.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

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

_CSV_TYPES = ("text", "instant", "date", "boolean", "positive_number", "timezone", "regex")
_JSON_TYPES = ("text", "instant", "integer", "integers", "json", "present", "list", "map")
_PROVIDES = (
    "account_state", "credential_state", "usage", "employment", "review_decisions", "entitlements", "tickets",
    "required_feeds",
)  # fmt: skip
# The C parser, where PyYAML was built with it: ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Bump when a reader reads the same bytes differently: Parquet made by an older one is then made anew.
READER_VERSION = 1

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


@dataclass(frozen=True, kw_only=True)
class Column:
    """One named field. JSON feeds have a `path` (keys from the record downwards), CSV feeds `headings`."""

    name: str
    description: str
    type: ColumnType = "text"
    path: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    required: bool = False
    values: tuple[str, ...] = ()
    any_case: bool = False
    pattern: str | None = None
    redact: Redaction | None = None
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def is_whole_record(self) -> bool:
        return self.path == (WHOLE_RECORD,)

    @property
    def vendor_name(self) -> str:
        """What the vendor calls it: the dotted path, or the newest heading."""
        return ".".join(self.path) if self.path else self.headings[0]


@dataclass(frozen=True, kw_only=True)
class FeedDescription:
    """One feed. `fingerprint` changes when the same bytes would be read into other rows."""

    system: str
    feed: str
    description: str
    kind: Kind
    shape: Shape
    columns: tuple[Column, ...]
    wrappers: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    masked: bool = True
    keeps_rejected_text: bool = False
    event_time: str | None = None
    native_id: tuple[str, ...] = ()
    absence_scope: str | None = None
    checks: tuple[Check, ...] = ()
    needs_a_heading_of: tuple[str, ...] = ()
    """Columns of which a file must have at least one, whatever stands in it."""
    file: str = ""
    fingerprint: str = ""

    @property
    def name(self) -> str:
        return f"{self.system}/{self.feed}"

    @property
    def has_record_hash(self) -> bool:
        """Whether rows carry a hash of the whole record, to serve as its id."""
        return self.kind == "log" and (not self.native_id or "record_hash" in self.native_id)

    @property
    def required_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


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
    columns = tuple(_column(column) for column in table["columns"])
    checks = tuple(Check(**check) for check in meta.pop("checks", ()))
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in meta.items()
    }
    description = FeedDescription(
        system=system,
        feed=table["name"],
        description=table["description"].strip(),
        shape=shape,
        columns=columns,
        checks=checks,
        file=file,
        fingerprint=_fingerprint(table),
        **values,
    )
    _refuse_contradictions(description)
    return description


def _column(column: dict[str, Any]) -> Column:
    meta = dict(column["config"]["meta"])
    path = meta.pop("path", None)
    redact = meta.pop("redact", None)
    return Column(
        name=column["name"],
        description=column["description"],
        path=() if path is None else (path,) if path == WHOLE_RECORD else tuple(path.split(".")),
        headings=tuple(meta.pop("headings", ())),
        values=tuple(meta.pop("values", ())),
        redact=Redaction(**redact) if redact else None,
        **meta,
    )


def _fingerprint(table: dict[str, Any]) -> str:
    meaning = {
        "reader": READER_VERSION,
        "meta": table["config"]["meta"],
        "columns": [(column["name"], column["config"]["meta"]) for column in table["columns"]],
    }
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def _refuse_contradictions(feed: FeedDescription) -> None:
    names = [column.name for column in feed.columns]
    faults = [
        f"{name} stands there twice" for name in {name for name in names if names.count(name) > 1}
    ]
    if feed.kind not in KINDS:
        faults.append(f"kind: expected one of {', '.join(KINDS)}, found {feed.kind!r}")
    if feed.shape not in ("json", "csv"):
        faults.append(f"shape: expected json or csv, found {feed.shape!r}")
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
    types = _JSON_TYPES if feed.shape == "json" else _CSV_TYPES
    for column in feed.columns:
        if column.name in ("reject_reason", "record_hash", "sha256", "record_number"):
            faults.append(f"{column.name}: the name is taken")
        if bool(column.path) != (feed.shape == "json") or bool(column.headings) != (feed.shape == "csv"):
            faults.append(f"{column.name}: json columns have a path, csv columns have headings")
        if column.type not in types:
            faults.append(f"{column.name}: type {column.type!r} is none that {feed.shape} has")
        if not all(isinstance(value, str) for value in (*column.headings, *column.values)):
            faults.append(f"{column.name}: quote what YAML takes for a truth value or a number")
        if bool(column.fields) != (column.type in ("list", "map")):
            faults.append(f"{column.name}: fields belong to lists and maps")
    faults += [
        f"{column.name}: its path runs through that of {other.name}"
        for column in feed.columns
        for other in feed.columns
        if column is not other
        and not other.is_whole_record
        and len(other.path) < len(column.path)
        and column.path[: len(other.path)] == other.path
    ]
    if faults:
        raise BrokenDescription(f"{feed.file}: {'; '.join(faults)}.")
