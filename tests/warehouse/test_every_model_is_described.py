"""What dbt docs shows: every model says what its rows are, every column what it holds, and lineage has no hole."""

from __future__ import annotations

import json

import pytest

from pipelines.home import Home
from pipelines.warehouse import open_read_only


@pytest.fixture(scope="module")
def manifest(company) -> dict:
    return json.loads((company.home.dbt_target / "manifest.json").read_text(encoding="utf-8"))


def made_by_us(manifest: dict) -> list[dict]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]


def columns_of(home: Home) -> dict[str, list[str]]:
    connection = open_read_only(home.build_database)
    try:
        found = connection.execute(
            "select table_name, list(lower(column_name) order by column_index) from duckdb_columns()"
            " where not internal group by all"
        )
        return dict(found.fetchall())
    finally:
        connection.close()


def test_every_model_and_every_column_of_it_is_described(company, manifest):
    columns = columns_of(company.home)
    silent = []
    for node in made_by_us(manifest):
        described = {name.lower() for name, column in node["columns"].items() if column["description"].strip()}
        if not node["description"].strip():
            silent.append(node["name"])
        silent += [f"{node['name']}.{name}" for name in columns[node["name"]] if name not in described]
    assert not silent, silent


# What is read from the ledger and the rejected records themselves, or from the controls' own descriptions: no feed's source.
NOT_FROM_A_FEED = {"rpt_controls", "rpt_evidence_files", "rpt_rejected_records"}


def test_every_report_table_leads_back_to_evidence(manifest):
    parents = manifest["parent_map"]

    def ancestors(node: str, seen: set[str]) -> set[str]:
        for parent in parents.get(node, ()):
            if parent not in seen:
                seen.add(parent)
                ancestors(parent, seen)
        return seen

    rootless = {
        node.rpartition(".")[2]
        for node in parents
        if node.startswith("model.upheld.rpt_")
        and not any(one.startswith("source.") for one in ancestors(node, set()))
    }
    assert rootless <= NOT_FROM_A_FEED, rootless - NOT_FROM_A_FEED


def test_every_report_table_is_named_by_an_exposure(manifest):
    exposed = {node for exposure in manifest["exposures"].values() for node in exposure["depends_on"]["nodes"]}
    reports = {node for node in manifest["nodes"] if node.startswith("model.upheld.rpt_")}
    assert reports <= exposed, reports - exposed
