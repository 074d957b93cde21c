"""Raw assets: one per described feed, all made by one step that takes in what landed."""

from collections import defaultdict
from collections.abc import Iterator

import dagster as dg

from pipelines.evidence.ledger import entries_of
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.ingest.descriptions import FeedDescription, load_descriptions
from pipelines.ingest.ingest import ingest_landing
from pipelines.orchestration.decisions import PERIODS, configured_periods
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.resources import WRITERS

OWNER = "team:evidence"


def feed_key(system: str, feed: str) -> dg.AssetKey:
    """As dbt's source of the same name, so that models hang on their feeds."""
    return dg.AssetKey([system, feed])


def build_evidence_assets(home: Home) -> dg.AssetsDefinition:
    """One asset per feed description. Selected alone, a feed is ingested alone."""
    descriptions = load_descriptions()

    @dg.multi_asset(
        name="evidence",
        description="Hashes, keeps and registers what landed, and reads its named fields.",
        specs=[_spec(description) for description in descriptions.values()],
        can_subset=True,
        pool=WRITERS,
    )
    def evidence(
        context: dg.AssetExecutionContext, progress: dg.ResourceParam[Progress]
    ) -> Iterator[dg.MaterializeResult]:
        feeds = {tuple(key.path) for key in context.selected_asset_keys}
        progress.begin("Evidence")
        with run_lock(home):
            # Asked for all feeds, ingest also says what lies in landing and has no feed.
            summary = ingest_landing(home, feeds if context.is_subset else None, progress.update)
        for line in summary.problems:
            progress.problem(line)
        progress.end(
            f"{summary.files_new:,} new of {summary.files_seen:,} files, {summary.records_parsed:,} records"
            + (f", {summary.records_rejected:,} rejected" if summary.records_rejected else "")
        )
        context.instance.add_dynamic_partitions(PERIODS, configured_periods(home))
        counts = _counts(home)
        for system, feed in sorted(feeds):
            yield dg.MaterializeResult(asset_key=feed_key(system, feed), metadata=counts[system, feed])

    return evidence


def _spec(description: FeedDescription) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=feed_key(description.system, description.feed),
        description=description.description,
        group_name=description.system,
        owners=[OWNER],
        kinds={*description.shapes, description.kind},
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(column.name, description=column.description)
                    for column in description.columns
                ]
            ),
            "provides": ", ".join(description.provides),
        },
        skippable=True,
    )


def _counts(home: Home) -> dict[tuple[str, str], dict[str, int]]:
    """By feed: evidence files, rows and rejects, of everything in the ledger (each file once)."""
    latest = {entry.place: entry for entry in entries_of(home.ledger)}
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: {"evidence_files": 0, "dagster/row_count": 0, "rejected_records": 0, "rejected_files": 0}
    )
    for entry in latest.values():
        found = counts[entry.system, entry.feed]
        found["evidence_files"] += 1
        found["dagster/row_count"] += entry.records_parsed
        found["rejected_records"] += entry.records_rejected
        found["rejected_files"] += entry.status == "rejected"
    return counts
