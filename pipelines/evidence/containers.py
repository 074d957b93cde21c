"""How records lie in a JSON export: lines, arrays, pages, and envelopes that some tool put around each.

One account for reading and for finding a record again, so that their numbers agree. What a record looks like comes
from the feed's description (`Signs`); how this file wraps it is found in the file's head (`Unwrapping`).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from pipelines.evidence.json_text import BOM, DECODER, arrays_within, begun, past_space, values

KeyPath = tuple[str, ...]
"""Keys from a record downwards."""

Form = Literal["lines", "array", "sequence"]

MOST_LEVELS = 5
"""So many containers within each other are opened; what lies deeper is taken as it is."""

# Under these, tools put arrays of any vendor's records.
_USUAL_WRAPPERS = (
    "Records", "records", "value", "values", "items", "Items", "entries", "Entries", "results", "result", "data", "Data",
    "events", "Events", "logEvents", "tables", "logs", "list", "hits", "rows", "Resources", "resources", "Report_Entry",
)  # fmt: skip
# Under these, tools put one record of any vendor, as an object or as JSON text.
_USUAL_ENVELOPES = (
    "detail", "event", "_source", "_raw", "raw", "Raw", "RawData", "rawData", "raw_event", "RawEvent", "message", "Message",
    "@message", "msg", "CloudTrailEvent", "record", "Record", "data", "Data", "_airbyte_data", "properties", "Properties",
    "log", "Log", "log_s", "response", "Response", "result", "payload", "Payload", "body", "Body", "jsonPayload",
    "json_payload", "textPayload", "original", "hits", "content", "fields", "entry", "object", "eventData", "event_data",
)  # fmt: skip

_SAMPLE = 100
_ELEMENTS_LOOKED_AT = 20
# A record is known among strange keys when all it requires is there, and so many of its fields, or when it requires
# so many that this can't be chance.
_LEAST_RESEMBLANCE = 0.25
_TELLING_FIELDS = 3


@dataclass(frozen=True)
class Signs:
    """By what a feed's records are known: for each required field, and for each named one, the paths where it may lie.

    `wrappers` are keys under which the feed's tools put arrays of records, `envelopes` paths under which one lies.
    """

    required: tuple[tuple[KeyPath, ...], ...]
    named: tuple[tuple[KeyPath, ...], ...]
    wrappers: tuple[str, ...] = ()
    envelopes: tuple[KeyPath, ...] = ()

    def fit(self, value: Any) -> bool:
        """Whether a value is an object in which every required field has a value."""
        return isinstance(value, dict) and all(_has(value, paths) for paths in self.required)

    def tell(self, value: Any) -> bool:
        """Whether a value that fits does so by more than chance."""
        return len(self.required) >= _TELLING_FIELDS or self.resemblance(value) >= _LEAST_RESEMBLANCE

    def resemblance(self, value: Any) -> float:
        """The share of the named fields that a value has."""
        return sum(_has(value, paths) for paths in self.named) / max(1, len(self.named))


@dataclass(frozen=True)
class Unwrapping:
    """How records are taken out of what a file puts around them.

    `envelopes` are opened whenever they are there, the usual ones only when a record lies right inside.
    """

    signs: Signs
    wrappers: tuple[str, ...] = ()
    envelopes: tuple[KeyPath, ...] = ()

    @cached_property
    def other_envelopes(self) -> tuple[KeyPath, ...]:
        """Envelopes that may be there although the head has none."""
        return tuple((key,) for key in _USUAL_ENVELOPES if (key,) not in self.envelopes)

    def records(self, value: Any, level: int = 0) -> Iterator[Any]:
        """The records within a value, in its order; what holds none is one unusable record itself.

        `level` is 0 for a file's own values and 1 for the elements of its array. A list without objects is no page,
        unless it is one of the file's own values and empty.
        """
        if level >= MOST_LEVELS or self.signs.fit(value):
            yield value
        elif (paired := of_pairs(value)) is not None:
            yield from self.records(paired, level + 1)
        elif isinstance(value, list) and (any(isinstance(each, dict) for each in value) or (level == 0 and not value)):
            for element in value:
                yield from self.records(element, level + 1)
        elif (table := of_table(value)) is not None:
            for row in table:
                yield from self.records(row, level + 1)
        elif arrays := self.arrays_of(value):
            for array in arrays:
                for element in array:
                    yield from self.records(element, level + 1)
        elif (inside := self._inside(value)) is not None:
            yield from self.records(inside, level + 1)
        else:
            yield value

    def arrays_of(self, value: Any) -> list[list[Any]]:
        """The arrays of a page."""
        if not isinstance(value, dict) or of_table(value) is not None:
            return []
        return [part for key, part in value.items() if key in self.wrappers and isinstance(part, list)]

    def _inside(self, value: Any) -> Any:
        for path in self.envelopes:
            if (inside := opened(at(value, path))) is not None:
                return inside
        for path in self.other_envelopes:
            if self.signs.fit(inside := opened(at(value, path))):
                return inside
        return None


@dataclass(frozen=True)
class Layout:
    """How the values of a JSON file lie in it, and the records in them.

    `lines`: one value per line. `array`: the elements of one list, whose content begins at byte `start` after
    `prefix`; within an object when `wrapper` names the key. `sequence`: values one after the other.
    In the file's head, each value is a record (`is_plain`), or some are pages of records.
    """

    @property
    def level(self) -> int:
        """How many containers are around each value."""
        return 1 if self.form == "array" else 0

    form: Form
    unwrapping: Unwrapping
    is_plain: bool
    has_pages: bool = False
    start: int = 0
    prefix: bytes = b""
    wrapper: str | None = None
    sampled: Sequence[Any] = field(default=(), compare=False, repr=False)
    """The first values in the head."""

    @property
    def sample(self) -> list[Any]:
        """The first records of the file."""
        return self.first_of(self.sampled, _SAMPLE)

    def first_of(self, values: Iterable[Any], most: int) -> list[Any]:
        """The first records in values of the file, `most` at the most."""
        return list(islice((each for value in values for each in self.unwrapping.records(value, self.level)), most))


def of_pairs(value: Any) -> dict[str, Any] | None:
    """What a list of `{"field": ..., "value": ...}` says, as one object: so CloudWatch Logs Insights answers."""
    if not isinstance(value, list) or not value or not all(_is_pair(each) for each in value):
        return None
    # Of two for one field, the first counts.
    return {each["field"]: each["value"] for each in reversed(value)}


def of_table(value: Any) -> list[Any] | None:
    """The rows of `{"columns": [{"name": ...}, ...], "rows": [[...], ...]}` as objects: so workspaces' APIs answer.

    A row with more or fewer cells than there are columns stays as it is.
    """
    if not isinstance(value, dict):
        return None
    columns, rows = value.get("columns"), value.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not columns:
        return None
    names = [column["name"] for column in columns if isinstance(column, dict) and isinstance(column.get("name"), str)]
    if len(names) < len(columns) or not all(isinstance(row, list) for row in rows):
        return None
    # Of two columns with one name, the first counts.
    return [dict(reversed(list(zip(names, row, strict=True)))) if len(row) == len(names) else row for row in rows]


def _is_pair(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"field", "value"} and isinstance(value["field"], str)


def at(value: Any, path: Iterable[str]) -> Any:
    """What lies at a path, None where nothing does."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def opened(value: Any) -> Any:
    """An object, or what a text holds where it is JSON with an object or list, or ends in an object; else None."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        return None
    begin = value.lstrip()[:1]
    inside = _parsed(value) if begin in ("{", "[") else None
    if inside is None and (place := value.find("{")) > 0:
        inside = _parsed(value[place:])
    return inside if isinstance(inside, dict | list) else None


def json_on(line: bytes) -> bytes | None:
    """The JSON of a line that has something else before it, as syslog has; None where there is none."""
    begin = line.find(b"{")
    tries = 0
    while begin > 0 and tries < 4:
        if isinstance(_parsed(line[begin:]), dict):
            return line[begin:]
        begin = line.find(b"{", begin + 1)
        tries += 1
    return None


def layout(head: bytes, is_whole: bool, signs: Signs) -> Layout | None:
    """How a file that begins with `head` (and ends with it where `is_whole`) is laid out; None for no JSON."""
    body = head.removeprefix(BOM)
    offset = len(head) - len(body)
    ended = body.split(b"\n") if is_whole else body.split(b"\n")[:-1]
    written_on = list(islice((line for line in ended if line.strip()), 4 * _SAMPLE))
    text = body.lstrip()
    is_one_line = is_whole and len(written_on) == 1
    is_one_document = is_one_line and text[:1] in (b"{", b"[")
    found = [] if is_one_document else [v for line in written_on if isinstance(v := on_line(line), dict | list)]
    # A line that is JSON by itself is a value; in an array each but the last has a comma after it.
    if found and not is_one_line and 2 * len(found) >= len(written_on):
        return _layout("lines", found[:_SAMPLE], signs)
    begin = offset + len(body) - len(text)
    if text.startswith(b"["):
        return _layout("array", _elements(text[1:]), signs, start=begin + 1, prefix=b"[")
    if text.startswith(b"{"):
        document = _parsed(text) if is_whole else None
        if isinstance(document, dict):
            return _of_object(document, text, begin, signs)
        return _of_long_object(text, begin, signs)
    if found or re.search(rb"(?:^|\n)\s*\{", body):
        return _layout("lines", found[:_SAMPLE], signs)
    return None


def _layout(form: Form, sampled: Sequence[Any], signs: Signs, wrappers: Iterable[str] = (), **place: Any) -> Layout:
    found = _unwrapping(sampled, signs)
    unwrapping = replace(found, wrappers=tuple(dict.fromkeys([*found.wrappers, *wrappers])))
    level = 1 if form == "array" else 0
    is_plain = all(next(unwrapping.records(value, level), None) is value for value in sampled)
    has_pages = any(unwrapping.arrays_of(value) for value in sampled if not signs.fit(value))
    return Layout(form, unwrapping, is_plain, has_pages, sampled=sampled, **place)


def _of_object(document: dict[str, Any], text: bytes, begin: int, signs: Signs) -> Layout:
    whole = _layout("sequence", [document], signs)
    wrappers = whole.unwrapping.wrappers
    arrays = [key for key, part in document.items() if key in wrappers and isinstance(part, list)]
    if len(arrays) != 1 or signs.fit(document):
        return whole
    [key] = arrays
    inside = next((place for each, place in arrays_within(text) if each == key), None)
    if inside is None:
        return whole
    place: dict[str, Any] = {"start": begin + inside, "prefix": text[:inside], "wrapper": key}
    return _layout("array", document[key][:_SAMPLE], signs, wrappers, **place)


def _of_long_object(text: bytes, begin: int, signs: Signs) -> Layout:
    """An object that goes on beyond the head, or several, or one that is damaged."""
    best: tuple[str, int, list[Any]] | None = None
    for key, inside in arrays_within(text):
        elements = _elements(text[inside:])
        is_known = key in signs.wrappers or key in _USUAL_WRAPPERS
        if any(_discovered(each, signs, _Found(), is_known) for each in elements):
            best = key, inside, elements
            break
        if key in signs.wrappers and best is None:
            best = key, inside, elements
    if best is None:
        return _layout("sequence", [value for value in _values(text) if isinstance(value, dict | list)], signs)
    key, inside, elements = best
    return _layout("array", elements, signs, [key], start=begin + inside, prefix=text[:inside], wrapper=key)


def on_line(line: bytes) -> Any:
    """The JSON object or list on a line, with or without something before it; None, or a scalar, where there is none."""
    if line.lstrip().startswith((b"{", b"[")):
        return _parsed(line)
    return _parsed(found) if (found := json_on(line)) is not None else None


def _elements(content: bytes, most: int = _SAMPLE) -> list[Any]:
    """The first elements of an array whose opening bracket lies just before; of one longer than the head, what it has."""
    found = list(islice(_valid_elements(content), most))
    if found:
        return found
    # The first is damaged, or goes on beyond the head.
    texts = values([content], in_array=True)
    found = [_parsed(text.content) for text in islice(texts, most) if text.content is not None]
    if found and all(element is None for element in found):
        found = _parsed(begun(b"[" + content)) or found
    return found


def _valid_elements(content: bytes) -> Iterator[Any]:
    """The elements before the first that is damaged or cut."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content)
        place = past_space(text, 0)
        while True:
            value, place = DECODER.raw_decode(text, place)
            place = past_space(text, place)
            yield value
            if text[place : place + 1] != ",":
                return
            place = past_space(text, place + 1)
    except (ValueError, RecursionError):
        return


def _values(content: bytes, most: int = _SAMPLE) -> list[Any]:
    """The first values of a sequence; of one longer than the head, what it has."""
    found = [_parsed(text.content) for text in islice(values([content]), most) if text.content is not None]
    if found and all(value is None for value in found):
        found = [_parsed(begun(content))]
    return found


def first_records(layout: Layout, head: bytes, most: int) -> list[Any]:
    """The first records of a file with this head, `most` at the most: for whom those of its layout are too few."""
    if layout.form == "lines":
        found = [on_line(line) for line in islice(head.removeprefix(BOM).split(b"\n"), 4 * most) if line.strip()]
    elif layout.form == "array":
        found = _elements(head[layout.start :], most)
    else:
        found = _values(head.removeprefix(BOM), most)
    return layout.first_of(found, most)


def is_json(head: bytes, shapes: Sequence[str]) -> bool:
    """Whether a file that begins with `head` is to be read as JSON, where its feed may come in these shapes."""
    if len(shapes) == 1:
        return shapes[0] == "json"
    body = head.removeprefix(BOM).lstrip()
    if body[:1] in (b"{", b"["):
        return True
    written_on = [line for line in body[: 1 << 16].split(b"\n")[:_SAMPLE] if line.strip()]
    return 2 * sum(isinstance(on_line(line), dict) for line in written_on) > len(written_on)


# -- what is around a record ------------------------------------------------------------------------------------------


@dataclass
class _Found:
    wrappers: dict[str, None] = field(default_factory=dict)
    envelopes: dict[KeyPath, None] = field(default_factory=dict)


def _unwrapping(sampled: Sequence[Any], signs: Signs) -> Unwrapping:
    found = _Found(dict.fromkeys(signs.wrappers), dict.fromkeys(signs.envelopes))
    for value in sampled:
        _discovered(value, signs, found, True)
    return Unwrapping(signs, tuple(found.wrappers), tuple(found.envelopes))


def _discovered(value: Any, signs: Signs, found: _Found, is_known: bool, level: int = 0) -> bool:
    """Whether a record lies within a value; notes the way to it. Under a strange key it must be known for certain."""
    if signs.fit(value):
        return is_known or signs.tell(value)
    if level >= MOST_LEVELS:
        return False
    if (paired := of_pairs(value)) is not None:
        return _discovered(paired, signs, found, is_known, level + 1)
    if isinstance(value, list):
        return any(
            [_discovered(each, signs, found, is_known, level + 1) for each in value[:_ELEMENTS_LOOKED_AT]]
        )
    if not isinstance(value, dict):
        return False
    if (table := of_table(value)) is not None:
        return any([_discovered(row, signs, found, is_known, level + 1) for row in table[:_ELEMENTS_LOOKED_AT]])
    is_page = False
    for key, part in value.items():
        if isinstance(part, list) and part:
            known = is_known and (key in signs.wrappers or key in _USUAL_WRAPPERS)
            inner = _Found()
            if _discovered(part, signs, inner, known, level):
                is_page = True
                found.wrappers |= {key: None} | inner.wrappers
                found.envelopes |= inner.envelopes
    return is_page or _discovered_inside(value, signs, found, is_known, level)


def _discovered_inside(value: dict[str, Any], signs: Signs, found: _Found, is_known: bool, level: int) -> bool:
    usual = [path for path in (*signs.envelopes, *((key,) for key in _USUAL_ENVELOPES)) if at(value, path) is not None]
    for path in dict.fromkeys([*usual, *((key,) for key in value)]):
        inside = opened(at(value, path))
        inner = _Found()
        if inside is not None and _discovered(inside, signs, inner, is_known and path in usual, level + 1):
            found.wrappers |= inner.wrappers
            found.envelopes |= {path: None} | inner.envelopes
            return True
    return False


def _has(value: Any, paths: Iterable[KeyPath]) -> bool:
    return any(at(value, path) not in (None, "") for path in paths)


def _parsed(text: bytes | str) -> Any:
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


NO_SIGNS = Signs(required=((("",),),), named=(), wrappers=_USUAL_WRAPPERS)
"""Of a feed that nothing is known about: an array under a usual key holds its records, and nothing is opened."""
