"""Taking records out of what tools put around them, as SQL: what `Unwrapping.records` does, at the database's speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.evidence.containers import MOST_LEVELS, KeyPath, Unwrapping
from pipelines.ingest.json_shape import json_string
from pipelines.warehouse import literal


def unwrapped(values: str, unwrapping: Unwrapping, level: int = 0, mark: str | None = None) -> str:
    """A query for the records, a column `json`, in the values of `values`, a source with a column `json`; in order.

    `level` is that of the values, and a value with the key `mark` is taken as it is.
    """
    step = _Step(unwrapping, mark)
    query = f"SELECT false AS done, json FROM {values}"
    for each in range(level, MOST_LEVELS):
        query = (
            f"SELECT u.done, u.json FROM (SELECT unnest({step.sql(each)}) AS u FROM "
            f"(SELECT done, json, p, {step.inside} AS inside FROM "
            f"(SELECT done, json, CASE WHEN NOT done THEN {step.looked_up} END AS p FROM ({query}))))"
        )
    return f"SELECT json FROM ({query})"


class _Step:
    """One level: a value becomes a list of {done, json}."""

    def __init__(self, unwrapping: Unwrapping, mark: str | None) -> None:
        self._unwrapping = unwrapping
        # Everything that is looked up in a value is looked up in one pass over it. Of a JSON list, p[1] is the first.
        marks: list[KeyPath] = [(mark,)] if mark else []
        wrappers: list[KeyPath] = [(key,) for key in unwrapping.wrappers]
        required = list(dict.fromkeys(path for paths in unwrapping.signs.required for path in paths))
        table: list[KeyPath] = [("columns",), ("rows",)]
        groups = [list(unwrapping.envelopes), list(unwrapping.other_envelopes), table, marks, wrappers, required]
        self._paths = [path for group in groups for path in group]
        self._envelopes = _slice(0, len(groups[0]))
        self._others = _slice(len(groups[0]), len(groups[1]))
        self._columns, self._rows = (f"p[{len(groups[0]) + len(groups[1]) + number}]" for number in (1, 2))
        start = len(self._paths) - len(required)
        self._required = {path: start + number for number, path in enumerate(required, 1)}
        self._wrappers = {path[0]: start - len(wrappers) + number for number, path in enumerate(wrappers, 1)}
        self._mark = start - len(wrappers) if mark else None
        self.looked_up = _looked_up("json", self._paths)

    @property
    def inside(self) -> str:
        """What the first of the file's envelopes holds that holds anything."""
        if not self._unwrapping.envelopes:
            return "CAST(NULL AS JSON)"
        return f"list_filter({_all_opened(self._envelopes)}, lambda found: found IS NOT NULL)[1]"

    def sql(self, level: int) -> str:
        """The list, for values of this level."""
        as_it_is = [f"p[{self._mark}] IS NOT NULL"] if self._mark else []
        as_it_is += ["done", _fits(self._unwrapping, lambda path: f"p[{self._required[path]}]")]
        whens = [
            f"WHEN {' OR '.join(as_it_is)} THEN [{{done: true, json: json}}]",
            f"WHEN {_begins('[', 'json')} AND {_ARE_PAIRS} THEN [{{done: false, json: {_OF_PAIRS}}}]",
            f"WHEN {_begins('[', 'json')} AND ({_HAS_OBJECTS}{'' if level else _OR_IS_EMPTY}) THEN {_each('json')}",
            f"WHEN {_is_table(self._columns, self._rows)} THEN {_of_table(self._columns, self._rows)}",
            *self._pages(),
            "WHEN inside IS NOT NULL THEN [{done: false, json: inside}]",
        ]
        return (
            f"CASE {' '.join(whens)} ELSE list_transform(list_concat({self._fitting()}, [json])[1:1], "
            "lambda found: {done: true, json: found}) END"
        )

    def _pages(self) -> list[str]:
        if not self._wrappers:
            return []
        is_page = " OR ".join(f"coalesce({_begins('[', f'p[{at}]')}, false)" for at in self._wrappers.values())
        if len(self._wrappers) == 1:
            [place] = self._wrappers.values()
            return [f"WHEN {is_page} THEN {_each(f'p[{place}]')}"]
        # In the order in which the object has them.
        keys = ", ".join(literal(key) for key in self._wrappers)
        held = ", ".join(f"p[{at}]" for at in self._wrappers.values())
        part = f"[{held}][list_position([{keys}], key)]"
        each = f"CASE WHEN {_begins('[', part)} THEN {_each(part)} ELSE [] END"
        lists = f"list_transform(list_filter(json_keys(json), lambda key: key IN ({keys})), lambda key: {each})"
        return [f"WHEN {is_page} THEN flatten({lists})"]

    def _fitting(self) -> str:
        """What lies in envelopes that the file's head does not have: only where it is a record."""
        places = {path: number for number, path in enumerate(self._required, 1)}
        fits = _fits(self._unwrapping, lambda path: f"q[{places[path]}]")
        looked_up = _looked_up("inside", list(places))
        return (
            f"list_filter({_all_opened(self._others)}, "
            f"lambda inside: inside IS NOT NULL AND list_transform([{looked_up}], lambda q: {fits})[1])"
        )


_OR_IS_EMPTY = " OR json_array_length(json) = 0"
_HAS_OBJECTS = "len(list_filter(from_json(json, '[\"JSON\"]'), lambda each: starts_with(CAST(each AS VARCHAR), '{'))) > 0"
# A list of {"field": ..., "value": ...}, and the object that it says.
_ARE_PAIRS = (
    "json_array_length(json) > 0 AND len(list_filter(from_json(json, '[\"JSON\"]'), lambda each: "
    "list_sort(json_keys(each)) IS DISTINCT FROM ['field', 'value'] OR json_type(each, '$.field') <> 'VARCHAR')) = 0"
)
_OF_PAIRS = (
    "CAST('{' || array_to_string(list_transform(from_json(json, '[\"JSON\"]'), lambda each: concat("
    "CAST(json_extract(each, '$.field') AS VARCHAR), ':', CAST(json_extract(each, '$.value') AS VARCHAR))), ',') || '}' AS JSON)"
)


def _is_table(columns: str, rows: str) -> str:
    """Whether these are a table's columns and rows, as containers.of_table has it."""
    return (
        f"coalesce({_begins('[', columns)} AND {_begins('[', rows)}, false) AND json_array_length({columns}) > 0 "
        f"AND len(list_filter(from_json({columns}, '[\"JSON\"]'), lambda each: "
        "json_type(each, '$.name') IS DISTINCT FROM 'VARCHAR')) = 0 "
        f"AND len(list_filter(from_json({rows}, '[\"JSON\"]'), lambda each: coalesce(json_type(each), '') <> 'ARRAY')) = 0"
    )


def _of_table(columns: str, rows: str) -> str:
    cell = "CAST(json_extract(cell[1], '$.name') AS VARCHAR) || ':' || coalesce(CAST(cell[2] AS VARCHAR), 'null')"
    cells = f"list_zip(from_json({columns}, '[\"JSON\"]'), from_json(each, '[\"JSON\"]'))"
    row = (
        f"CASE WHEN json_array_length(each) = json_array_length({columns}) "
        f"THEN CAST('{{' || array_to_string(list_transform({cells}, lambda cell: {cell}), ',') || '}}' AS JSON) ELSE each END"
    )
    return f"list_transform(from_json({rows}, '[\"JSON\"]'), lambda each: {{done: false, json: {row}}})"


def _slice(before: int, count: int) -> str:
    return f"p[{before + 1}:{before + count}]"


def _fits(unwrapping: Unwrapping, at: Callable[[KeyPath], str]) -> str:
    columns = (
        " OR ".join(f"coalesce({at(path)} NOT IN ('null', '\"\"'), false)" for path in paths)
        for paths in unwrapping.signs.required
    )
    return f"({' AND '.join(f'({column})' for column in columns)})"


def _all_opened(found: str) -> str:
    """Of each: an object, or what a text holds where it is JSON with an object or list, or ends in an object."""
    text = "json_extract_string(found, '$')"
    after = f"substr({text}, strpos({text}, '{{'))"
    return (
        f"list_transform({found}, lambda found: "
        f"CASE WHEN found IS NULL THEN NULL WHEN {_begins('{', 'found')} THEN found WHEN {_begins(chr(34), 'found')} THEN "
        f"CASE WHEN ({_begins('{', f'ltrim({text})')} OR {_begins('[', f'ltrim({text})')}) AND json_valid({text}) "
        f"THEN CAST({text} AS JSON) "
        f"WHEN strpos({text}, '{{') > 1 AND json_valid({after}) THEN CAST({after} AS JSON) END END)"
    )


def _each(array: str) -> str:
    return (
        f"list_transform(from_json({array}, '[\"JSON\"]'), "
        "lambda element: {done: false, json: coalesce(element, CAST('null' AS JSON))})"
    )


def _looked_up(json: str, paths: Sequence[KeyPath]) -> str:
    listed = ", ".join(literal("$" + "".join(f".{json_string(key)}" for key in path)) for path in paths)
    return f"json_extract({json}, [{listed}])"


def _begins(character: str, text: str) -> str:
    return f"starts_with(CAST({text} AS VARCHAR), {literal(character)})"
