"""Less evidence never makes anything look better: no conclusion improves, no exception turns into a success.

Deliveries are taken out of the ledger of a finished run, so that nothing has to be read again: what is not in the
ledger was never delivered. `UPHELD_SUBSETS=40` tries more of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from pipelines.completeness.judge import judge
from pipelines.home import Home
from pipelines.orchestration import dbt_in_process
from pipelines.orchestration.model_assets import SECOND_HALF

from .conftest import AS_OF
from .staged_samples import parsed_project

SUBSETS = int(os.environ.get("UPHELD_SUBSETS", "3"))
WORST_FIRST = ("insufficient_evidence", "exceptions_noted", "no_exceptions_noted", "no_occurrence")
NOT_DECIDED_WELL = {"deviation", "waived", "indeterminate"}
SUBJECT = "period_id, control_id, system, instance, subject_type, subject_id, entitlement, cycle"


@dataclass(frozen=True)
class Judged:
    """What a build came to. `rows`: subject -> (operation id, outcome, reason) of each of its operations."""

    conclusions: dict[tuple, str]
    rows: dict[tuple, list[tuple[str, str, str]]]


def judged(database: Path) -> Judged:
    with duckdb.connect(str(database), read_only=True) as connection:
        conclusions = connection.execute("select period_id, control_id, conclusion from rpt_control_coverage").fetchall()
        operations = connection.execute(
            f"select {SUBJECT}, operation_id, outcome, reason from rpt_control_operations"
        ).fetchall()
    rows = defaultdict(list)
    for *subject, operation_id, outcome, reason in operations:
        rows[tuple(subject)].append((operation_id, outcome, reason))
    return Judged({(period, control): conclusion for period, control, conclusion in conclusions}, dict(rows))


def built_without(whole: Home, root: Path, dropped: set[int]) -> Judged:
    """Build a home that has the evidence of `whole` but for some entries of its ledger, by number."""
    home = Home.at(root)
    home.evidence.mkdir(parents=True)
    shutil.copytree(whole.lake, home.lake)
    lines = whole.ledger.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number not in dropped]
    home.ledger.write_text("".join(kept), encoding="utf-8")
    _build(home, ["--exclude", SECOND_HALF])
    judge(home)
    _build(home, ["--select", SECOND_HALF])
    # Else it would be another home's evidence that nothing was taken from.
    assert delivered(home.build_database) <= {json.loads(line)["sha256"] for line in kept}
    return judged(home.build_database)


def _build(home: Home, half: list[str]) -> None:
    results = dbt_in_process.build(home, parsed_project(), AS_OF, half)
    assert [f"{one.unique_id}: {one.message}" for one in results if not one.passed] == []


def delivered(database: Path) -> set[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return {sha256 for (sha256,) in connection.execute("select sha256 from rpt_evidence_files").fetchall()}


@dataclass(frozen=True)
class Delivery:
    """One entry of the ledger that could be missing, by its number. Pages of one snapshot come together or not at all:
    nothing in a page tells that there was another."""

    number: int
    feed: str
    snapshot: str


def deliveries(home: Home) -> list[Delivery]:
    """Everything but what people decided: that says what is asked and stays."""
    entries = [json.loads(line) for line in home.ledger.read_text(encoding="utf-8").splitlines()]
    return [
        Delivery(number, f"{entry['system']}/{entry['feed']}/{entry['instance']}", entry["snapshot_id"] or str(number))
        for number, entry in enumerate(entries)
        if entry["system"] != "decisions"
    ]


def subsets(home: Home) -> Iterator[tuple[str, set[int]]]:
    """A few files at random, the end of a feed, many files, the beginning of a feed, a whole feed: in turn."""
    known = deliveries(home)
    feeds = sorted({one.feed for one in known})
    for seed in range(SUBSETS):
        chance = random.Random(seed)
        feed = chance.choice(feeds)
        of_feed = [one for one in known if one.feed == feed]
        kind = ("some", "a feed's end", "many", "a feed's beginning", "a feed")[seed % 5]
        match kind:
            case "some":
                dropped = [one for one in known if chance.random() < 0.05]
            case "many":
                dropped = [one for one in known if chance.random() < 0.3]
            case "a feed":
                dropped = of_feed
            case "a feed's end":
                dropped = of_feed[chance.randrange(len(of_feed)) :]
            case _:
                dropped = of_feed[: chance.randrange(len(of_feed)) + 1]
        whole_snapshots = {(one.feed, one.snapshot) for one in dropped}
        name = f"{seed}: {kind}, {feed}" if kind.startswith("a ") else f"{seed}: {kind}"
        yield name, {one.number for one in known if (one.feed, one.snapshot) in whole_snapshots}


def improvements(whole: Judged, less: Judged) -> list[str]:
    """What looks better with less evidence, in words."""
    found = [
        f"{key}: {conclusion} became {less.conclusions[key]}"
        for key, conclusion in whole.conclusions.items()
        if WORST_FIRST.index(less.conclusions[key]) > WORST_FIRST.index(conclusion)
    ]
    for subject, rows in whole.rows.items():
        after = less.rows.get(subject, [])
        by_id = {operation_id: (outcome, reason) for operation_id, outcome, reason in after}
        for operation_id, outcome, reason in rows:
            # The beginning of a clock may not be known any more; a subject with one row is the same all the same.
            same = by_id.get(operation_id) or (after[0][1:] if len(rows) == len(after) == 1 else None)
            if outcome in NOT_DECIDED_WELL and same and same[0] == "operated":
                found.append(f"{subject}: {outcome} ({reason}) became operated")
    return found


def test_less_evidence_never_improves_anything(company_home, tmp_path):
    home = Home.at(company_home.root)
    whole = judged(home.build_database)
    better = {}
    for name, dropped in subsets(home):
        less = built_without(home, tmp_path / "less", dropped)
        if found := improvements(whole, less):
            better[name] = found
        shutil.rmtree(tmp_path / "less")
    assert better == {}


def test_without_the_register_of_owners_or_a_vaults_list_the_rows_say_which_is_missing(company_home, tmp_path):
    home = Home.at(company_home.root)
    missing = {("decisions", "owners"), ("hashicorp_vault", "kv_metadata")}
    entries = [json.loads(line) for line in home.ledger.read_text(encoding="utf-8").splitlines()]
    dropped = {number for number, entry in enumerate(entries) if (entry["system"], entry["feed"]) in missing}
    less = built_without(home, tmp_path / "less", dropped)
    reasons = {(subject[1], reason) for subject, rows in less.rows.items() for _, _, reason in rows}
    assert {("OWN", "owner_register_gap"), ("VLT", "vault_inventory_gap")} <= reasons
    assert ("OWN", "no_owner") not in reasons


@pytest.mark.parametrize(
    ("before", "after"),
    [("deviation", "operated"), ("waived", "operated"), ("indeterminate", "operated")],
)
def test_an_exception_that_became_a_success_is_told(before, after):
    whole = Judged({("p", "ROT"): "exceptions_noted"}, {("p", "key"): [("one", before, "late")]})
    less = Judged({("p", "ROT"): "insufficient_evidence"}, {("p", "key"): [("other", after, "")]})
    assert improvements(whole, less) == [f"('p', 'key'): {before} (late) became operated"]


def test_a_better_conclusion_is_told():
    whole, less = Judged({("p", "ROT"): "exceptions_noted"}, {}), Judged({("p", "ROT"): "no_exceptions_noted"}, {})
    assert improvements(whole, less) == ["('p', 'ROT'): exceptions_noted became no_exceptions_noted"]
    assert improvements(less, whole) == []
