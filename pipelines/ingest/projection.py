"""From a feed description to SQL: the named fields of each record, and why a record can't be used.

Only what a description names is ever named in the SQL, so nothing else reaches Parquet. Values stay as the vendor
wrote them; only types that say so (integer, list, ...) are anything but text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pipelines.ingest.descriptions import (
    Check,
    Column,
    FeedDescription,
    ItemField,
    normal_heading,
    written_path,
)
from pipelines.ingest.json_shape import Found, JsonShape, json_string
from pipelines.warehouse import literal, name

REJECT_REASON = "reject_reason"
RECORD_HASH = "record_hash"

BLANK = "blank"
"""The reject_reason of a row that keeps the place of a blank line and stands for no record."""

FOREIGN = "expected a record as its file begins, found one under other keys"
"""The reject_reason of a row that was read with a plan which does not look where it has its values."""

LONGEST_REGEX = 500
_LONGEST_VALUE_SHOWN = 80
_FOUND_BY = "why_unusable"

# What dbt's is_yes() takes for yes, and its opposites.
_TRUTH_VALUES = ("true", "false", "yes", "no", "y", "n", "1", "0", "active", "inactive", "enabled", "disabled")

# As in dbt's instant(): Z, an offset, or the name of a zone, after a time of day.
_HAS_ZONE = r":.*([Zz]|[+-][0-9]{1,2}(:?[0-9]{2})?| [A-Z]{2,5})$"

_LAKE_TYPES = {"integer": "BIGINT", "integers": "BIGINT[]"}

_EXPECTED = {
    "instant": "an instant such as 2026-03-02T09:00:00Z",
    "date": "a day such as 2026-03-02",
    "boolean": "true or false",
    "positive_number": "a number above zero",
    "timezone": "a time zone such as Europe/Berlin or UTC",
    "regex": f"a regular expression (RE2) of at most {LONGEST_REGEX} characters",
}


def lake_type(column: Column) -> str:
    """The SQL type of a column in the lake."""
    if column.type == "list":
        return f"{_fields_type(column.fields)}[]"
    if column.type == "map":
        return f"MAP(VARCHAR, {_fields_type(column.fields)})"
    return _LAKE_TYPES.get(column.type, "VARCHAR")


def _fields_type(fields: Mapping[str, ItemField]) -> str:
    return _struct({ours: f"{_fields_type(each.fields)}[]" if each.fields else "VARCHAR" for ours, each in fields.items()})


def lake_columns(feed: FeedDescription) -> dict[str, str]:
    """Every column of the feed's Parquet in order, with its SQL type."""
    columns = {column.name: lake_type(column) for column in feed.columns}
    if feed.has_record_hash:
        columns[RECORD_HASH] = "VARCHAR"
    return columns | {REJECT_REASON: "VARCHAR"}


def json_columns(feed: FeedDescription) -> dict[str, str]:
    """The columns that JSON records of a feed can have. The others are left out of their file, and NULL to who reads the
    feed's files together: to write a column takes as long where nothing is in it."""
    absent = {column.name for column in feed.columns if not column.paths}
    return {column: sql_type for column, sql_type in lake_columns(feed).items() if column not in absent}


def instant(text: str, zone: str = "UTC") -> str:
    """SQL for the UTC TIMESTAMP that a text expression names, NULL where it names none.

    RFC 3339 with 0 to 9 digits of a second and any offset, without an offset in `zone`; seconds, milliseconds or
    microseconds since 1970; or as American portals write it, 5/27/2021, 5:13:43.707 PM. The same texts as dbt's instant().
    """
    trimmed = f"trim({text})"
    zoned = f"TRY_CAST(TRY_CAST({trimmed} AS TIMESTAMPTZ) AS TIMESTAMP)"
    american = f"try_strptime(replace({trimmed}, ',', ''), ['%m/%d/%Y %I:%M:%S.%f %p', '%m/%d/%Y %I:%M:%S %p'])"
    if zone != "UTC":
        local = f"CAST(timezone({literal(zone)}, TRY_CAST({trimmed} AS TIMESTAMP)) AS TIMESTAMP)"
        zoned = f"CASE WHEN regexp_matches({trimmed}, {literal(_HAS_ZONE)}) THEN {zoned} ELSE {local} END"
        american = f"CAST(timezone({literal(zone)}, {american}) AS TIMESTAMP)"
    # Without four figures for the year, 09/10/25 would pass for a day of the year 9.
    # A cast to TIMESTAMP drops an offset in silence, and one to TIMESTAMPTZ is five times as slow: so the former
    # only where the text ends in Z.
    return (
        f"(CASE WHEN {text} IS NULL THEN NULL "
        f"WHEN ends_with({text}, 'Z') AND {text} >= '0' AND {text} < ':' THEN TRY_CAST({text} AS TIMESTAMP) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{9,10}}(\\.[0-9]+)?') "
        f"THEN make_timestamp(CAST(round(TRY_CAST({text} AS DECIMAL(20, 6)) * 1000000) AS BIGINT)) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{12,13}}(\\.[0-9]+)?') "
        f"THEN make_timestamp(CAST(round(TRY_CAST({text} AS DECIMAL(20, 6)) * 1000) AS BIGINT)) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{15,16}}') THEN make_timestamp(TRY_CAST({text} AS BIGINT)) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}},? [0-9:.]+ [AP]M') THEN {american} "
        f"WHEN regexp_matches({trimmed}, '^[0-9]{{4}}[^0-9]') THEN {zoned} END)"
    )


@dataclass(frozen=True)
class Projection:
    """`fields` select from a source; `reason` is an expression on their results (NULL: the record can be used)."""

    fields: tuple[str, ...]
    reason: str
    lookups: Mapping[str, str] = field(default_factory=dict)

    def select(self, source: str, names: Iterable[str]) -> str:
        """The whole query: the columns `names` and the reason, one row per row of `source`, in its order."""
        columns = ", ".join(name(each) for each in names)
        if self.lookups:
            looked_up = ", ".join(f"{found} AS {alias}" for alias, found in self.lookups.items())
            source = f"(SELECT *, {looked_up} FROM {source})"
        return (
            f"SELECT {columns}, {self.reason} AS {REJECT_REASON} "
            f"FROM (SELECT {', '.join(self.fields)} FROM {source}) AS named"
        )


# -- JSON ---------------------------------------------------------------------------------------------------------


# Marks are drawn anew for each file that needs one, so that not all can be remembered.
@lru_cache(maxsize=256)
def json_shape(feed: FeedDescription, mark: str | None = None) -> JsonShape:
    """What is parsed of this feed's records. `mark` is a further key, for lines that were found to be no record."""
    wanted = [
        (path, f"{_item_shape(column.fields).sql_type}[]" if column.is_typed else _LEAVES.get(column.type, "VARCHAR"))
        for column in feed.columns
        if not column.is_whole_record
        for path in column.paths
    ]
    others = [*sorted(feed.foreign), *([(mark,)] if mark else [])]
    return JsonShape([*wanted, *((path, "VARCHAR") for path in others)])


def needs_whole_record(feed: FeedDescription) -> bool:
    """Whether some column is made of the record's text as a whole."""
    return (
        (feed.has_record_hash and feed.hashes)
        or any(column.is_whole_record for column in feed.columns)
        or json_shape(feed).needs_text
    )


@lru_cache(maxsize=256)
def project_json(feed: FeedDescription, record: str = "", whole: str = "json", mark: str | None = None) -> Projection:
    """The projection for a source with the columns of `json_shape`.

    `record` is a prefix where they lie in one struct, `whole` the column with the record's text where a column
    needs it, and `mark` as in `json_shape`.
    """
    shape = json_shape(feed, mark)
    fields = []
    values: dict[str, str] = {}
    for column in feed.columns:
        if column.is_whole_record:
            # Without the spaces between its parts, so that it is the same in whatever container it came.
            value = f"CAST(json({whole}) AS VARCHAR)"
        else:
            found = (shape.find(path, record, whole, True) for path in column.paths)
            value = _first_present([_value(column, each, feed.masked) for each in found], lake_type(column))
        fields.append(f"{value} AS {name(column.name)}")
        values[column.name] = value
    if feed.has_record_hash:
        fields.append(_record_hash(feed, f"sha256(CAST(json({whole}) AS VARCHAR))", values))
    has_nothing = json_shape(feed).has_nothing(record, whole)
    said = f"coalesce({shape.find((mark,), record).text}, '')" if mark else "''"
    foreign = [f"{shape.find(path, record, whole, True).text} IS NOT NULL" for path in sorted(feed.foreign)]
    is_foreign = f" WHEN {' OR '.join(foreign)} THEN {literal(FOREIGN)}" if foreign else ""
    # Seldom looked at: what has none of the named fields is no object, or of another kind altogether.
    fields.append(
        f"CASE WHEN {has_nothing} THEN coalesce(nullif({said}, ''), {literal(nothing_found(feed))}){is_foreign} END "
        f"AS {_FOUND_BY}"
    )
    called = {column.name: column.vendor_name for column in feed.columns}
    reason = f"coalesce({_FOUND_BY}, {_faults(feed, called)})"
    return Projection(tuple(fields), reason, shape.lookups(record, whole))


def nothing_found(feed: FeedDescription) -> str:
    """The reason of a record in which no named field was found."""
    wanted = ", ".join(written_path(column.paths[0]) for column in feed.required_columns if column.paths)
    return f"expected a JSON object with {wanted}, found none of the fields of {feed.name}"


def _record_hash(feed: FeedDescription, hashed: str, values: Mapping[str, str]) -> str:
    """The record's hash, where the vendor's own id is not whole: it costs as much as reading the record."""
    if not feed.hashes:
        return f"CAST(NULL AS VARCHAR) AS {RECORD_HASH}"
    others = [values[column] for column in feed.own_id if column in values]
    if not others:
        return f"{hashed} AS {RECORD_HASH}"
    is_whole = " AND ".join(f"coalesce({value}, '') <> ''" for value in others)
    return f"CASE WHEN {is_whole} THEN NULL ELSE {hashed} END AS {RECORD_HASH}"


# As JSON, a number and a text of digits stay apart; as text they do not.
_LEAVES = {"json": "JSON", "integer": "JSON", "integers": "JSON"}


def _first_present(values: Sequence[str], sql_type: str) -> str:
    if len(values) < 2:
        return values[0] if values else f"CAST(NULL AS {sql_type})"
    return f"coalesce({', '.join(values)})"


def _value(column: Column, found: Found, masked: bool) -> str:
    """A column's value from the text that was found of it."""
    text = f"CAST({found.text} AS VARCHAR)" if found.is_json else found.text
    match column.type:
        case "present":
            return f"CASE WHEN {text} <> '' THEN 'true' END"
        case "json":
            return _as_json(text, found.is_json)
        case "integer":
            return f"CASE WHEN regexp_full_match({text}, '-?[0-9]{{1,18}}') THEN CAST({text} AS BIGINT) END"
        case "integers":
            # A list of numbers or of texts of digits, one number, or a text with commas: Vault takes them all.
            listed = f"""TRY(from_json({text}, '["VARCHAR"]'))"""
            single = f"""string_split(trim({text}, '"'), ',')"""
            each = f"CASE WHEN starts_with({text}, '[') THEN {listed} ELSE {single} END"
            return (
                f"CASE WHEN {text} IS NOT NULL THEN list_transform(list_filter({each}, "
                "lambda part: regexp_full_match(part, '[0-9]{1,18}')), lambda part: CAST(part AS BIGINT)) END"
            )
        case "list":
            return _list(column.fields, found.text if found.is_list else text, masked, is_typed=found.is_list)
        case "map":
            shape = _item_shape(column.fields)
            entries = f"TRY(from_json({text}, {literal(json_string(f'MAP(VARCHAR, {_struct(shape.columns)})'))}))"
            parts = _item(column.fields, shape, "entry.value", 0, masked)
            return (
                f"CASE WHEN {text} >= '{{' AND {text} < '|' THEN map_from_entries(list_transform(map_entries({entries}), "
                f"lambda entry: {{k: entry.key, v: {parts}}})) END"
            )
    value = _text(text, column.nulls, not masked and not found.may_be_whole, found.absent)
    return _redacted(column, value)


def _as_json(text: str, is_json: bool) -> str:
    """JSON's text; what a tool wrote as a text that is an object or a list counts as what it holds."""
    if not is_json:
        return f"CASE WHEN json_valid({text}) THEN {text} ELSE CAST(to_json({text}) AS VARCHAR) END"
    inside = f"json_extract_string({text}, '$')"
    return (
        f"CASE WHEN starts_with({text}, '\"') AND ({_begins_container(inside)}) AND json_valid({inside}) THEN {inside} "
        f"ELSE {text} END"
    )


def has_typed_items(column: Column) -> bool:
    """Whether the items of a list column can be one structure."""
    return column.type == "list" and not _item_shape(column.fields).needs_text


def _list(
    fields: Mapping[str, ItemField], text: str, masked: bool, depth: int = 0, is_typed: bool = False
) -> str:
    """A list of structs from the text of a JSON list, or from the list of what is needed of its items."""
    shape = _item_shape(fields)
    item = f"item{depth}"
    items = text if is_typed else f"TRY(from_json({text}, {literal(f'[{shape.structure}]')}))"
    parts = _item(fields, shape, item, depth, masked)
    transformed = f"list_transform({items}, lambda {item}: CASE WHEN {item} IS NOT NULL THEN {parts} END)"
    if is_typed:
        return transformed
    return f"CASE WHEN {text} >= '[' AND {text} < '\\' THEN {transformed} END"


def _item_shape(fields: Mapping[str, ItemField]) -> JsonShape:
    return JsonShape((path, "VARCHAR") for each in fields.values() for path in each.paths)


def _item(fields: Mapping[str, ItemField], shape: JsonShape, item: str, depth: int, masked: bool) -> str:
    parts = []
    for ours, theirs in fields.items():
        found = [shape.find(path, f"{item}.") for path in theirs.paths]
        if theirs.fields:
            values = [_list(theirs.fields, each.text, masked, depth + 1) for each in found]
        else:
            may_be_container = theirs.is_json or not masked
            values = [
                _text(each.text, (), may_be_container=may_be_container and not each.may_be_whole) for each in found
            ]
        parts.append(f"{name(ours)}: {_first_present(values, 'VARCHAR')}")
    return "{" + ", ".join(parts) + "}"


def _text(found: str, nulls: Sequence[str], may_be_container: bool, absent: str | None = None) -> str:
    """A text, but for words that stand for nothing; or JSON's own text, number or truth value, never an object's JSON."""
    # In one CASE: what is found would be evaluated once for each.
    conditions = [absent] if absent else []
    if nulls:
        conditions.append(f"{found} IN ({', '.join(literal(each) for each in nulls)})")
    if not may_be_container:
        conditions.append(f"({_begins_container(found)}) AND json_valid({found})")
    return f"CASE WHEN {' OR '.join(conditions)} THEN NULL ELSE {found} END" if conditions else found


def _begins_container(text: str) -> str:
    # Both brackets at once: they differ in one bit, and there is no third character like them.
    return f"unicode({text}) | {ord('{') ^ ord('[')} = {ord('{')}"


def _redacted(column: Column, found: str) -> str:
    if column.redact is None:
        return found
    replaced = f"regexp_replace({found}, {literal(column.redact.pattern)}, '***', 'g')"
    if not column.redact.only_with:
        return replaced
    return f"CASE WHEN contains({found}, {literal(column.redact.only_with)}) THEN {replaced} ELSE {found} END"


# -- CSV ----------------------------------------------------------------------------------------------------------


def project_csv(
    feed: FeedDescription, places: Mapping[str, int], headings: Sequence[str], mark: str | None = None
) -> Projection:
    """The projection for a source with text columns c0, c1, ... under these headings.

    `places` says at which position each column stands; `mark` is a column of the source that says why a row is
    no record, or NULL.
    """
    fields = [
        f"{_csv_value(column, places, headings, feed.masked)} AS {name(column.name)}" for column in feed.columns
    ]
    if feed.has_record_hash:
        # By heading, so that the hash outlasts a change in the columns' order.
        order = sorted(range(len(headings)), key=lambda position: (normal_heading(headings[position]), position))
        parts = ", ".join(
            f"{literal(normal_heading(headings[p]))} || chr(30) || coalesce(c{p}, '')" for p in order
        )
        values = {c.name: _csv_value(c, places, headings, feed.masked) for c in feed.columns if c.name in places}
        known = values if all(column in values for column in feed.own_id) else {}
        fields.append(_record_hash(feed, f"sha256(concat_ws(chr(31), {parts}))", known))
    fields.append(f"{mark or 'CAST(NULL AS VARCHAR)'} AS {_FOUND_BY}")
    named = {column.name: headings[places[column.name]].strip() for column in feed.columns if column.name in places}
    return Projection(tuple(fields), f"coalesce({_FOUND_BY}, {_faults(feed, named)})")


def _csv_value(column: Column, places: Mapping[str, int], headings: Sequence[str], masked: bool) -> str:
    if column.is_whole_record:
        return f"CAST(json_object({', '.join(_headed_cells(headings))}) AS VARCHAR)"
    if column.name not in places:
        return f"CAST(NULL AS {lake_type(column)})"
    # A cell that begins with a bracket is text like any other, unless the column is a list or JSON.
    is_container = column.type in ("json", "list", "map")
    return _value(column, Found(_cell(places[column.name])), masked and is_container)


def _headed_cells(headings: Sequence[str]) -> Iterable[str]:
    """Each heading with its cell; one that stands there several times (Jira's Labels) with the list of what is in them."""
    cells: dict[str, list[str]] = {}
    for position, heading in enumerate(headings):
        cells.setdefault(heading.strip(), []).append(_cell(position))
    for heading, there in cells.items():
        value = there[0] if len(there) == 1 else f"list_filter([{', '.join(there)}], lambda cell: cell IS NOT NULL)"
        yield f"{literal(heading)}, {value}"


def _cell(position: int) -> str:
    return f"nullif(c{position}, '')"


# -- what makes a record unusable -----------------------------------------------------------------------------------


def _faults(feed: FeedDescription, named: Mapping[str, str]) -> str:
    """An expression: every fault of a row in one line, NULL where there is none."""
    conditions: list[str] = []
    sentences: list[str] = []
    for column in feed.columns:
        for condition, sentence in _column_faults(column, named.get(column.name, column.name), feed.masked):
            conditions.append(condition)
            sentences.append(f"CASE WHEN {condition} THEN {sentence} END")
    for check in feed.checks:
        condition = f"NOT coalesce({check.expect}, true)"
        conditions.append(condition)
        sentences.append(f"CASE WHEN {condition} THEN {_otherwise(check)} END")
    if not conditions:
        return "NULL"
    return f"CASE WHEN {' OR '.join(conditions)} THEN concat_ws('; ', {', '.join(sentences)}) END"


def _column_faults(column: Column, called: str, masked: bool) -> Iterable[tuple[str, str]]:
    found = name(column.name)
    there = f"{found} IS NOT NULL"
    if column.required:
        if lake_type(column) == "VARCHAR":
            there = f"{found} <> '' AND {there}"
            yield f"coalesce({found}, '') = ''", literal(f"{called}: expected a value, found none")
        else:
            yield f"{found} IS NULL", literal(f"{called}: expected a value, found none")
    unusable = _unusable(column, found)
    if unusable:
        expected = _EXPECTED.get(column.type) or _expected_words(column)
        yield f"({there} AND {unusable})", _sentence(called, expected, found, masked)


def _unusable(column: Column, found: str) -> str | None:
    if column.values:
        compared = f"lower(trim({found}))" if column.any_case else found
        return f"{compared} NOT IN ({', '.join(literal(value) for value in column.values)})"
    if column.pattern:
        return f"NOT regexp_full_match({found}, {literal(column.pattern)})"
    match column.type:
        case "instant":
            return f"{instant(found)} IS NULL"
        case "date":
            return f"(NOT regexp_full_match({found}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') OR TRY_CAST({found} AS DATE) IS NULL)"
        case "boolean":
            return f"lower(trim({found})) NOT IN ({', '.join(literal(value) for value in _TRUTH_VALUES)})"
        case "positive_number":
            return (
                f"NOT coalesce(regexp_full_match({found}, '[0-9]{{1,9}}(\\.[0-9]+)?') AND TRY_CAST({found} AS DOUBLE) > 0, "
                "false)"
            )
        case "timezone":
            return f"{found} NOT IN (SELECT name FROM pg_timezone_names())"
        case "regex":
            return f"(length({found}) > {LONGEST_REGEX} OR TRY(regexp_matches('', {found})) IS NULL)"
    return None


def _expected_words(column: Column) -> str:
    if column.values:
        return "one of " + ", ".join(column.values)
    return f"text like {column.pattern}"


def _sentence(called: str, expected: str, found: str, masked: bool) -> str:
    start = f"{called}: expected {expected}, found "
    # A faulty field of a vault or IAM record may hold anything; what it holds is not repeated.
    return literal(start + "something else") if masked else f"{literal(start)} || {_quoted(found)}"


def _quoted(found: str) -> str:
    shown = f"regexp_replace(left({found}, {_LONGEST_VALUE_SHOWN}), '[\\x00-\\x1f\\x7f]', ' ', 'g')"
    return f"'\"' || {shown} || '\"'"


def _otherwise(check: Check) -> str:
    parts = re.split(r"\{(\w+)\}", check.otherwise)
    pieces = [
        f"coalesce(left(CAST({name(part)} AS VARCHAR), {_LONGEST_VALUE_SHOWN}), '')" if place % 2 else literal(part)
        for place, part in enumerate(parts)
        if part or place % 2
    ]
    return " || ".join(pieces)


def _struct(types: Mapping[str, str]) -> str:
    return f"STRUCT({', '.join(f'{name(key)} {sql_type}' for key, sql_type in types.items())})"

