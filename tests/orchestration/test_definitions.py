"""What Dagster shows of a home: every feed, model, expectation and bundle, hanging together."""

import dagster as dg
import pytest
import yaml

from pipelines.completeness.suites import load_expectations
from pipelines.definitions import definitions_of
from pipelines.home import Home
from pipelines.ingest.descriptions import load_descriptions
from pipelines.orchestration.instance import instance_of
from pipelines.orchestration.resources import KnowledgeCutOff
from pipelines.settings import PROJECT


@pytest.fixture(scope="module")
def definitions(tmp_path_factory) -> dg.Definitions:
    return definitions_of(Home.at(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def test_every_described_feed_is_an_asset_with_its_columns(graph):
    for (system, feed), description in load_descriptions().items():
        asset = graph.get(dg.AssetKey([system, feed]))
        assert asset.group_name == system
        assert asset.description == description.description
        assert asset.owners
        shown = [column.name for column in asset.metadata["dagster/column_schema"].columns]
        assert shown == [column.name for column in description.columns]


def test_models_hang_on_the_feeds_they_read(graph):
    feeds = {dg.AssetKey(list(key)) for key in load_descriptions()}
    read = {feed for feed in feeds if graph.get(feed).child_keys}
    assert read == feeds, "a feed that no model reads"


def test_every_expectation_is_a_check_that_blocks_nothing(graph):
    checks = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    for expectation in load_expectations():
        assert not checks[expectation.id].blocking
        assert checks[expectation.id].description == expectation.why


def test_data_tests_are_checks_of_their_models(graph):
    models = {
        key.asset_key.path[-1]
        for key in graph.asset_check_keys
        if key.name.startswith(("unique_", "not_null_"))
    }
    assert {name.split("_")[0] for name in models} >= {"stg", "int", "fct"}, (
        "tests of staging, identity and facts"
    )


def test_judgement_comes_between_the_halves(graph):
    results = dg.AssetKey(["completeness", "expectation_results"])
    assert {dg.AssetKey(one.table) for one in load_expectations()} <= graph.get(results).parent_keys
    assert all(graph.get(key).is_materializable for key in graph.get(results).parent_keys)
    assert graph.get(results).child_keys, "coverage reads it"


def test_the_warehouse_holds_every_public_table(graph):
    public = {key for key in graph.get_all_asset_keys() if key.path[-1].startswith(("fct_", "dim_", "rpt_"))}
    assert graph.get(dg.AssetKey("warehouse")).parent_keys == public
    assert graph.get(dg.AssetKey("auditor_bundle")).parent_keys == {dg.AssetKey("warehouse")}


def test_everything_that_writes_waits_its_turn(definitions):
    pools = {assets.op.pool for assets in definitions.assets if isinstance(assets, dg.AssetsDefinition)}
    assert pools == {"home"}


def test_nothing_starts_by_itself(definitions):
    assert definitions.resolve_schedule_def("every_day").default_status == dg.DefaultScheduleStatus.STOPPED
    sensor = definitions.resolve_sensor_def("bundles_after_publishing")
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED


def test_the_workspace_names_the_code_location():
    [entry] = yaml.safe_load((PROJECT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    assert entry["python_module"]["module_name"] == definitions_of.__module__


def test_a_home_keeps_dagster_s_records_and_sends_none(tmp_path):
    with instance_of(Home.at(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.root_directory.startswith(str(tmp_path))


def test_a_cut_off_is_the_same_for_all_steps_of_a_run(tmp_path):
    seen = []

    @dg.asset
    def first(context: dg.AssetExecutionContext, cut_off: KnowledgeCutOff) -> None:
        seen.append(cut_off.instant(context))

    @dg.asset(deps=[first])
    def second(context: dg.AssetExecutionContext, cut_off: KnowledgeCutOff) -> None:
        seen.append(cut_off.instant(context))

    with instance_of(Home.at(tmp_path)) as instance:
        dg.materialize([first, second], instance=instance, resources={"cut_off": KnowledgeCutOff()})
        asked = KnowledgeCutOff(as_of="2026-07-20T08:00:00+02:00")
        dg.materialize([first, second], instance=instance, resources={"cut_off": asked})
    assert seen[0] == seen[1]
    assert seen[2:] == ["2026-07-20T06:00:00.000000Z"] * 2
