"""How long a bundle of 100,000 operations takes to write, format by format, and in how much memory.

    python bench/bundle.py --operations 100000

The budget is one minute and 1.5 GB for everything. Where a Chromium is found, the page is opened and filtered, too.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import monotonic

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "reports")]

SECONDS, MEGABYTES = 60, 1500
PERIOD = "2026-H1"

# A company of many keys, accounts and logs: one operation in twenty is an exception, each rests on two or three records
# of three thousand files.
_FILES = """
insert into rpt_evidence_files
select
    'aws', 'credential_report', 'main', 'report-' || i || '.csv', sha256('file' || i), 1000 + i,
    timestamp '2026-01-01' + interval (i) hour, 'name', null, null, null, 100 + i, 0, null, null, null, false, null, null,
    'accepted', null
from range(3000) as t(i)
"""
_OPERATIONS = """
insert into rpt_control_operations
select
    md5('operation' || i), '2026-H1', ['ROT', 'REV', 'OFF', 'LOG', 'DOR', 'EVD'][1 + i % 6],
    case i % 6 when 3 then 'feed' when 5 then 'feed' else 'credential' end,
    case i % 6 when 3 then 'system' || (i // 6 % 90) || '/audit_log/main' else 'AKIA' || upper(md5('key' || i)[:16]) end,
    case i % 6 when 3 then 'system' || (i // 6 % 90) || '/audit_log' else 'deployer-' || i end, 'aws', 'main', 'nhi:deployer-' || (i % 20000), null,
    case i % 6 when 1 then ['2026-Q1', '2026-Q2'][1 + i // 6 % 2]
        when 3 then strftime(opened_at, '%Y-%m-%d') end,
    opened_at, opened_at + case i % 6 when 3 then interval 1 day else interval 90 day end,
    case when outcome in ('operated', 'deviation') then opened_at + interval (30 + i % 80) day end,
    'age_days', 30 + i % 80 + (i % 7) / 7, 90, 'd', outcome,
    case when outcome <> 'operated' then 'late' end,
    'Closed after ' || (30 + i % 80) || '.0 d; 90 d allowed, as deployer-' || i || ' shows.', null,
    sha256('file' || (i % 3000)) || ':' || (1 + i % 900) || ' ' || sha256('file' || ((i + 7) % 3000)) || ':' || (1 + i % 700)
from (
    select
        i,
        case i % 6
            when 3 then timestamp '2026-01-01' + interval (i // 540 % 181) day
            else timestamp '2025-12-01' + interval (i * 7919 % 200000) minute
        end as opened_at,
        case when i % 40 = 0 then 'deviation' when i % 40 = 1 then 'indeterminate' when i % 40 = 2 then 'pending'
            else 'operated' end as outcome
    from range($operations) as t(i)
)
"""
_AFTERWARDS = """
delete from rpt_deviations;
insert into rpt_deviations
select *, due_at from rpt_control_operations where outcome in ('deviation', 'waived');
update rpt_control_coverage set
    population = found.population, tested = found.population - found.pending, operated = found.operated,
    deviations = found.deviations, waived = found.waived, indeterminate = found.indeterminate, pending = found.pending
from (
    select
        period_id, control_id, count(*) as population, count(*) filter (outcome = 'operated') as operated,
        count(*) filter (outcome = 'deviation') as deviations, count(*) filter (outcome = 'waived') as waived,
        count(*) filter (outcome = 'indeterminate') as indeterminate, count(*) filter (outcome = 'pending') as pending
    from rpt_control_operations
    group by all
) as found
where rpt_control_coverage.period_id = found.period_id and rpt_control_coverage.control_id = found.control_id
"""


def make_company(folder: Path, operations: int) -> None:
    """A home whose published warehouse has so many operations, besides the few of the report tests."""
    import duckdb
    from made_up_warehouse import make_home

    home = make_home(folder)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(_FILES)
        connection.execute(_OPERATIONS, {"operations": operations})
        connection.execute(_AFTERWARDS)


def write_formats(folder: Path) -> None:
    """Write every format as a bundle does, and print what each took. Runs in a process of its own."""
    from pipelines.home import Home
    from pipelines.reports.bundle import formats
    from pipelines.reports.manifest import data_digest, file_digests
    from pipelines.reports.report import open_report

    home = Home.at(folder)
    target = folder / "bundle"
    target.mkdir()
    began = monotonic()
    with open_report(home.warehouse, PERIOD) as report:
        print(f"{'read':<8}{monotonic() - began:8.2f} s{_peak():8.0f} MB so far")
        for module in formats():
            before = monotonic()
            if not module.WRITES_DATA and report.data_digest is None:
                report = replace(report, data_digest=data_digest(file_digests(target)))
            module.render(report, target)
            name = module.__name__.split(".")[-2]
            print(f"{name:<8}{monotonic() - before:8.2f} s{_peak():8.0f} MB so far", flush=True)
    for path in sorted(target.rglob("*")):
        if path.is_file() and path.stat().st_size > 1e6:
            print(f"        {path.stat().st_size / 1e6:8.1f} MB {path.relative_to(target)}")
    seconds, megabytes = monotonic() - began, _peak()
    print(f"{'all':<8}{seconds:8.2f} s{megabytes:8.0f} MB; the budget is {SECONDS} s and {MEGABYTES} MB")
    if seconds > SECONDS or megabytes > MEGABYTES:
        sys.exit(1)


def browse(page_file: Path) -> None:
    """Open the page as a reader does, and time what a reader waits for."""
    from playwright.sync_api import sync_playwright
    from report_checks import find_chromium

    if find_chromium() is None:
        print("No Chromium here: the page was not opened.")
        return
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        began = monotonic()
        page.goto(page_file.as_uri())
        page.get_by_role("heading", level=1).wait_for()
        print(f"{'page opens':<22}{monotonic() - began:6.2f} s")

        def search(words: str) -> None:
            page.get_by_label("Search").fill(words)

        began = monotonic()
        page.locator("#identities").scroll_into_view_if_needed()
        page.locator("#identity-list li").first.wait_for()
        page.locator("#rows tr.row").first.wait_for()
        print(f"{'identity and table':<22}{monotonic() - began:6.2f} s")
        for name, act in (
            ("search for a name", lambda: search("deployer-4711")),
            ("search for a word", lambda: search("closed")),
            ("choose a control", lambda: page.locator("#filter-control").select_option("ROT")),
            ("sort by a time", lambda: page.get_by_role("button", name="Due").click()),
        ):
            before = page.locator("#filter-status").inner_text()
            began = monotonic()
            act()
            if "sort" not in name:
                page.wait_for_function(
                    "before => document.getElementById('filter-status').textContent !== before", arg=before
                )
            print(f"{name:<22}{monotonic() - began:6.2f} s")
        browser.close()


def _peak() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Print one line per format, then what a reader of the page waits for."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--operations", type=int, default=100_000)
    asked.add_argument("--write", type=Path, help="write the formats of the home in this folder and stop")
    options = asked.parse_args()
    if options.write:
        write_formats(options.write)
        return
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{options.operations:,} operations")
    with tempfile.TemporaryDirectory() as folder:
        make_company(Path(folder), options.operations)
        environment = os.environ | {"PYTHONPATH": str(PROJECT)}
        done = subprocess.run([sys.executable, __file__, "--write", folder], env=environment)
        browse(Path(folder) / "bundle" / "report.html")
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
