"""What is set from outside: the project's own files, environment variables, and a home's `upheld.toml`.

What a home looks like is in home.py.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path
from typing import Any

from pipelines.errors import UserMistake
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

SIGNING_KEY_VARIABLE = "UPHELD_SIGNING_KEY"
"""The private key (Ed25519, PEM) that manifests are signed with; unset, they aren't signed."""


def keep_quiet() -> None:
    """Turn off every library's telemetry. Call it before any of them is imported: they read it at import."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def home_in_environment() -> Home:
    """The home that UPHELD_HOME names, else `home` in the current folder."""
    return Home.at(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)


def signing_key_file() -> Path | None:
    """The file that UPHELD_SIGNING_KEY names."""
    named = os.environ.get(SIGNING_KEY_VARIABLE)
    return Path(named).expanduser() if named else None


def table_of(home: Home, name: str) -> dict[str, Any]:
    """One table of `<home>/upheld.toml`, as written; empty where there is none. Whoever asks for it checks its values.

    Raises UserMistake where the file can't be read as TOML or `name` is no table.
    """
    try:
        content = tomllib.loads(home.settings.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise UserMistake(f"{home.settings}: expected TOML, found something else ({problem}).") from None
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise UserMistake(f"{home.settings}: expected a table [{name}], found {table!r}.")
    return table


def feed_timezones(home: Home) -> dict[str, str]:
    """`system/feed` -> the zone of that feed's times without one, as [timezones] of `<home>/upheld.toml` says; UTC is left out.

    Raises UserMistake where a key is no `system/feed` or a value no zone. Whether the feed exists is not known here.
    """
    zones = table_of(home, "timezones")
    for feed, zone in zones.items():
        if feed.count("/") != 1 or not isinstance(zone, str) or not _is_zone(zone):
            raise UserMistake(
                f"{home.settings}, [timezones]: expected \"system/feed\" = a zone such as \"Europe/Berlin\", "
                f"found {feed!r} = {zone!r}."
            )
    return {feed: zone for feed, zone in sorted(zones.items()) if zone != "UTC"}


def _is_zone(zone: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return bool(ZoneInfo(zone).key)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False


def settings_sha256(home: Home) -> str | None:
    """The SHA-256 of `<home>/upheld.toml`; None where there is none."""
    try:
        return hashlib.sha256(home.settings.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
