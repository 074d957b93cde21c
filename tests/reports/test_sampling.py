"""Samples: reproducible from a seed, by hand as well, fair to every operation, and of the sizes that the table sets."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import UserMistake
from pipelines.home import Home
from pipelines.reports.bundle import Bundle
from pipelines.reports.data_files import rows_of
from pipelines.reports.sampling import (
    COLUMNS,
    SIZES,
    Frame,
    SamplingPlan,
    Size,
    draw_samples,
    faults_of_samples,
    plan_of,
    write_samples,
)
from pipelines.settings import table_of

IDS = [hashlib.md5(str(number).encode()).hexdigest() for number in range(400)]


def write_operations(path: Path, outcomes: dict[str, list[str]]) -> Path:
    """A control_operations.csv with the columns that sampling reads."""
    columns = ["operation_id", "control_id", *(c for c in COLUMNS[10:]), "period_id"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", restval="")
        writer.writeheader()
        for control_id, each in outcomes.items():
            for number, outcome in enumerate(each):
                writer.writerow(
                    {
                        "operation_id": hashlib.md5(f"{control_id}{number}".encode()).hexdigest(),
                        "control_id": control_id,
                        "period_id": "P",
                        "outcome": outcome,
                    }
                )
    return path


# -- the draw ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.permutations(IDS[:40]), st.integers(0, 10**12), st.integers(0, 50))
def test_a_seed_draws_the_same_whatever_the_order_of_the_rows(ids: list[str], seed: int, size: int) -> None:
    drawn = Frame(tuple(ids)).draw(seed, size)
    assert drawn == Frame(tuple(IDS[:40])).draw(seed, size)
    assert Frame(tuple(ids)).sha256 == Frame(tuple(IDS[:40])).sha256
    assert len(drawn) == len(set(drawn)) == min(size, 40)


@settings(max_examples=50)
@given(st.sets(st.sampled_from(IDS), min_size=2), st.integers(0, 1000))
def test_a_larger_sample_continues_a_smaller_one(ids: set[str], seed: int) -> None:
    frame = Frame(tuple(ids))
    whole = frame.draw(seed, len(ids))
    for size in (1, len(ids) // 2):
        assert frame.draw(seed, size) == whole[:size]


@settings(max_examples=50)
@given(st.sets(st.sampled_from(IDS), min_size=2, max_size=30), st.integers(0, 1000), st.data())
def test_an_operation_that_leaves_the_frame_moves_no_other(
    ids: set[str], seed: int, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(ids)))
    before = [each for _, each in Frame(tuple(ids)).draw(seed, len(ids)) if each != gone]
    assert [each for _, each in Frame(tuple(ids - {gone})).draw(seed, len(ids))] == before


def test_over_many_seeds_every_operation_is_drawn_equally_often() -> None:
    """2,000 seeds draw 10 of 40: each 500 times on average. The chi-squared statistic of 39 degrees stays below its
    99.99 % point; the seeds are fixed, so this never fails by chance."""
    frame = Frame(tuple(IDS[:40]))
    drawn = Counter(each for seed in range(2000) for _, each in frame.draw(seed, 10))
    # Draws without replacement vary less than independent ones: by the factor (1 - 10/40).
    statistic = sum((drawn[each] - 500) ** 2 / (500 * 0.75) for each in IDS[:40]) * 39 / 40
    assert statistic < 80.1, statistic


def test_over_many_seeds_two_operations_are_no_likelier_to_meet_than_others() -> None:
    frame = Frame(tuple(IDS[:12]))
    met = Counter(
        pair
        for seed in range(2000)
        for drawn in [sorted(each for _, each in frame.draw(seed, 3))]
        for pair in [(drawn[0], drawn[1]), (drawn[0], drawn[2]), (drawn[1], drawn[2])]
    )
    assert len(met) == 66 and min(met.values()) > 55 and max(met.values()) < 130, met.most_common(2)


# -- the size ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "frame", "size"),
    [
        ("annual", 1, 1), ("annual", 9, 1), ("quarterly", 1, 1), ("quarterly", 2, 2), ("quarterly", 4, 2),
        ("monthly", 6, 3), ("monthly", 12, 4), ("weekly", 26, 10), ("weekly", 52, 15), ("weekly", 900, 15),
        ("daily", 181, 30), ("daily", 365, 40), ("per_event", 0, 0), ("per_event", 20, 20), ("per_event", 26, 26),
        ("per_event", 500, 43), ("per_event", 1000, 60), ("per_event", 100_000, 60),
    ],
)  # fmt: skip
def test_sizes_by_frequency_and_population(frequency: str, frame: int, size: int) -> None:
    assert SIZES[frequency].of(frame) == size


@given(st.sampled_from(sorted(SIZES)), st.integers(0, 5000))
def test_a_size_stays_in_its_range_and_never_falls_as_the_population_grows(
    frequency: str, frame: int
) -> None:
    size = SIZES[frequency]
    assert size.of(frame) <= size.of(frame + 1) <= size.most
    assert size.of(frame) >= min(frame, size.least)


def test_the_table_can_be_set_in_the_homes_settings(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    home.settings.write_text(
        "[sampling]\nseed = 20260630\n[sampling.frequencies]\nREV = 'quarterly'\nROT = 'hourly'\n"
        "[sampling.sizes]\nhourly = {least = 30, most = 70, most_from = 2000}\n"
    )
    plan = plan_of(table_of(home, "sampling"))
    assert (plan.seed, plan.size("REV", 76), plan.size("ROT", 5000)) == (20260630, 2, 70)
    assert plan.size("LOG", 365) == 40, "what is not named stays"
    assert plan_of(plan.as_plain()) == plan, "the manifest holds the whole plan"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"sede": 1}, "'sede'"),
        ({"seed": -1}, "from 0"),
        ({"seed": "1"}, "from 0"),
        ({"seed": True}, "from 0"),
        ({"sizes": {"daily": [20, 40]}}, "daily"),
        ({"sizes": {"daily": {"least": 40, "most": 20, "most_from": 365}}}, "daily"),
        ({"sizes": {"daily": {"least": 0, "most": 20, "most_from": 365}}}, "daily"),
        ({"sizes": {"daily": {"least": 1, "most": 20, "most_from": 0}}}, "daily"),
        ({"sizes": 5}, "expected a table"),
        ({"frequencies": {"ROT": "often"}}, "ROT"),
        ({"frequencies": "daily"}, "expected a table"),
    ],
)
def test_a_table_that_makes_no_sense_is_a_mistake_in_one_line(table: dict, said: str) -> None:
    with pytest.raises(UserMistake, match=said) as mistake:
        plan_of(table)
    assert "\n" not in str(mistake.value)


# -- the file ---------------------------------------------------------------------------------------------------------


def test_pending_operations_are_not_in_the_frame(tmp_path: Path) -> None:
    path = write_operations(
        tmp_path / "o.csv", {"ROT": ["operated", "pending", "deviation"], "OFF": ["pending"]}
    )
    rows = draw_samples(path, SamplingPlan())
    assert [(row["control_id"], row["rank"], row["frame_size"]) for row in rows] == [
        ("ROT", "1", "2"),
        ("ROT", "2", "2"),
    ]


def test_one_control_can_be_asked_for_in_a_size_of_its_own(tmp_path: Path) -> None:
    path = write_operations(tmp_path / "o.csv", {"ROT": ["operated"] * 9, "OFF": ["operated"] * 9})
    rows = draw_samples(path, SamplingPlan(seed=3), "OFF", 4)
    assert {row["control_id"] for row in rows} == {"OFF"} and len(rows) == 4
    whole = draw_samples(path, SamplingPlan(seed=3), "OFF")
    assert [row["operation_id"] for row in rows] == [row["operation_id"] for row in whole[:4]]


def test_every_bundle_holds_the_sample_that_its_seed_draws(bundle: Bundle) -> None:
    data = bundle.path / "data"
    rows = list(rows_of(data / "samples.csv"))
    assert list(faults_of_samples(rows, data / "control_operations.csv", SamplingPlan())) == []
    operations = {row["operation_id"]: row for row in rows_of(data / "control_operations.csv")}
    for row in rows:
        assert row["evidence"] == operations[row["operation_id"]]["evidence"]
    assert {row["control_id"] for row in rows} == {"DOR", "EVD", "LOG", "OFF", "REV", "ROT"}


def test_an_item_picked_by_hand_is_found(bundle: Bundle, tmp_path: Path) -> None:
    operations = bundle.path / "data" / "control_operations.csv"
    rows = draw_samples(operations, SamplingPlan())
    picked = [rows[0] | {"operation_id": "0" * 32}, *rows[2:]]
    found = list(faults_of_samples(picked, operations, SamplingPlan()))
    assert any("or it was altered" in fault for fault in found) and any(
        "is missing" in fault for fault in found
    )


def test_a_control_with_nothing_due_has_no_sample_and_the_file_stays_a_table(tmp_path: Path) -> None:
    path = write_operations(tmp_path / "o.csv", {"OFF": ["pending"]})
    write_samples(draw_samples(path, SamplingPlan()), tmp_path / "samples.csv")
    assert (tmp_path / "samples.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_a_size_of_one_row_is_that_row() -> None:
    assert Size(25, 60, 1000).of(1) == 1
