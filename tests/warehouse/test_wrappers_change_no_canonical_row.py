"""A record means the same in whatever order, page, file, envelope, encoding and packing it comes: its canonical rows stay."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.evidence.originals import sha256_of
from pipelines.home import Home
from pipelines.ingest.descriptions import load_descriptions
from pipelines.warehouse import open_read_only
from tests.warehouse.staged_samples import SAMPLES, stage_landed
from tests.warehouse.written_anew import Draw, File, read_export, written_anew

ALL_SAMPLES = sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*/*"))
DRAWN = 3
"""In so many ways each sample is written anew."""
AS_IT_IS = "as it is"
COLLECTED_AT = 1_780_000_000

PER_FILE = ("_usage", "_presence", "stg_gcp__account_snapshots")
"""Models (or how their names end) with one row per file and subject: that it is there, or when first and last. Where the
same records come in two files, these rows are taken together before they are compared."""

Way = str
CanonicalRow = tuple[Any, ...]
"""The staging model and its values, without where the record stands."""


@dataclass(frozen=True)
class Landed:
    """A sample in one way, and the hashes of the files in which it came."""

    sample: str
    way: Way
    hashes: frozenset[str]


@dataclass(frozen=True)
class Staged:
    """The canonical rows of each sample in each way."""

    rows: Mapping[str, Mapping[Way, Counter[CanonicalRow]]]


def stage_written_anew(home: Home, folder: Path, samples: Sequence[str], drawn: int, seed: str = "") -> Staged:
    """Land each of these exports (`system/feed/file`) as it is and written anew, and stage all of them at once."""
    landed = [each for sample in samples for each in _land(home, folder, sample, drawn, seed)]
    stage_landed(home, sorted({sample.split("/")[0] for sample in samples}))
    rows: dict[str, dict[Way, Counter[CanonicalRow]]] = {sample: {} for sample in samples}
    for each in landed:
        rows[each.sample][each.way] = Counter()
    for each, row in _staging_rows(home, landed):
        rows[each.sample][each.way][row] += 1
    return Staged(rows)


def _land(home: Home, folder: Path, sample: str, drawn: int, seed: str) -> Iterator[Landed]:
    system, feed, file_name = sample.split("/")
    export = read_export(folder / sample, load_descriptions()[system, feed])
    ways = {AS_IT_IS: [File("".join(Path(file_name).suffixes), (folder / sample).read_bytes())]}
    for number in range(drawn):
        how, files = written_anew(export, Draw(f"{sample} {number}{seed}"))
        ways[f"{number}: {how}"] = files
    target = home.landing / system / feed
    target.mkdir(parents=True, exist_ok=True)
    for number, (way, files) in enumerate(ways.items()):
        paths = [target / f"{file_name.removesuffix('.gz')}-{number}-{part}{file.ending}" for part, file in enumerate(files)]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.content)
            os.utime(path, (COLLECTED_AT, COLLECTED_AT))
        yield Landed(sample, way, frozenset(map(sha256_of, paths)))


def _staging_rows(home: Home, landed: Sequence[Landed]) -> Iterator[tuple[Landed, CanonicalRow]]:
    with open_read_only(home.build_database) as connection:
        connection.execute("CREATE TEMP TABLE landed (place BIGINT, source_feed VARCHAR, sha256 VARCHAR)")
        connection.executemany(
            "INSERT INTO landed VALUES (?, ?, ?)",
            [(place, each.sample.split("/")[1], sha256) for place, each in enumerate(landed) for sha256 in sorted(each.hashes)],
        )
        models = connection.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            "WHERE table_name LIKE 'stg\\_%' ESCAPE '\\' "
            "GROUP BY table_name HAVING bool_or(column_name = 'source_feed') ORDER BY table_name"
        ).fetchall()
        for model, columns in models:
            kept = [column for column in columns if not _is_place(column)]
            selected = [_of_all_files(column) for column in kept] if model.endswith(PER_FILE) else kept
            together = "GROUP BY ALL" if model.endswith(PER_FILE) else ""
            rows = connection.execute(
                f"SELECT place, {', '.join(selected)} FROM {model} JOIN landed USING (sha256, source_feed) {together}"
            )
            for place, *values in rows.fetchall():
                yield landed[place], (model, *map(_comparable, kept, values))


def _is_place(column: str) -> bool:
    return column == "sha256" or column.endswith(("_record", "record_number"))


def _of_all_files(column: str) -> str:
    if column.startswith(("first_", "last_")):
        return f"{'min' if column.startswith('first_') else 'max'}({column}) AS {column}"
    return column


def _comparable(column: str, value: Any) -> Any:
    if column == "record":
        # The order of a table's columns is that of this object's keys.
        return json.dumps(json.loads(value), sort_keys=True)
    return repr(value) if isinstance(value, dict | list) else value


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """Every sample in every way. Read only."""
    return stage_written_anew(Home.at(tmp_path_factory.mktemp("written_anew")), SAMPLES, ALL_SAMPLES, DRAWN)


@pytest.mark.parametrize("sample", ALL_SAMPLES)
def test_canonical_rows_stay_however_a_sample_is_written(staged: Staged, sample: str) -> None:
    expected = staged.rows[sample][AS_IT_IS]
    for way, found in staged.rows[sample].items():
        assert found == expected, f"{way}: without {list(expected - found)}, with {list(found - expected)}"


def test_most_samples_have_canonical_rows(staged: Staged) -> None:
    without = [sample for sample, ways in staged.rows.items() if not ways[AS_IT_IS]]
    assert len(without) < 0.1 * len(ALL_SAMPLES), without
