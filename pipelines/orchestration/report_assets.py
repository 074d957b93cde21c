"""What leaves the house: the published warehouse, and from it one bundle per audit period."""

from collections.abc import Iterable

import dagster as dg

from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.orchestration.decisions import PERIODS
from pipelines.orchestration.evidence_assets import OWNER
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.resources import WRITERS
from pipelines.reports.bundle import Bundle, write_bundle
from pipelines.reports.changes import summary_of
from pipelines.warehouse import publish

WAREHOUSE = dg.AssetKey("warehouse")
BUNDLE = dg.AssetKey("auditor_bundle")


def build_report_assets(home: Home, published: Iterable[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """The warehouse, made of the tables `published`, and the bundles, partitioned by period."""

    @dg.asset(
        key=WAREHOUSE,
        deps=sorted(published),
        description="The public tables in a file of their own, replaced whole: readers never wait and never block.",
        group_name="reports",
        owners=[OWNER],
        kinds={"duckdb"},
        pool=WRITERS,
    )
    def warehouse(progress: dg.ResourceParam[Progress]) -> dg.MaterializeResult:
        progress.begin("Warehouse")
        with run_lock(home):
            publish(home)
        progress.end(str(home.warehouse))
        return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(home.warehouse)})

    @dg.asset(
        key=BUNDLE,
        deps=[WAREHOUSE],
        partitions_def=dg.DynamicPartitionsDefinition(name=PERIODS),
        description="What the auditor of one period is handed: data files, report and manifest.",
        group_name="reports",
        owners=[OWNER],
        kinds={"html", "csv"},
        pool=WRITERS,
    )
    def auditor_bundle(
        context: dg.AssetExecutionContext, progress: dg.ResourceParam[Progress]
    ) -> dg.MaterializeResult:
        period = context.partition_key
        progress.begin(f"Report {period}")
        with run_lock(home):
            bundle = write_bundle(home, period)
        progress.end(_said(bundle))
        return dg.MaterializeResult(
            metadata={"path": dg.MetadataValue.path(bundle.path), **bundle.conclusions}
        )

    return [warehouse, auditor_bundle]


def _said(bundle: Bundle) -> str:
    """Where a bundle is, and how it stands to the sealed one before it."""
    if bundle.changes is not None:
        return f"{bundle.path}: {summary_of(bundle.changes)} from what was sealed; see changes.csv"
    return f"{bundle.path}" + (": sealed, and nothing has changed since" if bundle.is_sealed else "")
