"""What a feed's exports hold that its description does not know: fields, and words for what happened. Names and counts.

Fields come from a sample (the first records of the newest files), words from every row of the lake.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import UnreadableFile
from pipelines.evidence.containers import layout
from pipelines.home import Home
from pipelines.ingest.content import Content
from pipelines.ingest.descriptions import FeedDescription, match_headings
from pipelines.ingest.lake import SCHEMA
from pipelines.ingest.outcome import NotThisFeed
from pipelines.ingest.recognition import as_json, csv_layout
from pipelines.warehouse import Connection, QueryFailed, in_memory, literal, name

MOST_NAMES = 50
"""So many names are told; the others are only counted."""

_FILES_SAMPLED = 3
# A key or a word that does not look like a name may be data, or a secret: it is counted and not shown.
_FIELD = re.compile(r"[A-Za-z_@$][\w @$.:/-]{0,59}")
_WORD = re.compile(r"[\w .,:;/@$'()&+\u2013\u2014-]{1,100}")
_LONG_RANDOM = re.compile(r"[A-Za-z0-9+/_-]{32,}")


@dataclass(frozen=True)
class Words:
    """The vendor's words in one feed's rows. Of so many records they mean an action of ours (`mapped`), of so many they
    show `use`; `unknown_words` are those without a meaning of their own.
    """

    records: int
    mapped: int
    use: int
    unknown_words: dict[str, int]
    unknown_words_not_shown: int

    @property
    def share(self) -> float | None:
        """The share of records whose word means an action of ours; None without records."""
        return self.mapped / self.records if self.records else None


@dataclass(frozen=True)
class Drift:
    """What was found. `unread_fields` are top-level keys, or headings, with the number of sampled records that have them."""

    sampled_files: int
    sampled_records: int
    unread_fields: dict[str, int]
    unread_fields_not_shown: int
    words: Words | None


def drift_of(home: Home, feed: FeedDescription, files: Sequence[tuple[str, str]]) -> Drift:
    """What `files`, (hash, original name) with the newest last, hold that the description doesn't know."""
    fields: Counter[str] = Counter()
    records = sampled = 0
    for sha256, original_name in reversed(files[-_FILES_SAMPLED:]):
        try:
            found = _sampled_keys(Content(home.original(sha256), original_name), feed)
        except (OSError, UnreadableFile, NotThisFeed):
            continue
        sampled += 1
        records += len(found)
        for keys in found:
            fields.update(keys)
    known, not_shown = _shown(fields, _FIELD)
    connection = in_memory()
    try:
        words = _words(connection, home, feed, [sha256 for sha256, _ in files])
    finally:
        connection.close()
    return Drift(sampled, records, known, not_shown, words)


def _sampled_keys(content: Content, feed: FeedDescription) -> list[set[str]]:
    """Of each sampled record the keys that no path begins with; of a CSV file the headings of no column, once."""
    text = as_json(content, feed)
    if feed.signs is None or text is None:
        csv, places = csv_layout(content, feed)
        read = {csv.headings[place] for place in places.values()}
        synonyms = {
            heading for heading in csv.headings if match_headings(feed.columns, [heading])[0] or heading in read
        }
        return [set(csv.headings) - synonyms]
    found = layout(text.head, text.is_whole_in_head, feed.signs)
    first_keys = {path[0] for column in feed.columns for path in column.paths}
    records = found.sample if found else []
    return [set(record) - first_keys for record in records if isinstance(record, dict) and feed.signs.fit(record)]


def _words(connection: Connection, home: Home, feed: FeedDescription, hashes: Iterable[str]) -> Words | None:
    paths = [path for sha256 in hashes if (path := home.lake_file(feed.system, feed.feed, sha256)).exists()]
    if feed.actions is None or not paths:
        return None
    # First what has every column: a file has those that its records can have.
    tables = [home.lake_folder(feed.system, feed.feed) / SCHEMA, *paths]
    listed = ", ".join(literal(str(path)) for path in tables)
    said = feed.actions.word or name(feed.actions.field)
    try:
        rows = connection.execute(
            f"SELECT min(trim({said})), rtrim(lower(trim({said})), '. ') AS word, count(*) "
            f"FROM read_parquet([{listed}], union_by_name = true) WHERE reject_reason IS NULL GROUP BY word ORDER BY count(*) DESC, word"
        ).fetchall()
    except QueryFailed:
        # Rows of an older description, which the next ingest makes anew.
        return None
    mapped_words = {_compared(word) for word, ours in feed.actions.means.items() if ours}
    use_words = set() if feed.actions.use == "all" else {_compared(word) for word in feed.actions.use}
    mapped = sum(count for _, word, count in rows if word in mapped_words)
    known = mapped_words | use_words
    unknown = Counter({written: count for written, word, count in rows if word is not None and word not in known})
    records = sum(count for _, _, count in rows)
    used = sum(count for _, word, count in rows if word in use_words - mapped_words)
    shown, not_shown = _shown(unknown, _WORD)
    return Words(records, mapped, records - mapped if feed.actions.use == "all" else used, shown, not_shown)


def _compared(word: str) -> str:
    return word.strip().lower().rstrip(". ")


def _shown(counts: Counter[Any], pattern: re.Pattern[str]) -> tuple[dict[str, int], int]:
    """The most frequent names that look like names, and how many others there are."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    names = [(key, count) for key, count in ordered if pattern.fullmatch(key) and not _LONG_RANDOM.search(key)]
    shown = dict(names[:MOST_NAMES])
    return shown, len(ordered) - len(shown)
