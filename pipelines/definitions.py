"""Assembles the Dagster code location; nothing is defined here."""

from __future__ import annotations

import dagster as dg

from pipelines.home import Home
from pipelines.orchestration import automation, dbt_in_process
from pipelines.orchestration.completeness_assets import build_completeness_assets
from pipelines.orchestration.evidence_assets import build_evidence_assets
from pipelines.orchestration.model_assets import build_model_assets
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.report_assets import build_report_assets
from pipelines.orchestration.resources import KnowledgeCutOff
from pipelines.settings import home_in_environment, keep_quiet
from pipelines.warehouse import PUBLIC_PREFIXES


def definitions_of(home: Home, progress: Progress | None = None) -> dg.Definitions:
    """Everything Dagster can show and do for one home. Parses the dbt project, which takes seconds.

    `progress` is told what the assets do.
    """
    models = build_model_assets(home, dbt_in_process.parse(home))
    public = [key for half in models for key in half.keys if key.path[-1].startswith(PUBLIC_PREFIXES)]
    return dg.Definitions(
        assets=[
            build_evidence_assets(home),
            *models,
            build_completeness_assets(home),
            *build_report_assets(home, public),
        ],
        jobs=[automation.everything, automation.bundles],
        schedules=[automation.every_day],
        sensors=[automation.bundles_after_publishing],
        resources={
            "cut_off": KnowledgeCutOff(),
            "progress": dg.ResourceDefinition.hardcoded_resource(progress or Progress()),
        },
        # One process per run: each process would pay for importing dbt and parsing the project again, and DuckDB lets
        # only one of them write.
        executor=dg.in_process_executor,
    )


@dg.definitions
def upheld() -> dg.Definitions:
    """The code location of `dagster dev`, for the home that UPHELD_HOME names."""
    keep_quiet()
    return definitions_of(home_in_environment())
