"""What a file looks like, from its first bytes: how its records lie in it, and whether they are this feed's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from pipelines.ingest.content import Content
from pipelines.ingest.descriptions import (
    Column,
    FeedDescription,
    load_descriptions,
    match_headings,
    normal_heading,
)
from pipelines.ingest.json_text import BOM, find_array, values
from pipelines.ingest.outcome import NotThisFeed

Feeds = Mapping[tuple[str, str], FeedDescription]

_SAMPLE = 50
_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_DELIMITERS = (",", ";", "\t")
# A file is said to look like a feed when all it requires is there, and so many of its fields, or when it requires
# so many that this can't be chance.
_LEAST_RESEMBLANCE = 0.25
_TELLING_FIELDS = 3
_HEADING = re.compile(r"[\w .,:#/()&'?%+@-]{1,60}")
_MOST_HEADINGS_SHOWN = 40


@dataclass(frozen=True)
class JsonLayout:
    """How records lie in a JSON file.

    `lines`: one per line. `array`: one list of them, whose content begins at byte `start` after `prefix`; within an
    object when `wrapper` names the key. `sequence`: objects one after the other, each over several lines.
    """

    form: Literal["lines", "array", "sequence"]
    start: int = 0
    prefix: bytes = b""
    wrapper: str | None = None


@dataclass(frozen=True)
class CsvLayout:
    """A CSV file's first record, what ends it, and the byte `start` where the first data row begins."""

    delimiter: str
    headings: tuple[str, ...]
    line_end: str
    start: int


def refuse_foreign_text(content: Content) -> None:
    """Raises NotThisFeed for text that is not UTF-8 from its first bytes on."""
    head = content.head[:64]
    looks_wide = len(head) >= 8 and (head[0::2].count(0) * 2 >= len(head) - 2 or head[1::2].count(0) * 2 >= len(head) - 2)
    if head.startswith(_UTF_16_OR_32) or looks_wide:
        raise NotThisFeed("expected UTF-8, found UTF-16 or UTF-32, which is not handled: save it as UTF-8")


def is_json(content: Content, feed: FeedDescription) -> bool:
    """Whether this file is to be read as JSON: a feed may come as JSON and as CSV."""
    if len(feed.shapes) == 1:
        return feed.shapes == ("json",)
    head = content.head.removeprefix(BOM).lstrip()
    return head[:1] in (b"{", b"[") or (not _csv_fit(content) and re.search(rb"\n\s*\{", head) is not None)


def json_layout(content: Content, feed: FeedDescription) -> JsonLayout:
    """How this file's records lie. Raises NotThisFeed when they are another feed's, or no JSON."""
    refuse_foreign_text(content)
    head = content.head.removeprefix(BOM)
    offset = len(content.head) - len(head)
    ended = head.split(b"\n") if content.is_whole_in_head else head.split(b"\n")[:-1]
    written_on = [line for line in islice(ended, 4 * _SAMPLE) if line.strip()]
    objects = [value for line in written_on if isinstance(value := _parsed(line), dict)]
    layout = _layout(head, offset, objects, written_on, content, feed)
    if layout is None:
        raise NotThisFeed(_no_json(content, feed))
    sample = objects if layout.form == "lines" else _sampled(content, layout)
    _refuse_other_feed(sample, feed)
    return layout


def _layout(
    head: bytes,
    offset: int,
    objects: Sequence[dict[str, Any]],
    written_on: Sequence[bytes],
    content: Content,
    feed: FeedDescription,
) -> JsonLayout | None:
    body = head.lstrip()
    begin = offset + len(head) - len(body)
    if objects:
        is_one_object = content.is_whole_in_head and len(written_on) == 1
        if is_one_object and any(isinstance(objects[0].get(key), list) for key in feed.wrappers):
            return _wrapped(body, begin, feed)
        # A line that is an object by itself is a record; in an array each but the last has a comma after it.
        if 2 * len(objects) >= len(written_on):
            return JsonLayout("lines")
    if body.startswith(b"["):
        return JsonLayout("array", start=begin + 1, prefix=b"[")
    if body.startswith(b"{"):
        return _wrapped(body, begin, feed) or JsonLayout("sequence" if b"\n" in body else "lines")
    return JsonLayout("lines") if re.search(rb"(?:^|\n)\s*\{", head) else None


def _wrapped(body: bytes, begin: int, feed: FeedDescription) -> JsonLayout | None:
    found = find_array(body, feed.wrappers)
    if found is None:
        return None
    key, inside = found
    return JsonLayout("array", start=begin + inside, prefix=body[:inside], wrapper=key)


def _sampled(content: Content, layout: JsonLayout) -> list[dict[str, Any]]:
    head = content.head[layout.start :]
    if layout.form == "sequence":
        head = head.removeprefix(BOM)
    found = values([head], layout.start, in_array=layout.form == "array")
    parsed = (_parsed(text.content) for text in islice(found, _SAMPLE) if text.content is not None)
    return [value for value in parsed if isinstance(value, dict)]


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _refuse_other_feed(sample: Sequence[dict[str, Any]], feed: FeedDescription) -> None:
    if not sample or any(_fits(record, feed) for record in sample):
        return
    other = _best_json_fit(_unwrapped(sample), load_descriptions())
    if other is not None:
        raise NotThisFeed(_looks_like(other))


def _unwrapped(sample: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records themselves, where what was found are objects around the records of some feed."""
    wrappers = {wrapper for feed in load_descriptions().values() for wrapper in feed.wrappers}
    inside = [
        record
        for around in sample
        for wrapper in wrappers & around.keys()
        if isinstance(around[wrapper], list)
        for record in around[wrapper][:_SAMPLE]
        if isinstance(record, dict)
    ]
    return inside or list(sample)


def _fits(record: dict[str, Any], feed: FeedDescription) -> bool:
    return all(_has(record, column) for column in feed.required_columns)


def _has(record: Any, column: Column) -> bool:
    return any(_at(record, path) not in (None, "") for path in column.paths)


def _best_json_fit(sample: Sequence[dict[str, Any]], feeds: Feeds) -> FeedDescription | None:
    scored = []
    for feed in feeds.values():
        if "json" not in feed.shapes:
            continue
        fitting = sum(_fits(record, feed) for record in sample) / len(sample)
        resemblance = sum(
            sum(_has(record, column) for column in feed.columns) for record in sample
        ) / (len(sample) * len(feed.columns))
        if fitting >= 0.5 and _is_telling(feed, resemblance):
            scored.append((fitting, resemblance, feed.name, feed))
    return max(scored, key=lambda score: score[:3])[3] if scored else None


def _is_telling(feed: FeedDescription, resemblance: float) -> bool:
    return resemblance >= _LEAST_RESEMBLANCE or len(feed.required_columns) >= _TELLING_FIELDS


def _at(record: Any, path: Iterable[str]) -> Any:
    for key in path:
        if key == "$":
            return record
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def _no_json(content: Content, feed: FeedDescription) -> str:
    other = _csv_fit(content)
    if other is not None:
        return _looks_like(other)
    return "expected JSON (lines, an array" + (
        f", or an object with {' or '.join(feed.wrappers)}" if feed.wrappers else ""
    ) + "), found text without any object"


# -- CSV ----------------------------------------------------------------------------------------------------------


def csv_layout(content: Content, feed: FeedDescription) -> tuple[CsvLayout, dict[str, int]]:
    """The file's headings and where each column of the feed stands among them.

    Raises NotThisFeed when the file is another feed's or no CSV, or lacks a heading that every record needs.
    """
    refuse_foreign_text(content)
    layouts = _csv_layouts(content)
    if not layouts:
        raise NotThisFeed(_no_csv(content, "expected CSV with a heading row, found no first row that can be read"))
    matched = [(layout, *match_headings(feed.columns, layout.headings)) for layout in layouts]
    layout, places, twice = max(matched, key=lambda match: (len(match[1]), len(match[0].headings)))
    missing = [[column.name] for column in feed.required_columns if column.name not in places]
    if feed.needs_a_heading_of and not any(column in places for column in feed.needs_a_heading_of):
        missing.append(list(feed.needs_a_heading_of))
    if missing:
        raise NotThisFeed(_no_csv(content, _missing_headings(feed, missing, layout, places)))
    if twice:
        raise NotThisFeed(
            f"expected each heading once, found {', '.join(twice)} more than once: remove the one that does not belong"
        )
    return layout, places


def _csv_layouts(content: Content) -> list[CsvLayout]:
    """The first record as each delimiter would split it, unless it is no record at all."""
    from pipelines.ingest.csv_text import first_record

    found = []
    for delimiter in _DELIMITERS:
        record = first_record(content.head, delimiter)
        if record is not None:
            found.append(CsvLayout(delimiter, *record))
    return found


def _no_csv(content: Content, otherwise: str) -> str:
    """The reason for a file that is no CSV of its feed: what it looks like, if anything, else `otherwise`."""
    head = content.head.removeprefix(BOM).lstrip()
    if head[:1] in (b"{", b"["):
        sample = _any_objects(head)
        other = _best_json_fit(sample, load_descriptions()) if sample else None
        return _looks_like(other) if other else "expected CSV with a heading row, found JSON"
    other = _csv_fit(content)
    return _looks_like(other) if other else otherwise


def _any_objects(head: bytes) -> list[dict[str, Any]]:
    found = (_parsed(text.content) for text in islice(values([head]), _SAMPLE) if text.content)
    objects = [value for value in found if isinstance(value, dict)]
    wrappers = {wrapper for feed in load_descriptions().values() for wrapper in feed.wrappers}
    inside = ("", 1) if head.startswith(b"[") else find_array(head, sorted(wrappers))
    if inside is None:
        return objects
    texts = values([head[inside[1] :]], in_array=True)
    listed = (_parsed(text.content) for text in islice(texts, _SAMPLE) if text.content)
    return [value for value in listed if isinstance(value, dict)] or objects


def _csv_fit(content: Content) -> FeedDescription | None:
    """The CSV feed whose required headings are all there, the one with most of its columns among them."""
    scored = []
    for layout in _csv_layouts(content):
        for feed in load_descriptions().values():
            if "csv" not in feed.shapes:
                continue
            places, _ = match_headings(feed.columns, layout.headings)
            resemblance = len(places) / len(feed.columns)
            if all(column.name in places for column in feed.required_columns) and _is_telling(feed, resemblance):
                scored.append((len(places), resemblance, feed.name, feed))
    return max(scored, key=lambda score: score[:3])[3] if scored else None


def _missing_headings(
    feed: FeedDescription, missing: Sequence[Sequence[str]], layout: CsvLayout, places: Mapping[str, int]
) -> str:
    parts = []
    for names in missing:
        headings = [heading for name in names for heading in feed.column(name).headings]
        wanted = ", ".join(f'"{heading}"' for heading in headings)
        parts.append(f"no heading for {' or '.join(names)}, looked for {wanted}")
    return (
        f"{'; '.join(parts)}; found {_shown_headings(feed, layout.headings, places)}; "
        f"if the source renamed it, add the new heading to {feed.file}"
    )


def _shown_headings(feed: FeedDescription, headings: Sequence[str], places: Mapping[str, int]) -> str:
    # The first line of a file that is no such export may hold anything, secrets too: of a masked feed it is shown
    # only when it is known to be a heading row.
    known = {
        normal_heading(heading)
        for other in load_descriptions().values()
        for column in other.columns
        for heading in column.headings
    }
    may_show = not feed.masked or len(places) >= 3
    shown = [
        f'"{heading.strip()}"'
        for heading in headings[:_MOST_HEADINGS_SHOWN]
        if (may_show and _HEADING.fullmatch(heading.strip())) or normal_heading(heading) in known
    ]
    hidden = len(headings) - len(shown)
    if not shown:
        return "a first row without any known heading"
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")


def _looks_like(other: FeedDescription) -> str:
    return f"this looks like {other.name}: move it to landing/{other.name}/"
