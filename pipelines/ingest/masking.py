"""What of a record may be shown: of vault and IAM feeds the named fields only, everything else masked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.ingest.descriptions import Column, FeedDescription, ItemField, KeyPath, match_headings

MASK = "***"

# Not a key that a record can have.
_HERE = object()
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
    named: dict[str, Any] = {}
    for column in description.columns:
        for path in column.paths:
            _note(named, path, column)
    if "json" not in description.shapes or not any(key in named for key in record):
        return _shown_row(description, record)
    return _shown_object(named, record)


def _note(named: dict[str, Any], path: KeyPath, what: Any) -> None:
    """Note at the end of a path what is named there; a path may run through another's end."""
    node = named
    for key in path[:-1]:
        node = node.setdefault(key, {})
    node.setdefault(path[-1], {}).setdefault(_HERE, []).append(what)


def _shown_row(description: FeedDescription, record: Mapping[str, Any]) -> dict[str, Any]:
    headings = [str(heading) for heading in record]
    places, _ = match_headings(description.columns, headings)
    by_place = {place: description.column(name) for name, place in places.items()}
    return {
        heading: _shown_text(by_place[place], value) if place in by_place else _masked(value)
        for place, (heading, value) in enumerate(record.items())
    }


def _shown_object(named: Mapping[Any, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _shown_part(named.get(key, {}), value) for key, value in record.items()}


def _shown_part(named: Mapping[Any, Any], value: Any) -> Any:
    """What stands under a key, as far as any of the columns that begin or run through there name it."""
    inside = _inside(value)
    if isinstance(value, str) and isinstance(inside, Mapping | list) and (len(named) > 1 or _HERE not in named):
        # A text that is JSON is masked inside, and stays a text.
        return json.dumps(_shown_part(named, inside), ensure_ascii=False) if named else MASK
    columns = named.get(_HERE, [])
    for column in columns:
        shown = _shown_value(column, value)
        if shown != _masked(value):
            return shown
    if isinstance(value, Mapping):
        return _shown_object(named, value)
    return _masked(value)


def _inside(value: Any) -> Any:
    """What a text holds where it is a JSON object or list, else None."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


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
        case "list" | "map":
            return _shown_items(column.fields, column.type, value)
    return _shown_text(column, value)


def _shown_items(fields: Mapping[str, ItemField], kind: str, value: Any) -> Any:
    inside = _inside(value)
    if inside is not None:
        return json.dumps(_shown_items(fields, kind, inside), ensure_ascii=False)
    if kind == "list" and isinstance(value, list):
        return [_shown_fields(fields, item) for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _shown_fields(fields, item) for key, item in value.items()}
    return _masked(value)


def _shown_number(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_digits = isinstance(value, str) and all(_DIGITS.fullmatch(part) for part in value.split(","))
    return value if is_number or is_digits else _masked(value)


def _shown_fields(fields: Mapping[str, ItemField], value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _masked(value)
    named: dict[str, Any] = {}
    for field in fields.values():
        for path in field.paths:
            _note(named, path, field)
    return {key: _shown_field(named.get(key, {}), item) for key, item in value.items()}


def _shown_field(named: Mapping[Any, Any], value: Any) -> Any:
    for field in named.get(_HERE, []):
        if field.is_json:
            return value
        if field.fields and (isinstance(value, list) or isinstance(_inside(value), list)):
            return _shown_items(field.fields, "list", value)
        if not field.fields and not isinstance(value, Mapping | list) and _inside(value) is None:
            return value
    if isinstance(value, Mapping):
        return {key: _shown_field(named.get(key, {}), item) for key, item in value.items()}
    return _masked(value)


def _shown_text(column: Column, value: Any) -> Any:
    if isinstance(value, Mapping | list) or _inside(value) is not None:
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
