"""Where the project's own files lie, and the environment variables it reads. What a home looks like is in home.py."""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.home import Home

PROJECT = Path(__file__).resolve().parent.parent
DBT_PROJECT = PROJECT / "dbt_project"
EXPECTATIONS = PROJECT / "expectations"
FEEDS = PROJECT / "pipelines" / "ingest" / "feeds"

DEFAULT_HOME = "home"
HOME_VARIABLE = "UPHELD_HOME"
"""The home folder, where none is named on the command line."""

BUILD_DATABASE_VARIABLE = "UPHELD_BUILD_DATABASE"
"""What dbt's profile reads: the DuckDB file that a build writes."""


def keep_quiet() -> None:
    """Turn off every library's telemetry. Call it before any of them is imported: they read it at import."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def home_in_environment() -> Home:
    """The home that UPHELD_HOME names, else `home` in the current folder."""
    return Home.at(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)
