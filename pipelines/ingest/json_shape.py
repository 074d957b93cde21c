"""Which parts of a JSON record DuckDB parses, and how each value is reached in what it parsed.

Keys that a description names become one typed structure. Where that can't be typed, because one path runs through
another (`caller` and `caller.value`) or two keys differ by case alone, the part is kept as text and looked into.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pipelines.ingest.descriptions import KeyPath
from pipelines.warehouse import literal, name

_WRITTEN_AS_IT_IS = re.compile(r"[\w.:@-]+", re.ASCII)
_ESCAPE = "\\"

_Lookups = dict[str, tuple[str, list[tuple[KeyPath, KeyPath]]]]
"""Alias -> the text that is looked into, and of each path what is left of it there, and the whole."""


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    leaf: str | None = None
    """The type in which the value itself is wanted; None where only parts of it are."""

    @property
    def is_looked_into(self) -> bool:
        """Whether its parts are reached through its text."""
        return bool(self.children) and (self.leaf is not None or bool(self.twins))

    @cached_property
    def twins(self) -> set[str]:
        """Keys that differ from another by case alone: DuckDB's structures can't have both."""
        counts = Counter(key.lower() for key in self.children)
        return {key for key in self.children if counts[key.lower()] > 1}

    def twin_paths(self, start: KeyPath = ()) -> Iterator[KeyPath]:
        """The paths of twins here and further down."""
        yield from ((*start, key) for key in self.twins)
        for key, node in self.children.items():
            yield from node.twin_paths((*start, key))

    @property
    def sql_type(self) -> str:
        if self.is_looked_into:
            return "VARCHAR"
        if self.children:
            return f"STRUCT({', '.join(f'{name(key)} {node.sql_type}' for key, node in self.children.items())})"
        return self.leaf or "VARCHAR"

    @property
    def structure(self) -> str:
        """The same as from_json() wants it."""
        if self.children and not self.is_looked_into:
            pairs = (f"{json_string(key)}: {node.structure}" for key, node in self.children.items())
            return "{" + ", ".join(pairs) + "}"
        return json_string(self.sql_type)


@dataclass(frozen=True)
class Found:
    """SQL for a value: `text` is a VARCHAR, JSON's own text where `is_json`, a list of structures where `is_list`.
    `may_be_whole`: it also has parts named. `absent`, where there is one, is a condition under which it is NULL for sure."""

    text: str
    is_json: bool = False
    is_list: bool = False
    may_be_whole: bool = False
    absent: str | None = None


class JsonShape:
    """One structure for all of these paths; each with the type in which its value is wanted: VARCHAR, JSON or a list."""

    def __init__(self, paths: Iterable[tuple[KeyPath, str]]) -> None:
        self._root = _Node()
        paths = list(paths)
        self._known_lookups: dict[tuple[str, str], _Lookups] = {}
        self._paths = list(dict.fromkeys(paths))
        for path, sql_type in paths:
            node = self._root
            for key in path:
                node = node.children.setdefault(key, _Node())
            # Wanted both ways, it is read as text.
            node.leaf = sql_type if node.leaf in (None, sql_type) else "VARCHAR"

    @property
    def columns(self) -> Mapping[str, str]:
        """Each key of the record itself with the type of what is needed of it, but for keys that have twins."""
        return {key: node.sql_type for key, node in self._root.children.items() if key not in self._twins}

    @property
    def sql_type(self) -> str:
        """The type of the whole, where none of it is looked up in a text."""
        return self._root.sql_type

    @property
    def structure(self) -> str:
        """The same as one JSON text, for from_json()."""
        pairs = (f"{json_string(key)}: {self._root.children[key].structure}" for key in self.columns)
        return "{" + ", ".join(pairs) + "}"

    @property
    def needs_text(self) -> bool:
        """Whether some value is reached through the text of the record alone."""
        return bool(self._twins)

    @cached_property
    def twin_paths(self) -> frozenset[KeyPath]:
        """Paths, or beginnings of paths, that differ from another by case alone."""
        return frozenset(self._root.twin_paths())

    def lookups(self, record: str = "", whole: str = "json") -> Mapping[str, str]:
        """SQL for what is looked up in texts, each text parsed once: alias -> list of values. `find` refers to them."""
        return {
            alias: _looked_up(text, [path for path, _ in found], is_json=text == _text_of(whole))
            for alias, (text, found) in self._lookups(record, whole).items()
        }

    def find(self, path: KeyPath, record: str = "", whole: str = "json", is_looked_up: bool = False) -> Found:
        """SQL for the value at one of the paths. `record` is a prefix to the columns, `whole` the record's text.

        `is_looked_up` says that the source has the columns of `lookups`.
        """
        found, node, left = self._way(path, record, whole)
        if not left:
            sql_type = node.sql_type
            return Found(found, sql_type == "JSON", sql_type.endswith("[]"), may_be_whole=node.is_looked_into)
        if not is_looked_up:
            return Found(f"{_looked_up(found, [left])}[1]")
        for alias, (_, paths) in self._lookups(record, whole).items():
            for number, (_, full) in enumerate(paths, 1):
                if full == path:
                    return Found(f"{alias}[{number}]", absent=f"{alias} IS NULL")
        raise KeyError(path)

    def _way(self, path: KeyPath, record: str, whole: str) -> tuple[str, _Node, KeyPath]:
        """How far typed structures lead: the SQL, the node there, and the keys left to be looked up in its text."""
        if path[0] in self._twins:
            return _text_of(whole), self._root, path
        node = self._root.children[path[0]]
        found = record + name(path[0])
        for depth, key in enumerate(path[1:], 1):
            if node.is_looked_into:
                return found, node, path[depth:]
            node = node.children[key]
            found += f".{name(key)}"
        return found, node, ()

    def _lookups(self, record: str, whole: str) -> _Lookups:
        if (record, whole) not in self._known_lookups:
            self._known_lookups[record, whole] = self._found_lookups(record, whole)
        return self._known_lookups[record, whole]

    def _found_lookups(self, record: str, whole: str) -> _Lookups:
        by_text: dict[str, list[tuple[KeyPath, KeyPath]]] = {}
        for path, _ in self._paths:
            text, _, left = self._way(path, record, whole)
            if left and (left, path) not in by_text.setdefault(text, []):
                by_text[text].append((left, path))
        return {f"looked_up_{number}": found for number, found in enumerate((t, p) for t, p in by_text.items() if p)}

    def has_nothing(self, record: str = "", whole: str = "json") -> str:
        """SQL for a record that has none of the keys."""
        found = [f"{record}{name(key)}" for key in self.columns]
        twins = [path for path, _ in self._paths if path[0] in self._twins]
        found += [self.find(path, record, whole, is_looked_up=True).text for path in dict.fromkeys(twins)]
        return " AND ".join(f"{each} IS NULL" for each in found)

    @property
    def _twins(self) -> set[str]:
        return self._root.twins


def json_string(text: str) -> str:
    """A text without control characters as JSON."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text_of(json: str) -> str:
    return f"CAST({json} AS VARCHAR)"


def _looked_up(text: str, paths: Sequence[KeyPath], is_json: bool = False) -> str:
    keys = ", ".join(literal("$" + "".join(f".{json_string(key)}" for key in path)) for path in paths)
    found = f"json_extract_string({text}, [{keys}])"
    if is_json:
        return found
    # As a range, the first character is compared without looking at the rest. TRY instead of json_valid() would take
    # a batch with one text that is no JSON row by row.
    conditions = [f"{text} >= '{{'", f"{text} < '|'", *_may_have_one(text, paths), f"json_valid({text})"]
    return f"(CASE WHEN {' AND '.join(conditions)} THEN {found} END)"


def _may_have_one(text: str, paths: Sequence[KeyPath]) -> Iterator[str]:
    """A condition that an object's text meets wherever it has one of the paths: to search it takes less than to parse it."""
    keys = {path[0] for path in paths}
    if all(_WRITTEN_AS_IT_IS.fullmatch(key) for key in keys):
        shortest = [key for key in sorted(keys) if not any(other in key for other in keys - {key})]
        # An escape may stand for any character.
        yield f"({' OR '.join(f'contains({text}, {literal(part)})' for part in [*shortest, _ESCAPE])})"
