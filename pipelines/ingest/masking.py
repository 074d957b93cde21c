"""What of a record may be shown: of vault and IAM feeds the named fields only, everything else masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.ingest.descriptions import Column, FeedDescription, match_headings

MASK = "***"

_DIGITS = re.compile(r"[0-9]{1,18}")


def shown(description: FeedDescription, record: Any) -> Any:
    """The record as it may be printed: the same keys, with MASK for each value that the description does not name.

    `record` is what the vendor wrote, parsed: any JSON value, or heading -> text for CSV. It is not changed. Feeds
    that are not masked are shown whole.
    """
    if not description.masked:
        return record
    if not isinstance(record, Mapping):
        return _masked(record)
    if description.shape == "csv":
        return _shown_row(description, record)
    named: dict[str, Any] = {}
    for column in description.columns:
        node = named
        for key in column.path[:-1]:
            node = node.setdefault(key, {})
        node[column.path[-1]] = column
    return _shown_object(named, record)


def _shown_row(description: FeedDescription, record: Mapping[str, Any]) -> dict[str, Any]:
    headings = [str(heading) for heading in record]
    places, _ = match_headings(description.columns, headings)
    by_place = {place: description.column(name) for name, place in places.items()}
    return {
        heading: _shown_text(by_place[place], value) if place in by_place else _masked(value)
        for place, (heading, value) in enumerate(record.items())
    }


def _shown_object(named: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in record.items():
        below = named.get(key)
        if isinstance(below, Column):
            found[key] = _shown_value(below, value)
        elif isinstance(below, Mapping) and isinstance(value, Mapping):
            found[key] = _shown_object(below, value)
        else:
            found[key] = _masked(value)
    return found


def _shown_value(column: Column, value: Any) -> Any:
    match column.type:
        case "json":
            return value
        case "present":
            # Whether it is there is read, what it says is not.
            return _masked(value)
        case "integer":
            return value if isinstance(value, int) and not isinstance(value, bool) else _masked(value)
        case "integers":
            return [_shown_number(item) for item in value] if isinstance(value, list) else _shown_number(value)
        case "list" if isinstance(value, list):
            return [_shown_fields(column, item) for item in value]
        case "map" if isinstance(value, Mapping):
            return {key: _shown_fields(column, item) for key, item in value.items()}
        case "list" | "map":
            return _masked(value)
    return _shown_text(column, value)


def _shown_number(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_digits = isinstance(value, str) and all(_DIGITS.fullmatch(part) for part in value.split(","))
    return value if is_number or is_digits else _masked(value)


def _shown_fields(column: Column, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _masked(value)
    theirs = set(column.fields.values())
    return {
        key: item if key in theirs and not isinstance(item, Mapping | list) else _masked(item)
        for key, item in value.items()
    }


def _shown_text(column: Column, value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return _masked(value)
    if column.redact is not None and isinstance(value, str):
        return re.sub(column.redact.pattern, MASK, value)
    return value


def _masked(value: Any) -> Any:
    """The same structure without any value; what says nothing (null, empty) stays."""
    if isinstance(value, Mapping):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value if value is None or value == "" else MASK
