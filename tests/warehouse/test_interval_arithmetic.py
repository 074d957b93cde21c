"""The interval arithmetic of the SQL against plain Python, on timelines nobody thought of.

The macros are rendered with Jinja alone and run by DuckDB, so that hundreds of timelines take seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
START = datetime(2026, 1, 1)


def sql(call: str, *files: str) -> str:
    """The SQL that a macro call becomes, with ref() naming the table itself."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["ref"] = lambda name: name
    environment.globals["var"] = lambda name, default=None: default
    environment.globals["return"] = lambda value: value
    source = "".join((MACROS / file).read_text() for file in files)
    return environment.from_string(source + "{{ " + call + " }}").render().strip()


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def table(database, name: str, columns: dict[str, str], rows: list[tuple]) -> None:
    database.execute(f"create or replace table {name} ({', '.join(f'{c} {t}' for c, t in columns.items())})")
    if rows:
        database.executemany(f"insert into {name} values ({', '.join('?' * len(columns))})", rows)


# -- windows ------------------------------------------------------------------------------------------------------

windows_of_logs = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 200), st.integers(0, 40)).map(
        lambda one: (one[0], one[1], one[1] + one[2])
    ),
    max_size=12,
)


def merged(windows):
    """Windows that touch or overlap become one; a second between them is no gap."""
    found = []
    for key in {window[0] for window in windows}:
        current = None
        for _, begin, end in sorted(window for window in windows if window[0] == key):
            if current and begin <= current[1] + 1:
                current[1] = max(current[1], end)
            else:
                current = [begin, end]
                found.append((key, current))
    return sorted((key, at(begin), at(end)) for key, (begin, end) in found)


@settings(max_examples=200, deadline=None)
@given(windows=windows_of_logs)
def test_windows_merge_as_plain_python_merges_them(database, windows):
    table(database, "windows", {"feed": "varchar", "covered_from": "timestamp", "covered_to": "timestamp"},
          [(key, at(begin), at(end)) for key, begin, end in windows])
    query = sql("merged_windows('windows', ['feed'])", "windows.sql", "time.sql")
    assert sorted(database.execute(f"select feed, covered_from, covered_to from {query}").fetchall()) == merged(windows)


@settings(max_examples=100, deadline=None)
@given(windows=windows_of_logs, order=st.randoms(use_true_random=False))
def test_the_order_of_windows_does_not_matter(database, windows, order):
    query = sql("merged_windows('windows', ['feed'])", "windows.sql", "time.sql")
    found = []
    for _ in range(2):
        order.shuffle(windows)
        table(database, "windows", {"feed": "varchar", "covered_from": "timestamp", "covered_to": "timestamp"},
              [(key, at(begin), at(end)) for key, begin, end in windows])
        found.append(sorted(database.execute(f"select * from {query}").fetchall()))
    assert found[0] == found[1]


# -- states -------------------------------------------------------------------------------------------------------

OBSERVED = {
    "system": "varchar", "subject_id": "varchar", "observed_at": "timestamp", "is_open": "boolean",
    "is_exact": "boolean", "source_rank": "integer", "tie_order": "integer", "evidence": "varchar[]",
}

# Minutes apart, so that no inventory date echoes an event; each instant has one observation.
observations_of_subject = st.lists(
    st.tuples(st.integers(0, 500), st.booleans(), st.sampled_from([(True, 0), (False, 2), (False, 3)])),
    max_size=12,
    unique_by=lambda one: one[0],
).map(lambda found: [(minute * 300, is_open and kind[1] != 3, *kind) for minute, is_open, kind in found])


def stretches(observations):
    """What a careful reader writes down: when it opened, when it is known closed, when last seen open."""
    found = []
    current = None
    previous = None
    for second, is_open, is_exact, _ in sorted(observations):
        if is_open and current is None:
            opened_at = at(second) if is_exact or previous is not None else None
            current = {"opened_at": opened_at, "opened_by": at(second), "last": second}
        elif is_open:
            current["last"] = second
        elif current is not None:
            last = second if is_exact else current["last"]
            found.append((current["opened_at"], current["opened_by"], at(second), at(last)))
            current = None
        elif previous is None and is_exact:
            found.append((None, at(second), at(second), at(second)))
        previous = is_open
    if current is not None:
        found.append((current["opened_at"], current["opened_by"], None, at(current["last"])))
    return found


@settings(max_examples=300, deadline=None)
@given(observations=observations_of_subject)
def test_states_over_time_are_what_a_careful_reader_writes_down(database, observations):
    table(database, "observations", OBSERVED,
          [("s", "x", at(second), is_open, is_exact, rank, rank, [f"e:{second}"])
           for second, is_open, is_exact, rank in observations])
    query = sql("open_stretches('observations', ['system', 'subject_id'])", "states.sql")
    found = database.execute(
        f"select opened_at, opened_by, closed_at, last_seen_open_at from {query} order by opened_by"
    ).fetchall()
    assert found == stretches(observations)


@settings(max_examples=100, deadline=None)
@given(observations=observations_of_subject, windows=windows_of_logs)
def test_less_coverage_never_makes_a_subject_known_open_for_longer(database, observations, windows):
    table(database, "observations", OBSERVED,
          [("s", "x", at(second), is_open, is_exact, rank, rank, [f"e:{second}"])
           for second, is_open, is_exact, rank in observations])
    database.execute(f"""
        create or replace table stretches as
        select *, 'main' as instance from {sql("open_stretches('observations', ['system', 'subject_id'])", "states.sql")}
    """)
    table(database, "uses", {"system": "varchar", "instance": "varchar", "subject_id": "varchar", "used_at": "timestamp"}, [])
    query = sql("with_known_open_until('stretches', 'account_state', 'uses')", "windows.sql", "time.sql")
    merged_whole = merged([("a", begin * 700, end * 700) for _, begin, end in windows])

    def known(watched):
        table(database, "fct_observed_windows",
              {"system": "varchar", "instance": "varchar", "input": "varchar", "covered_from": "timestamp", "covered_to": "timestamp"},
              [("s", "main", "account_state", begin, end) for _, begin, end in watched])
        return database.execute(f"select known_open_until from {query} order by opened_by").fetchall()

    for (some,), (more,) in zip(known(merged_whole[::2]), known(merged_whole), strict=True):
        assert some <= more


# -- instants -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10)),
        ("2026-03-02T10:00:00.123456789Z", datetime(2026, 3, 2, 10, 0, 0, 123456)),
        ("2026-03-02T10:00:00.5+01:00", datetime(2026, 3, 2, 9, 0, 0, 500000)),
        ("2026-03-02T10:00:00.000+0100", datetime(2026, 3, 2, 9)),
        ("2026-03-02 10:00:00", datetime(2026, 3, 2, 10)),
        ("1772445600", datetime(2026, 3, 2, 10)),
        ("1772445600.25", datetime(2026, 3, 2, 10, 0, 0, 250000)),
        ("1772445600123", datetime(2026, 3, 2, 10, 0, 0, 123000)),
        ("1772445600123456", datetime(2026, 3, 2, 10, 0, 0, 123456)),
        ("N/A", None),
        ("no_information", None),
        ("0000-00-00", None),
        ("", None),
    ],
)
def test_an_instant_is_read_however_a_vendor_writes_it(database, written, instant):
    read = sql("instant('$text')", "time.sql")
    (found,) = database.execute(f"select {read}", {"text": written}).fetchone()
    assert found == instant


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-02T00:00:00.000Z", "2026-03-02"),
        ("3/2/2026", "2026-03-02"),
        ("03/02/26", "2026-03-02"),
        ("2-Mar-2026", "2026-03-02"),
        ("0000-00-00", None),
        ("9999-12-31", None),
        ("Bad Date", None),
    ],
)
def test_a_date_is_read_however_hr_writes_it(database, written, day):
    read = sql("calendar_date('$text')", "canonical.sql", "time.sql")
    (found,) = database.execute(f"select cast({read} as varchar)", {"text": written}).fetchone()
    assert found == day
