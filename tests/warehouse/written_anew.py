"""The records of an export written anew: in another order, on other pages, in other files, envelopes, encodings and packings."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.evidence.containers import Signs
from pipelines.evidence.records import find_records
from pipelines.ingest.descriptions import FeedDescription
from tests.ingest.made_up_records import PACKINGS, line, lines
from tests.ingest.wrappers import ENVELOPES, OF_NO_KNOWN_TOOL, PAGES, TABLES

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")
_MORE_THAN_ANY_EXPORT = 100_000
_MOST_ON_A_PAGE = 5

Draw = random.Random
Write = Callable[[Sequence[Any]], str]
"""Some records as the text of a file."""


@dataclass(frozen=True)
class File:
    """What lands, and how its name ends."""

    ending: str
    content: bytes


@dataclass(frozen=True)
class Export:
    """The records of one export: JSON values, or rows of a table (heading -> text)."""

    feed: FeedDescription
    records: tuple[Any, ...]
    is_table: bool


def read_export(path: Path, feed: FeedDescription) -> Export:
    """Every record of an export, out of whatever is around it."""
    found = find_records(path, path.name, range(1, _MORE_THAN_ANY_EXPORT), feed.signs, feed.shapes)
    records = tuple(found[number] for number in sorted(found))
    is_table = not any((record.text or "").lstrip().startswith(("{", "[")) for record in records)
    return Export(feed, tuple(record.value for record in records), is_table)


def written_anew(export: Export, draw: Draw) -> tuple[str, list[File]]:
    """The same records otherwise, in one file or two: what was done, and the files."""
    records = draw.sample(export.records, len(export.records))
    how, write = _a_table(export, draw) if export.is_table else _json(export, draw)
    encoding, packing = draw.choice(ENCODINGS), draw.choice(sorted(PACKINGS))
    cut = draw.choice([0, draw.randrange(len(records))])
    parts = [part for part in (records[:cut], records[cut:]) if part]
    files = [File(packing, PACKINGS[packing](write(part).encode(encoding))) for part in parts]
    return f"{how}, {encoding}{packing}, {len(parts)} file(s)", files


def _json(export: Export, draw: Draw) -> tuple[str, Write]:
    envelope = draw.choice(_possible(export, ENVELOPES))
    page = draw.choice(_possible(export, {name: _of_one(page) for name, page in PAGES.items() if name not in TABLES}))
    size = draw.randint(1, _MOST_ON_A_PAGE)

    def wrapped(records: Sequence[Any]) -> list[Any]:
        return [ENVELOPES[envelope](record) for record in records]

    def pages(records: Sequence[Any]) -> list[Any]:
        return [PAGES[page](records[at : at + size]) for at in range(0, len(records), size)]

    ways: dict[str, Write] = {
        f"lines in {envelope}": lambda records: lines(*wrapped(records)).decode(),
        f"an array in {envelope}": lambda records: line(wrapped(records)).decode(),
        f"objects in {envelope}": lambda records: "\n".join(json.dumps(each, indent=2) for each in wrapped(records)),
        f"pages of {size} in {page}": lambda records: lines(*pages(records)).decode(),
        f"one page in {page}": lambda records: json.dumps(PAGES[page](records), indent=1),
    }
    return draw.choice(list(ways.items()))


def _of_one(page: Callable[[list[Any]], Any]) -> Callable[[Any], Any]:
    return lambda record: page([record])


def _possible(export: Export, wrappers: Mapping[str, Callable[[Any], Any]]) -> list[str]:
    """Those of these ways to wrap a record in which this feed's records can come and be known."""
    signs = export.feed.signs
    assert signs is not None
    # Under a key of no known tool, only what is certainly a record is taken for one.
    is_certain = all(signs.fit(record) and signs.tell(record) for record in export.records)
    return [
        name
        for name, around in wrappers.items()
        if (is_certain or name not in OF_NO_KNOWN_TOOL)
        and not any(_is_a_record_itself(around(record), record, signs) for record in export.records)
    ]


def _is_a_record_itself(wrapped: Any, record: Any, signs: Signs) -> bool:
    """Whether a wrapper has all that the feed requires: the vendor writes records like that, with values of its own."""
    if isinstance(wrapped, list):
        return any(_is_a_record_itself(each, record, signs) for each in wrapped)
    if wrapped is record or not isinstance(wrapped, dict):
        return False
    return signs.fit(wrapped) or any(_is_a_record_itself(part, record, signs) for part in wrapped.values())


def _a_table(export: Export, draw: Draw) -> tuple[str, Write]:
    headings = draw.sample(list(export.records[0]), len(export.records[0]))
    delimiter, end = draw.choice(",;\t"), draw.choice(["\n", "\r\n"])
    quoting = draw.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])

    def write(rows: Sequence[Any]) -> str:
        text = io.StringIO()
        table = csv.DictWriter(text, headings, delimiter=delimiter, lineterminator=end, quoting=quoting)
        table.writeheader()
        table.writerows(rows)
        return text.getvalue()

    return f"columns {', '.join(headings[:3])} ... by {delimiter!r}, lines by {end!r}", write
