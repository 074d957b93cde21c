"""SQL functions that DuckDB lacks, registered by dbt-duckdb on each of its connections."""

from __future__ import annotations

from dbt.adapters.duckdb.plugins import BasePlugin

from pipelines.binomial import upper_limit_95


class Plugin(BasePlugin):
    """Registers `binomial_upper_95(deviations BIGINT, tested BIGINT) -> DOUBLE`."""

    def configure_connection(self, conn) -> None:
        conn.create_function(
            "binomial_upper_95", upper_limit_95, ["BIGINT", "BIGINT"], "DOUBLE", null_handling="special"
        )
