"""From a feed description to SQL: the named fields of each record, and why a record can't be used.

Only what a description names is ever named in the SQL, so nothing else reaches Parquet. Values stay as the vendor
wrote them; only types that say so (integer, list, ...) are anything but text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.ingest.descriptions import Check, Column, FeedDescription, normal_heading
from pipelines.warehouse import literal, name

REJECT_REASON = "reject_reason"
RECORD_HASH = "record_hash"

BLANK = "blank"
"""The reject_reason of a row that keeps the place of a blank line and stands for no record."""

LONGEST_REGEX = 500
_LONGEST_VALUE_SHOWN = 80
_FOUND_BY = "why_unusable"

# What dbt's is_yes() takes for yes, and its opposites.
_TRUTH_VALUES = ("true", "false", "yes", "no", "y", "n", "1", "0", "active", "inactive", "enabled", "disabled")

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
        return f"{_struct(dict.fromkeys(column.fields, 'VARCHAR'))}[]"
    if column.type == "map":
        return f"MAP(VARCHAR, {_struct(dict.fromkeys(column.fields, 'VARCHAR'))})"
    return _LAKE_TYPES.get(column.type, "VARCHAR")


def lake_columns(feed: FeedDescription) -> dict[str, str]:
    """Every column of the feed's Parquet in order, with its SQL type."""
    columns = {column.name: lake_type(column) for column in feed.columns}
    if feed.has_record_hash:
        columns[RECORD_HASH] = "VARCHAR"
    return columns | {REJECT_REASON: "VARCHAR"}


def instant(text: str) -> str:
    """SQL for the UTC TIMESTAMP that a text expression names, NULL where it names none.

    RFC 3339 with 0 to 9 digits of a second and any offset, without an offset UTC; or seconds, milliseconds or
    microseconds since 1970. The same texts as dbt's instant().
    """
    trimmed = f"trim({text})"
    # A cast to TIMESTAMP drops an offset in silence, and one to TIMESTAMPTZ is five times as slow: so the former
    # only where the text ends in Z.
    return (
        f"(CASE WHEN {text} IS NULL THEN NULL "
        f"WHEN ends_with({text}, 'Z') AND {text} >= '0' AND {text} < ':' THEN TRY_CAST({text} AS TIMESTAMP) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{9,10}}(\\.[0-9]+)?') "
        f"THEN make_timestamp(CAST(round(TRY_CAST({text} AS DECIMAL(20, 6)) * 1000000) AS BIGINT)) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{12,13}}') THEN make_timestamp(TRY_CAST({text} AS BIGINT) * 1000) "
        f"WHEN regexp_full_match({trimmed}, '[0-9]{{15,16}}') THEN make_timestamp(TRY_CAST({text} AS BIGINT)) "
        f"WHEN regexp_matches({trimmed}, '^[0-9]') THEN TRY_CAST(TRY_CAST({trimmed} AS TIMESTAMPTZ) AS TIMESTAMP) END)"
    )


@dataclass(frozen=True)
class Projection:
    """`fields` select from a source; `reason` is an expression on their results (NULL: the record can be used)."""

    fields: tuple[str, ...]
    reason: str

    def select(self, source: str, names: Iterable[str]) -> str:
        """The whole query: the columns `names` and the reason, one row per row of `source`, in its order."""
        columns = ", ".join(name(each) for each in names)
        return (
            f"SELECT {columns}, {self.reason} AS {REJECT_REASON} "
            f"FROM (SELECT {', '.join(self.fields)} FROM {source}) AS named"
        )


# -- JSON ---------------------------------------------------------------------------------------------------------


def json_columns(feed: FeedDescription, mark: str | None = None) -> dict[str, str]:
    """The `columns` of read_json: each top-level key that is needed and the SQL type of what is needed of it.

    `mark` is a further key, for lines that were found to be no record.
    """
    tree: dict[str, object] = {}
    for column in feed.columns:
        if column.is_whole_record:
            continue
        node = tree
        for key in column.path[:-1]:
            node = node.setdefault(key, {})  # type: ignore[assignment]
        node[column.path[-1]] = _json_leaf(column)
    if mark:
        tree[mark] = "VARCHAR"
    return {key: _json_type(node) for key, node in tree.items()}


def json_structure(columns: Mapping[str, str]) -> str:
    """The same as one JSON text, as json_transform() wants it."""
    pairs = (f"{_json_string(key)}: {_json_string(sql_type)}" for key, sql_type in columns.items())
    return "{" + ", ".join(pairs) + "}"


def needs_whole_record(feed: FeedDescription) -> bool:
    """Whether some column is made of the record's text as a whole."""
    return feed.has_record_hash or any(column.is_whole_record for column in feed.columns)


def project_json(feed: FeedDescription, record: str = "", whole: str = "json", mark: str | None = None) -> Projection:
    """The projection for a source with the columns of `json_columns`.

    `record` is a prefix where they lie in one struct, `whole` the column with the record's text where a column
    needs it, and `mark` as in `json_columns`.
    """
    fields = [f"{_json_value(column, record, whole, feed.masked)} AS {name(column.name)}" for column in feed.columns]
    if feed.has_record_hash:
        fields.append(f"sha256(CAST({whole} AS VARCHAR)) AS {RECORD_HASH}")
    has_nothing = " AND ".join(f"{record}{name(key)} IS NULL" for key in json_columns(feed))
    said = f"coalesce({record}{name(mark)}, '')" if mark else "''"
    # Seldom looked at: what has none of the named fields is no object, or of another kind altogether.
    fields.append(
        f"CASE WHEN {has_nothing} THEN coalesce(nullif({said}, ''), {literal(nothing_found(feed))}) END AS {_FOUND_BY}"
    )
    return Projection(tuple(fields), f"coalesce({_FOUND_BY}, {_faults(feed, {c.name: c.vendor_name for c in feed.columns})})")


def nothing_found(feed: FeedDescription) -> str:
    """The reason of a record in which no named field was found."""
    wanted = ", ".join(column.vendor_name for column in feed.required_columns)
    return f"expected a JSON object with {wanted}, found none of the fields of {feed.name}"


def _json_leaf(column: Column) -> str:
    if column.type == "list":
        return f"{_struct(dict.fromkeys(column.fields.values(), 'VARCHAR'))}[]"
    if column.type == "map":
        return f"MAP(VARCHAR, {_struct(dict.fromkeys(column.fields.values(), 'VARCHAR'))})"
    # As JSON, a number and a text of digits stay apart; as VARCHAR or BIGINT they do not.
    return "JSON" if column.type in ("json", "integer", "integers") else "VARCHAR"


def _json_type(node: object) -> str:
    if isinstance(node, dict):
        return _struct({key: _json_type(child) for key, child in node.items()})
    return str(node)


def _json_value(column: Column, record: str, whole: str, masked: bool) -> str:
    if column.is_whole_record:
        return f"CAST({whole} AS VARCHAR)"
    found = record + ".".join(name(key) for key in column.path)
    match column.type:
        case "present":
            return f"CASE WHEN {found} <> '' THEN 'true' END"
        case "json":
            return f"CAST({found} AS VARCHAR)"
        case "integer":
            text = f"CAST({found} AS VARCHAR)"
            return f"CASE WHEN regexp_full_match({text}, '-?[0-9]{{1,18}}') THEN CAST({text} AS BIGINT) END"
        case "integers":
            text = f"CAST({found} AS VARCHAR)"
            # A list of numbers or of texts of digits, one number, or a text with commas: Vault takes them all.
            listed = f"""from_json({text}, '["VARCHAR"]')"""
            single = f"""string_split(trim({text}, '"'), ',')"""
            each = f"CASE WHEN starts_with({text}, '[') THEN {listed} ELSE {single} END"
            return (
                f"CASE WHEN {found} IS NOT NULL THEN list_transform(list_filter({each}, "
                "lambda part: regexp_full_match(part, '[0-9]{1,18}')), lambda part: CAST(part AS BIGINT)) END"
            )
        case "list":
            parts = ", ".join(
                f"{name(ours)}: {_scalar(f'item.{name(theirs)}', masked)}" for ours, theirs in column.fields.items()
            )
            return f"list_transform({found}, lambda item: CASE WHEN item IS NOT NULL THEN {{{parts}}} END)"
        case "map":
            parts = ", ".join(
                f"{name(ours)}: {_scalar(f'entry.value.{name(theirs)}', masked)}"
                for ours, theirs in column.fields.items()
            )
            return (
                f"CASE WHEN {found} IS NOT NULL THEN map_from_entries(list_transform(map_entries({found}), "
                f"lambda entry: {{k: entry.key, v: {{{parts}}}}})) END"
            )
    return _redacted(column, _scalar(found, masked))


def _scalar(found: str, masked: bool) -> str:
    """A text that is JSON's own text, number or truth value. Of masked feeds, never an object's or a list's JSON."""
    if not masked:
        return found
    return (
        # As a range, the first character is compared without looking at the rest.
        f"CASE WHEN ({found} >= '{{' AND {found} < '|' OR {found} >= '[' AND {found} < '\\') AND json_valid({found}) "
        f"THEN NULL ELSE {found} END"
    )


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
        f"{_redacted(column, _cell(places[column.name]))} AS {name(column.name)}"
        if column.name in places
        else f"CAST(NULL AS VARCHAR) AS {name(column.name)}"
        for column in feed.columns
    ]
    if feed.has_record_hash:
        # By heading, so that the hash outlasts a change in the columns' order.
        order = sorted(range(len(headings)), key=lambda position: (normal_heading(headings[position]), position))
        parts = ", ".join(
            f"{literal(normal_heading(headings[p]))} || chr(30) || coalesce(c{p}, '')" for p in order
        )
        fields.append(f"sha256(concat_ws(chr(31), {parts})) AS {RECORD_HASH}")
    fields.append(f"{mark or 'CAST(NULL AS VARCHAR)'} AS {_FOUND_BY}")
    named = {column.name: headings[places[column.name]].strip() for column in feed.columns if column.name in places}
    return Projection(tuple(fields), f"coalesce({_FOUND_BY}, {_faults(feed, named)})")


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


def _json_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
