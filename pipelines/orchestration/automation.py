"""Jobs, and what may start them without a person. Both are off until somebody turns them on."""

from collections.abc import Iterator

import dagster as dg

from pipelines.orchestration.decisions import PERIODS
from pipelines.orchestration.report_assets import BUNDLE, WAREHOUSE

everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(BUNDLE),
    description="Take in what landed, build, judge, publish.",
)

bundles = dg.define_asset_job(
    "bundles",
    selection=dg.AssetSelection.assets(BUNDLE),
    description="Write the auditor's bundle of one audit period from the published warehouse.",
)

every_day = dg.ScheduleDefinition(
    name="every_day",
    job=everything,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Collectors usually deliver yesterday's exports during the night.",
)


@dg.asset_sensor(
    name="bundles_after_publishing",
    asset_key=WAREHOUSE,
    job=bundles,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Writes every period's bundle anew when the warehouse was published.",
)
def bundles_after_publishing(
    context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry
) -> Iterator[dg.RunRequest]:
    """One run per period; publishing once more under the same run id starts none."""
    for period in context.instance.get_dynamic_partitions(PERIODS):
        yield dg.RunRequest(run_key=f"{asset_event.run_id}:{period}", partition_key=period)
