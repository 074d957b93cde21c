"""The judgement of completeness as an asset, and each expectation as a check of it."""

from collections import defaultdict
from collections.abc import Iterator

import dagster as dg

from pipelines.completeness.judge import ExpectationResult, judge
from pipelines.completeness.suites import load_expectations
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.orchestration.evidence_assets import OWNER
from pipelines.orchestration.progress import Progress
from pipelines.orchestration.resources import WRITERS

# As dbt's source of the same name: coverage hangs on it.
RESULTS = dg.AssetKey(["completeness", "expectation_results"])
_SHOWN_FAILURES = 100


def build_completeness_assets(home: Home) -> dg.AssetsDefinition:
    """One asset with one check per expectation.

    No check blocks: incomplete evidence makes the controls that depend on it insufficient, it never stops a report.
    """
    expectations = load_expectations()

    @dg.multi_asset(
        name="completeness",
        specs=[
            dg.AssetSpec(
                RESULTS,
                deps=sorted({expectation.table for expectation in expectations}),
                description="Every expectation's answer for every feed, control and period that it concerns.",
                group_name="completeness",
                owners=[OWNER],
                kinds={"greatexpectations", "parquet"},
            )
        ],
        check_specs=[
            dg.AssetCheckSpec(
                expectation.id,
                asset=RESULTS,
                description=expectation.why,
                blocking=False,
                metadata={"table": expectation.table, "suite": expectation.suite},
            )
            for expectation in expectations
        ],
        pool=WRITERS,
    )
    def completeness(
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        progress.begin("Completeness")
        with run_lock(home):
            results = judge(home)
        failed = sum(not result.passed for result in results)
        progress.end(f"{len(expectations)} expectations, {len(results):,} answers, {failed:,} failed")
        yield dg.MaterializeResult(asset_key=RESULTS, metadata={"answers": len(results), "failed": failed})
        by_expectation: dict[str, list[ExpectationResult]] = defaultdict(list)
        for result in results:
            by_expectation[result.expectation].append(result)
        for expectation in expectations:
            yield _check(expectation.id, by_expectation[expectation.id])

    return completeness


def _check(expectation: str, results: list[ExpectationResult]) -> dg.AssetCheckResult:
    failures = [result for result in results if not result.passed]
    metadata: dict[str, object] = {"answers": len(results), "failed": len(failures)}
    if failures:
        columns = ("period_id", "control_id", "system", "feed", "instance", "detail")
        records = [{name: getattr(one, name) or "" for name in columns} for one in failures[:_SHOWN_FAILURES]]
        metadata["failures"] = dg.MetadataValue.table(
            [dg.TableRecord(record) for record in records],
            schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
        )
    return dg.AssetCheckResult(
        check_name=expectation,
        asset_key=RESULTS,
        passed=not failures,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
