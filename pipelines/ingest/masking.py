"""What may be shown of a record: of vault and IAM feeds the named fields only, of all others everything."""

from __future__ import annotations

import re
from typing import Any

from pipelines.ingest.descriptions import Column, FeedDescription, normal_heading

MASK = "***"


def shown(description: FeedDescription, record: Any) -> Any:
    """The record with every value outside the named fields replaced by `***`; keys and the record's shape stay.

    A record of a feed that holds no secrets by nature (tickets, people, decisions) comes back as it is.
    """
    if not description.masked:
        return record
    if description.shape == "csv":
        return _shown_row(description, record)
    return _shown_value(record, [(column.path, column) for column in description.columns])


def _shown_row(description: FeedDescription, record: Any) -> Any:
    if not isinstance(record, dict):
        return MASK
    named = {normal_heading(heading): column for column in description.columns for heading in column.headings}
    return {
        heading: _shown_leaf(value, named[normal_heading(str(heading))])
        if heading is not None and normal_heading(str(heading)) in named
        else _masked(value)
        for heading, value in record.items()
    }


def _shown_value(value: Any, named: list[tuple[tuple[str, ...], Column]]) -> Any:
    """`named` are the columns at or below this value, each with the rest of its path."""
    for rest, column in named:
        if not rest:
            return _shown_leaf(value, column)
    if isinstance(value, dict):
        return {
            key: _shown_value(child, below)
            if (below := [(rest[1:], column) for rest, column in named if rest[0] == key])
            else _masked(child)
            for key, child in value.items()
        }
    return _masked(value)


def _shown_leaf(value: Any, column: Column) -> Any:
    match column.type:
        case "list" if isinstance(value, list):
            return [_shown_fields(item, column) for item in value]
        case "map" if isinstance(value, dict):
            return {key: _shown_fields(item, column) for key, item in value.items()}
        case "json":
            return value
        case "integer":
            return value if re.fullmatch(r"-?[0-9]{1,18}", str(value)) else _masked(value)
        case "integers" if isinstance(value, list):
            return [item if re.fullmatch(r"[0-9]{1,18}", str(item)) else _masked(item) for item in value]
        # That there is an error is read, what it says is not.
        case "present" | "list" | "map" | "integers":
            return _masked(value)
    if isinstance(value, (dict, list)):
        return _masked(value)
    if column.redact is not None and isinstance(value, str):
        return re.sub(column.redact.pattern, MASK, value)
    return value


def _shown_fields(item: Any, column: Column) -> Any:
    if not isinstance(item, dict):
        return _masked(item)
    named = set(column.fields.values())
    return {
        key: value if key in named and not isinstance(value, (dict, list)) else _masked(value)
        for key, value in item.items()
    }


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_masked(child) for child in value]
    return value if value is None or value == "" else MASK
