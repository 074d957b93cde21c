"""`upheld sample`: one sample of a control's operations, each item with its evidence as the vendor wrote it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.errors import UserMistake
from pipelines.evidence import instants
from pipelines.evidence.trace import EvidenceRecord, evidence_records
from pipelines.home import Home
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.masking import shown
from pipelines.reports.digests import sha256_of
from pipelines.reports.revisions import Revision, newest
from pipelines.reports.sampling import METHOD, SamplingPlan, draw_samples, plan_of, write_samples
from pipelines.settings import table_of


@dataclass(frozen=True)
class Sample:
    """A sample that was drawn and written to `folder`. `items`: its rows, each with its evidence records."""

    folder: Path
    period_id: str
    control_id: str
    bundle: str
    items: list[tuple[dict[str, str], list[EvidenceRecord]]]

    def lines(self) -> Iterator[str]:
        """What to tell a person."""
        if not self.items:
            yield f"{self.control_id} has no operation in {self.period_id} that is due: there is nothing to draw."
            return
        row, _ = self.items[0]
        yield (
            f"{row['sample_size']} of {row['frame_size']} operations of {self.control_id} in {self.bundle}, seed {row['seed']}"
        )
        yield f"  order: {METHOD}; frame {row['frame_sha256']}"
        for row, evidence in self.items:
            missing = sum(record.problem is not None for record in evidence)
            yield (
                f"  {row['rank']:>3} {row['operation_id']} {row['outcome']:<13} {row['subject_name'] or row['subject_id']}"
                + (f" ({missing} evidence records can't be shown)" if missing else "")
            )
        yield str(self.folder)

    def as_plain(self) -> list[dict[str, Any]]:
        """The items for scripts."""
        return [row | {"records": [_plain(record) for record in evidence]} for row, evidence in self.items]


def sample(home: Home, period: str, control: str, seed: int | None = None, size: int | None = None) -> Sample:
    """Draw a sample from a period's newest bundle and write it to <home>/samples/<period>/<control>-<seed>-<size>/.

    `samples.csv` has the columns of the bundle's; `evidence.jsonl` one line per evidence record, masked as the feed
    demands. Raises UserMistake where there is no such bundle or control.
    """
    bundle = _bundle(home, period)
    plan = plan_of(table_of(home, "sampling"), f"{home.settings}, [sampling]")
    plan = plan if seed is None else replace(plan, seed=seed)
    rows = _drawn(bundle, control, plan, size)
    descriptions = load_descriptions()
    found = evidence_records(
        home,
        [row["evidence"] for row in rows],
        shown=lambda system, feed, record: shown(descriptions[system, feed], record),
        reading=lambda system, feed: (descriptions[system, feed].signs, descriptions[system, feed].shapes),
    )
    drawn = Sample(
        folder=home.sample(bundle.name, f"{control}-{plan.seed}-{len(rows)}"),
        period_id=period,
        control_id=control,
        bundle=bundle.name,
        items=list(zip(rows, found, strict=True)),
    )
    if rows:
        _write(drawn, bundle)
    return drawn


def _bundle(home: Home, period: str) -> Revision:
    bundle = newest(home, period)
    if not (bundle.path / "data" / "control_operations.csv").is_file():
        names = sorted(path.name for path in home.reports.glob("[!.]*") if path.is_dir())
        there = f"Reports there are: {', '.join(names)}." if names else f"Run `upheld report {period}` first."
        raise UserMistake(f"There is no report of {period!r}. {there}")
    return bundle


def _drawn(bundle: Revision, control: str, plan: SamplingPlan, size: int | None) -> list[dict[str, str]]:
    from pipelines.reports.data_files import rows_of

    assessed = [row["control_id"] for row in rows_of(bundle.path / "data" / "control_coverage.csv")]
    if control not in assessed:
        raise UserMistake(f"{bundle.name} has no control {control!r}. Assessed: {', '.join(assessed)}.")
    return draw_samples(bundle.path / "data" / "control_operations.csv", plan, control, size)


def _write(drawn: Sample, bundle: Revision) -> None:
    """Write the folder whole or not at all; the same sample drawn again gives the same bytes."""
    drawn.folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".", dir=drawn.folder.parent))
    try:
        unfinished.chmod(0o755)
        write_samples((row for row, _ in drawn.items), unfinished / "samples.csv")
        with (unfinished / "evidence.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for row, evidence in drawn.items:
                for record in evidence:
                    line = {"rank": int(row["rank"]), "operation_id": row["operation_id"], **_plain(record)}
                    file.write(json.dumps(line, ensure_ascii=True, sort_keys=True) + "\n")
        drawn_from = {
            "bundle": bundle.name,
            "control_operations_sha256": sha256_of(bundle.path / "data" / "control_operations.csv"),
            "method": METHOD,
        }
        (unfinished / "drawn_from.json").write_text(
            json.dumps(drawn_from, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        shutil.rmtree(drawn.folder, ignore_errors=True)
        os.replace(unfinished, drawn.folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _plain(record: EvidenceRecord) -> dict[str, Any]:
    collected_at = record.collected_at and instants.written(record.collected_at)
    return vars(record) | {"collected_at": collected_at}
