"""Homes with a made-up published warehouse, and the bundle written from it."""

from __future__ import annotations

import pytest
from made_up_warehouse import make_home
from report_checks import PERIOD, find_chromium

from pipelines.home import Home
from pipelines.reports.bundle import Bundle, write_bundle

collect_ignore: list[str] = []
if find_chromium() is None:
    collect_ignore.append("test_report_in_a_browser.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out: a run without a browser must not look like a whole one."""
    if collect_ignore:
        terminalreporter.write_line(
            "No Chromium here: the report was not tested in a browser. Install chromium or set UPHELD_CHROMIUM.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def bundle(home: Home) -> Bundle:
    return write_bundle(home, PERIOD)
