"""dbt's models as assets, in two halves: what the evidence says, and (once it is judged) what that is worth."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test, get_subset_selection_for_context

from pipelines.errors import UserMistake
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.orchestration import dbt_in_process, fingerprints
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.resources import WRITERS, KnowledgeCutOff
from pipelines.orchestration.state import BuildState

# By name, not by path: dagster-dbt resolves paths against the folder that the process happens to be in.
SECOND_HALF = "fqn:upheld.coverage fqn:upheld.reports"


class _Translator(DagsterDbtTranslator):
    """Groups models by their folder; the description is the person's, without the SQL."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "source":
            return dbt_resource_props["source_name"]
        return dbt_resource_props["fqn"][1]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props.get("description", "")


_translator = _Translator()


def build_model_assets(home: Home, project: dbt_in_process.ParsedProject) -> list[dg.AssetsDefinition]:
    """The two halves: `models` (evidence to controls) and `coverage` (coverage and reports)."""

    @dbt_assets(
        manifest=project.as_dict,
        exclude=SECOND_HALF,
        name="models",
        dagster_dbt_translator=_translator,
        pool=WRITERS,
    )
    def models(
        context: dg.AssetExecutionContext, cut_off: KnowledgeCutOff, progress: dg.ResourceParam[Progress]
    ) -> Iterator[Any]:
        with run_lock(home):
            state = BuildState.read(home)
            current = fingerprints.of_models(home)
            anew = state is None or state.models != current
            if not context.is_subset:
                as_of = cut_off.instant(context)
            elif anew:
                raise UserMistake(
                    "The models changed since the last build: materialize all of them, not a few."
                )
            else:
                # Tables of one build look at the same evidence, those made again too.
                as_of = state.as_of
            # Until this build is whole nobody may take what is there for a whole one.
            BuildState.forget(home)
            results = _build(context, progress, home, project, "Models", as_of, anew, exclude=SECOND_HALF)
            if all(result.passed for result in results):
                BuildState(models=current, as_of=as_of).write(home)
        yield from _events(context, project, results)

    @dbt_assets(
        manifest=project.as_dict,
        select=SECOND_HALF,
        name="coverage",
        dagster_dbt_translator=_translator,
        pool=WRITERS,
    )
    def coverage(context: dg.AssetExecutionContext, progress: dg.ResourceParam[Progress]) -> Iterator[Any]:
        with run_lock(home):
            state = BuildState.read(home)
            if state is None:
                raise UserMistake(f"Nothing is built in {home.root}. Run `upheld build` first.")
            # Never a cut-off of its own: both halves must have looked at the same evidence.
            results = _build(
                context, progress, home, project, "Coverage", state.as_of, False, select=SECOND_HALF
            )
        yield from _events(context, project, results)

    return [models, coverage]


def _build(
    context: dg.AssetExecutionContext,
    progress: Progress,
    home: Home,
    project: dbt_in_process.ParsedProject,
    stage: str,
    as_of: str,
    anew: bool,
    select: str | None = None,
    exclude: str | None = None,
) -> list[dbt_in_process.NodeResult]:
    selection, indirect_selection = get_subset_selection_for_context(
        context=context,
        manifest=project.as_dict,
        select=select,
        exclude=exclude,
        selector=None,
        dagster_dbt_translator=_translator,
        current_dbt_indirect_selection_env=None,
    )
    if indirect_selection:
        selection += ["--indirect-selection", indirect_selection]
    progress.begin(stage)
    results = dbt_in_process.build(
        home,
        project,
        as_of,
        selection,
        full_refresh=anew,
        on_node=lambda unique_id, _: progress.update(unique_id.split(".")[2]),
    )
    tests = sum(result.is_test for result in results)
    progress.end(
        f"{len(results) - tests:,} tables, {tests:,} tests" + (", from the beginning" if anew else "")
    )
    return results


def _events(
    context: dg.AssetExecutionContext,
    project: dbt_in_process.ParsedProject,
    results: list[dbt_in_process.NodeResult],
) -> Iterator[Any]:
    """One materialization per model that was made, one check result per test; then the failures, raised."""
    for result in results:
        metadata = {"seconds": result.seconds, "message": result.message}
        if result.is_test:
            check = get_asset_check_key_for_test(project.as_dict, _translator, result.unique_id, None)
            if check in context.selected_asset_check_keys and result.status != "skipped":
                yield dg.AssetCheckResult(
                    asset_key=check.asset_key,
                    check_name=check.name,
                    passed=result.passed,
                    metadata=metadata | {"failing_rows": result.failures or 0},
                )
        elif result.passed and result.unique_id.startswith(("model.", "seed.")):
            key = _translator.get_asset_spec(project.as_dict, result.unique_id, None).key
            if key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)
    dbt_in_process.raise_on_failure(results)
