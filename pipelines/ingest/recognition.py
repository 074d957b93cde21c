"""What a file looks like, from its first bytes: how its records lie in it, and whether they are this feed's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean as mean
from typing import Any

from pipelines.evidence.cells import cells_with_json, cells_with_records
from pipelines.evidence.containers import Layout, Signs, at, first_records, is_json, layout
from pipelines.evidence.csv_text import DELIMITERS, first_record
from pipelines.evidence.json_text import BOM
from pipelines.ingest.content import HEAD, Content, ContentOfCells
from pipelines.ingest.descriptions import (
    FeedDescription,
    load_descriptions,
    match_headings,
    normal_heading,
    written_path,
)
from pipelines.ingest.outcome import NotThisFeed

_SAMPLE = 50
_UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# A CSV file is said to look like a feed when all it requires is there, and so many of its columns, or when it requires
# so many that this can't be chance.
_LEAST_RESEMBLANCE = 0.25
_TELLING_FIELDS = 3
# Records with less of the fields of a feed that requires but one may be those of another feed.
_CLEAR_RESEMBLANCE = 0.5
_OTHER_FORMATS = {
    rb"<[!?A-Za-z]": "XML or HTML",
    rb"PK\x03\x04": "a ZIP archive, such as an .xlsx workbook",
    rb"\xd0\xcf\x11\xe0": "an .xls workbook",
    rb"%PDF": "a PDF",
}
# So much of a file is looked at to see whether it fits another feed better, where it fits its own.
_ENOUGH_TO_COMPARE = 16 << 10
# So many records are searched for a key of which a file needs one.
_MOST_LOOKED_AT = 10_000
_HEADING = re.compile(r"[\w .,:#/()&'?%+@-]{1,60}")
_MOST_HEADINGS_SHOWN = 40


@dataclass(frozen=True)
class CsvLayout:
    """A CSV file's first record, what ends it, and the byte `start` where the first data row begins."""

    delimiter: str
    headings: tuple[str, ...]
    line_end: str
    start: int


def refuse_foreign_text(content: Content) -> None:
    """Raises NotThisFeed for text that is neither UTF-8 nor UTF-16 with its mark, from its first bytes on."""
    head = content.head[:64]
    looks_wide = len(head) >= 8 and (head[0::2].count(0) * 2 >= len(head) - 2 or head[1::2].count(0) * 2 >= len(head) - 2)
    if head.startswith(_UTF_16_OR_32) or looks_wide:
        raise NotThisFeed(
            "expected UTF-8, or UTF-16 with its byte order mark, found UTF-16 without one or UTF-32, which is not handled: "
            "save it as UTF-8"
        )


def as_json(content: Content, feed: FeedDescription) -> Content | None:
    """The content as JSON: as it is, or the records that a CSV file has in its cells; None where it is to be read as CSV."""
    cells = feed.signs and cells_with_records(content.head, content.is_whole_in_head, feed.signs)
    if cells is not None:
        return ContentOfCells(content, cells)
    return content if is_json(content.head, feed.shapes) else None


def json_layout(content: Content, feed: FeedDescription) -> Layout:
    """How this file's records lie. Raises NotThisFeed when they are another feed's, or no JSON."""
    refuse_foreign_text(content)
    assert feed.signs is not None
    found = layout(content.head, content.is_whole_in_head, feed.signs)
    if found is None:
        raise NotThisFeed(_no_json(content, feed))
    records = found.sample
    fitting = [record for record in records if feed.is_record(record)]
    if _may_be_anothers(feed, fitting):
        other = json_fit(content, _ENOUGH_TO_COMPARE if fitting else HEAD) or _cells_fit(content)
        if other is not None and other.feed.name != feed.name and _fits_better(other, feed, records, fitting):
            raise NotThisFeed(_looks_like(other))
    if fitting and feed.kind == "snapshot" and feed.needs_a_heading_of:
        _refuse_what_never_says(feed, first_records(found, content.head, _MOST_LOOKED_AT))
    return found


def _may_be_anothers(feed: FeedDescription, fitting: Sequence[Any]) -> bool:
    """Whether no record fits, or none has much of what a feed's records have: an id and a time may be anybody's."""
    assert feed.signs is not None
    if any(map(feed.is_surely_record, fitting)):
        return False
    return not fitting or (
        len(feed.signs.required) < _TELLING_FIELDS and max(_resemblances(feed, fitting)) < _CLEAR_RESEMBLANCE
    )


def _fits_better(other: Fit, feed: FeedDescription, records: Sequence[Any], fitting: Sequence[Any]) -> bool:
    return not fitting or (
        other.share * len(records) >= len(fitting) and 2 * other.resemblance >= 3 * mean(_resemblances(feed, fitting))
    )


def _resemblances(feed: FeedDescription, records: Sequence[Any]) -> list[float]:
    assert feed.signs is not None
    return [feed.signs.resemblance(record) for record in records[:_SAMPLE]]


def _refuse_what_never_says(feed: FeedDescription, records: Sequence[Any]) -> None:
    """Raises NotThisFeed when no record has any of the keys of which a file needs one, whatever their values."""
    columns = [feed.column(name) for name in feed.needs_a_heading_of]
    if not any(_has_key(record, path) for record in records for column in columns for path in column.paths):
        wanted = " or ".join(column.name for column in columns)
        looked_for = ", ".join(f'"{written_path(path)}"' for column in columns for path in column.paths)
        raise NotThisFeed(f"no record has {wanted}, looked for {looked_for}")


def _has_key(record: Any, path: Sequence[str]) -> bool:
    *around, last = path
    inside = at(record, around)
    return isinstance(inside, Mapping) and last in inside


@dataclass(frozen=True)
class Fit:
    """A feed to which a file may belong: which share of the file's first records are its records, with which share of its fields."""

    feed: FeedDescription
    share: float
    resemblance: float


def json_fit(content: Content, enough: int = HEAD) -> Fit | None:
    """The JSON feed whose records most of the file's first records are, however they are wrapped."""
    head = content.head[:enough]
    is_whole = content.is_whole_in_head and len(head) == len(content.head)
    scored = []
    for feed in load_descriptions().values():
        if feed.signs is None or not _has_keys(head, feed.signs):
            continue
        found = layout(head, is_whole, feed.signs)
        if found is None:
            continue
        records = found.sample[:_SAMPLE]
        fitting = [record for record in records if feed.is_record(record)]
        if not fitting or 2 * len(fitting) < len(records):
            continue
        resemblance = mean(_resemblances(feed, fitting))
        if feed.signs.tell(fitting[0]) or resemblance >= _LEAST_RESEMBLANCE:
            scored.append((resemblance, len(feed.signs.required), feed.name, Fit(feed, len(fitting) / len(records), resemblance)))
    return max(scored, key=lambda score: score[:3])[3] if scored else None


def _cells_fit(content: Content) -> Fit | None:
    """The JSON feed whose records the file has in cells of CSV."""
    columns = cells_with_json(content.head, content.is_whole_in_head)
    return next((fit for cells in columns if (fit := json_fit(ContentOfCells(content, cells)))), None)


def _has_keys(head: bytes, signs: Signs) -> bool:
    """Whether the keys of all required fields stand somewhere: far cheaper than looking for the records."""
    return all(any(_key(path[-1]).search(head) for path in paths) for paths in signs.required)


@cache
def _key(key: str) -> re.Pattern[bytes]:
    """A key in quotes, which are escaped where its object is text in another one."""
    return re.compile(b'"' + re.escape(key.encode()) + rb'\\*"')


def _no_json(content: Content, feed: FeedDescription) -> str:
    other = _csv_fit(content) or _cells_fit(content)
    if other is not None:
        return _looks_like(other)
    expected = "JSON (lines, an array" + (f", or an object with {' or '.join(feed.wrappers)}" if feed.wrappers else "") + ")"
    return f"expected {expected}, found {_what_is_no_json(content)}"


def _what_is_no_json(content: Content) -> str:
    if (another := _another_format(content)) is not None:
        return another
    headings = max((csv.headings for csv in _csv_layouts(content)), key=len, default=())
    if len(headings) >= _TELLING_FIELDS and all(_HEADING.fullmatch(heading.strip()) for heading in headings):
        return "what looks like CSV: export it as JSON"
    return "text without any object"


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
    if not _has_one_of(places, feed.needs_a_heading_of):
        missing.append(list(feed.needs_a_heading_of))
    if missing:
        raise NotThisFeed(_no_csv(content, _missing_headings(feed, missing, layout, places)))
    if twice:
        raise NotThisFeed(
            f"expected each heading once, found {', '.join(twice)} more than once: remove the one that does not belong"
        )
    return layout, places


def _has_one_of(places: Mapping[str, int], columns: Sequence[str]) -> bool:
    return not columns or any(column in places for column in columns)


def _csv_layouts(content: Content) -> list[CsvLayout]:
    """The first record as each delimiter would split it, unless it is no record at all."""
    found = []
    for delimiter in DELIMITERS:
        record = first_record(content.head, delimiter)
        if record is not None:
            found.append(CsvLayout(delimiter, *record))
    return found


def _no_csv(content: Content, otherwise: str) -> str:
    """The reason for a file that is no CSV of its feed: what it looks like, if anything, else `otherwise`."""
    if content.head.removeprefix(BOM).lstrip()[:1] in (b"{", b"["):
        other = json_fit(content)
        return _looks_like(other) if other else "expected CSV with a heading row, found JSON"
    if (another := _another_format(content)) is not None:
        return f"expected CSV with a heading row, found {another}: save it as CSV UTF-8"
    other = _csv_fit(content) or _cells_fit(content) or json_fit(content)
    return _looks_like(other) if other else otherwise


def _another_format(content: Content) -> str | None:
    """What people export, too, in place of CSV or JSON."""
    head = content.head.removeprefix(BOM).lstrip()[:8]
    for start, words in _OTHER_FORMATS.items():
        if re.match(start, head):
            return words
    return None


def _csv_fit(content: Content) -> Fit | None:
    """The CSV feed whose required headings are all there, the one with most of its columns among them."""
    scored = []
    for csv in _csv_layouts(content):
        for feed in load_descriptions().values():
            if "csv" not in feed.shapes:
                continue
            places, _ = match_headings(feed.columns, csv.headings)
            resemblance = len(places) / len(feed.columns)
            has_all = all(column.name in places for column in feed.required_columns)
            if has_all and _has_one_of(places, feed.needs_a_heading_of) and _is_telling(feed, resemblance):
                scored.append((len(places), resemblance, feed.name, Fit(feed, 1.0, resemblance)))
    return max(scored, key=lambda score: score[:3])[3] if scored else None


def _is_telling(feed: FeedDescription, resemblance: float) -> bool:
    return resemblance >= _LEAST_RESEMBLANCE or len(feed.required_columns) >= _TELLING_FIELDS


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


def _looks_like(other: Fit) -> str:
    return f"this looks like {other.feed.name}: move it to landing/{other.feed.name}/"
