"""DOR, ROT and OFF in SQL against plain Python, on lives of an account or a key that nobody thought of.

The controls are rendered with Jinja alone, on tables that hold one life each; whole days keep the arithmetic readable.
"""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROJECT = Path(__file__).parents[2] / "dbt_project"
MACROS = ("evidence.sql", "time.sql", "canonical.sql", "decisions.sql", "judged.sql", "windows.sql", "states.sql")
ORIGIN = datetime(2026, 1, 1)
PERIOD = (0, 181)  # days since the origin; lives run from day -200 to day 200
AS_OF = 200
LONG_AGO, FOR_EVER = datetime(1, 1, 1), datetime(9999, 1, 1)


def on(day):
    return None if day is None else ORIGIN + timedelta(days=day)


@functools.cache
def rendered(model):
    """A control's SQL, with ref() naming the table itself."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {
        "ref": lambda name: name, "execute": False, "return": lambda value: value,
        "var": lambda name: "2026-07-20T00:00:00Z",
    }  # fmt: skip
    macros = "".join((PROJECT / "macros" / file).read_text() for file in MACROS)
    (path,) = PROJECT.glob(f"models/controls/*/{model}.sql")
    return environment.from_string(macros + path.read_text()).render().strip()


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


TABLES = {
    "dim_periods": "period_id varchar, start_at timestamp, end_at timestamp, cutoff_at timestamp, as_of timestamp, timezone varchar",
    "dim_policies": "period_id varchar, control_id varchar, parameter varchar, value varchar, scope_key varchar, scope_value varchar,"
    " specificity integer, valid_from timestamp, valid_until timestamp, policy_order integer",
    "dim_waivers": "period_id varchar, waiver_id varchar, control_id varchar, system varchar, subject_id varchar,"
    " in_force_from timestamp, in_force_until timestamp, waiver_evidence varchar",
    "dim_accounts": "system varchar, instance varchar, account_id varchar, account_name varchar, account_type varchar,"
    " identity_id varchar, identity_type varchar, is_human boolean, tags map(varchar, varchar), evidence varchar, link_evidence varchar",
    "fct_account_creations": "system varchar, instance varchar, account_id varchar, created_at timestamp",
    "fct_account_spells": "system varchar, instance varchar, account_id varchar, opened_at timestamp, opened_by timestamp,"
    " closed_at timestamp, known_open_until timestamp, opened_evidence varchar[], seen_evidence varchar[], closed_evidence varchar[]",
    "int_account_uses": "system varchar, instance varchar, account_id varchar, used_at timestamp, evidence varchar",
    "int_account_listings": "system varchar, instance varchar, subject_id varchar, last_used_at timestamp, collected_at timestamp",
    "fct_use_log_gaps": "period_id varchar, system varchar, instance varchar, log varchar, gap_from timestamp, gap_to timestamp,"
    " why varchar, decision_evidence varchar",
    "fct_terminations": "period_id varchar, identity_id varchar, employee_id varchar, full_name varchar, identity_type varchar,"
    " termination_date date, terminated_at timestamp, is_whole_day boolean, rehired_at timestamp, left_unknown_by timestamp,"
    " left_unknown_because varchar, evidence varchar[]",
    "fct_usage_daily": "system varchar, instance varchar, account_id varchar, first_success_at timestamp,"
    " last_success_at timestamp, first_success_evidence varchar, last_success_evidence varchar",
    "dim_identities": "identity_id varchar, email varchar",
    "stg_decisions__owners": "sha256 varchar, record_number bigint, identity_id varchar, owner_email varchar, first_day date,"
    " last_day date",
    "int_deliveries": "source_system varchar, source_feed varchar, status varchar, collected_at timestamp, sha256 varchar",
    "fct_credential_intervals": "system varchar, instance varchar, credential_id varchar, version bigint, version_id varchar, opened_at timestamp,"
    " opened_by timestamp, closed_at timestamp, known_open_until timestamp, ending varchar, opened_evidence varchar[],"
    " seen_evidence varchar[], closed_evidence varchar[], pauses struct(inactive_from timestamp, active_again_at timestamp,"
    " known_open_until timestamp, evidence varchar[])[], account_id varchar, credential_type varchar, custody varchar,"
    " credential_name varchar, identity_id varchar, identity_type varchar, tags map(varchar, varchar)",
}


def fill(database, **rows):
    """Empty tables but for these rows, given as dicts."""
    for name, columns in TABLES.items():
        database.execute(f"create table if not exists {name} ({columns})")
        database.execute(f"delete from {name}")
    period = {"period_id": "P", "start_at": on(PERIOD[0]), "end_at": on(PERIOD[1]), "cutoff_at": on(PERIOD[1]),
              "as_of": on(AS_OF), "timezone": "UTC"}  # fmt: skip
    for name, found in {"dim_periods": [period], **rows}.items():
        for row in found:
            values = ", ".join("?" * len(row))
            database.execute(f"insert into {name} ({', '.join(row)}) values ({values})", list(row.values()))


def policies(control_id, **values):
    return [
        {"period_id": "P", "control_id": control_id, "parameter": parameter, "value": str(value), "scope_key": "all",
         "specificity": 0, "policy_order": -1}
        for parameter, value in values.items()
    ]  # fmt: skip


# -- DOR --------------------------------------------------------------------------------------------------------------

ACCOUNT = {"system": "s", "instance": "main", "account_id": "a"}


@st.composite
def lives(draw):
    """An account from its opening to its closing, with uses in between and what its log was collected for."""
    opened = draw(st.integers(-200, 150))
    closed = draw(st.none() | st.integers(opened + 1, AS_OF))
    uses = draw(st.sets(st.integers(opened, (closed or AS_OF) - 1), max_size=6))
    watched_from = draw(st.integers(-200, 50))
    hole = draw(st.none() | st.tuples(st.integers(watched_from + 1, 180), st.integers(1, 30)))
    return opened, closed, sorted(uses), watched_from, hole


def dormant(opened, closed, uses, watched_from, hole, limit, grace, allowed_gap):
    """What an auditor writes down about such an account, by the day."""
    start, cutoff = PERIOD
    if opened >= cutoff or (closed is not None and closed <= start):
        return []
    gaps = [(-10_000, watched_from), *([(hole[0], hole[0] + hole[1])] if hole else [])]
    turns = sorted({opened, *uses})
    rows = []
    for n, begun in enumerate(turns):
        again = turns[n + 1] if n + 1 < len(turns) else None
        ended = again if again is not None else closed
        if begun >= cutoff or (ended is not None and ended <= start):
            continue
        passed, due = begun + limit, begun + limit + grace
        if passed >= cutoff or (ended is not None and ended <= passed):
            continue
        until = cutoff if ended is None else min(ended, cutoff)
        overlaps = [(max(low, begun), min(high, until), low == -10_000) for low, high in gaps]
        open_gaps = [gap for gap in overlaps if gap[1] - gap[0] > allowed_gap]
        unseen = any(not before for _, _, before in open_gaps) or any(
            high + limit + grace >= until for _, high, before in open_gaps if before
        )
        if ended is not None and ended <= due:
            rows.append((begun, "operated", None))
        elif due >= cutoff:
            rows.append((begun, "pending", None))
        elif unseen:
            rows.append((begun, "indeterminate", "usage_unobserved"))
        else:
            late = again is None and ended is not None and ended <= cutoff
            rows.append((begun, "deviation", "disabled_late" if late else "dormant_enabled"))
    return rows or [(None, "operated", None)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives(), limit=st.integers(10, 120), grace=st.integers(0, 20), allowed_gap=st.integers(0, 10))
def test_dormancy_is_what_plain_python_says(database, life, limit, grace, allowed_gap):
    opened, closed, uses, watched_from, hole = life
    gap = {"period_id": "P", "system": "s", "instance": "main", "log": "l", "why": "not_collected"}
    gaps = [gap | {"gap_from": LONG_AGO, "gap_to": on(watched_from)}, gap | {"gap_from": on(AS_OF), "gap_to": FOR_EVER}]
    if hole:
        gaps.append(gap | {"gap_from": on(hole[0]), "gap_to": on(hole[0] + hole[1])})
    fill(
        database,
        dim_accounts=[ACCOUNT | {"account_name": "A", "evidence": "e:1"}],
        fct_account_spells=[
            ACCOUNT | {"opened_at": on(opened), "opened_by": on(opened), "closed_at": on(closed),
                       "known_open_until": on(AS_OF if closed is None else closed), "opened_evidence": [],
                       "seen_evidence": [], "closed_evidence": []}
        ],
        int_account_uses=[ACCOUNT | {"used_at": on(use), "evidence": "e:2"} for use in uses],
        fct_use_log_gaps=gaps,
        dim_policies=policies("DOR", limit_days=limit, grace_days=grace, log_gap_days=allowed_gap),
    )  # fmt: skip
    found = database.execute(
        f"select opened_at, outcome, reason from ({rendered('int_control__dormant_identities')}) order by opened_at"
    ).fetchall()
    assert found == [
        (on(begun), outcome, reason)
        for begun, outcome, reason in dormant(opened, closed, uses, watched_from, hole, limit, grace, allowed_gap)
    ]


# -- ROT --------------------------------------------------------------------------------------------------------------


def rotated(opened, closed, known_until, max_age):
    """The verdict on one interval; None where it is not of the period."""
    start, cutoff = PERIOD
    if opened >= cutoff or (closed is not None and closed <= start):
        return None
    deadline = opened + max_age
    if closed is not None and closed <= deadline:
        return "operated", None
    if deadline >= cutoff:
        return "pending", None
    if known_until <= max(deadline, start):
        return "indeterminate", "state_unobserved"
    return "deviation", "late" if closed is not None and closed <= cutoff else "overdue"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opened=st.integers(-200, 190), lasts=st.none() | st.integers(1, 300), unseen=st.integers(0, 40), max_age=st.integers(1, 150)
)
def test_rotation_is_what_plain_python_says(database, opened, lasts, unseen, max_age):
    closed = None if lasts is None or opened + lasts > AS_OF else opened + lasts
    known_until = max(opened, (AS_OF if closed is None else closed) - unseen)
    fill(
        database,
        fct_credential_intervals=[
            {"system": "s", "instance": "main", "credential_id": "k", "opened_at": on(opened), "opened_by": on(opened),
             "closed_at": on(closed), "known_open_until": on(known_until), "opened_evidence": ["e:1"],
             "seen_evidence": ["e:2"], "closed_evidence": ["e:3"], "credential_type": "token", "custody": "key",
             "credential_name": "K"}
        ],
        dim_policies=policies("ROT", max_age_days=max_age),
    )  # fmt: skip
    found = database.execute(f"select outcome, reason from ({rendered('int_control__rotation')})").fetchall()
    expected = rotated(opened, closed, known_until, max_age)
    assert found == ([expected] if expected else [])


# -- OFF --------------------------------------------------------------------------------------------------------------


def left(opened, closed, known_until, uses, terminated, rehired, sla):
    """The verdict on a leaver's account; None where it is no operation of the period."""
    start, cutoff = PERIOD
    due = terminated + sla
    is_new = start <= terminated < cutoff
    is_carried = terminated <= start < due <= cutoff and (closed is None or closed >= start)
    if not (is_new or is_carried) or opened > terminated or (closed is not None and closed < terminated - 30):
        return None
    if rehired is not None and rehired <= due:
        return None
    horizon = min(rehired if rehired is not None else 10_000, max(cutoff, min(due, AS_OF)))
    closing = closed if closed is not None and closed <= horizon else None
    if any(due < use <= min(cutoff, rehired if rehired is not None else cutoff) for use in uses):
        return "deviation", "used_after_deadline"
    if closing is not None and closing <= due:
        return "operated", None
    if due > cutoff:
        return "pending", None
    if min(known_until, horizon) >= due:
        return "deviation", "late" if closing is not None and closing <= cutoff else "not_disabled"
    return "indeterminate", "state_unobserved"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    terminated=st.integers(-20, 190), closes=st.none() | st.integers(-50, 60), unseen=st.integers(0, 20),
    uses=st.sets(st.integers(-30, 60), max_size=3), rehires=st.none() | st.integers(1, 80), sla=st.integers(0, 20),
)  # fmt: skip
def test_offboarding_is_what_plain_python_says(database, terminated, closes, unseen, uses, rehires, sla):
    opened = -300
    closed = None if closes is None or terminated + closes > AS_OF else terminated + closes
    known_until = max(opened, (AS_OF if closed is None else closed) - unseen)
    used = sorted(terminated + use for use in uses)
    rehired = None if rehires is None else terminated + rehires
    fill(
        database,
        fct_terminations=[
            {"period_id": "P", "identity_id": "E1", "full_name": "Lena", "identity_type": "employee",
             "terminated_at": on(terminated), "is_whole_day": False, "rehired_at": on(rehired), "evidence": ["hr:1"]}
        ],
        dim_accounts=[ACCOUNT | {"account_name": "A", "identity_id": "E1", "evidence": "e:1"}],
        fct_account_spells=[
            ACCOUNT | {"opened_at": on(opened), "opened_by": on(opened), "closed_at": on(closed),
                       "known_open_until": on(known_until), "opened_evidence": [], "seen_evidence": [], "closed_evidence": []}
        ],
        fct_usage_daily=[
            ACCOUNT | {"first_success_at": on(use), "last_success_at": on(use), "first_success_evidence": "e:2",
                       "last_success_evidence": "e:2"} for use in used
        ],
        dim_policies=policies("OFF", sla_hours=sla * 24),
    )  # fmt: skip
    found = database.execute(f"select outcome, reason from ({rendered('int_control__leaver_offboarding')})").fetchall()
    expected = left(opened, closed, known_until, used, terminated, rehired, sla)
    assert found == ([expected] if expected else [])
