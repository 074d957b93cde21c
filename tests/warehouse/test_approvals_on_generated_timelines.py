"""Access approval and review follow-through in SQL against the plain-Python oracle, on timelines nobody thought of.

The models' own SQL is rendered with Jinja alone and run by DuckDB on generated facts, so that hundreds of timelines take
seconds. Times are hours of a period of 90 days.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.company import oracle_access_approval as approval
from tests.company import oracle_review_follow_through as review

DBT = Path(__file__).parents[2] / "dbt_project"
START = datetime(2026, 1, 1, tzinfo=UTC)
CUTOFF = START + timedelta(days=90)
MONTH = timedelta(days=30)
PEOPLE = ["E1001", "E1002", "E1003", "E1031"]
HOURS = st.integers(-24 * 60, 24 * 100)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def naive(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=None) if moment else None


def model(path: str) -> str:
    """A model's SQL, with ref() naming the table itself."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["ref"] = lambda name: name
    macros = "".join(file.read_text() for file in sorted((DBT / "macros").glob("*.sql")))
    return environment.from_string(macros + (DBT / "models" / path).read_text()).render()


TABLES = {
    "dim_periods": "period_id varchar, start_at timestamp, end_at timestamp, cutoff_at timestamp, as_of timestamp, timezone varchar",
    "dim_policies": """period_id varchar, control_id varchar, parameter varchar, value varchar, scope_key varchar, scope_value varchar,
        specificity integer, valid_from timestamp, valid_until timestamp, policy_order integer""",
    "dim_waivers": """period_id varchar, waiver_id varchar, control_id varchar, system varchar, subject_id varchar,
        in_force_from timestamp, in_force_until timestamp, waiver_evidence varchar""",
    "fct_grants": """grant_type varchar, system varchar, instance varchar, subject_type varchar, subject_id varchar, subject_name varchar,
        account_id varchar, user_name varchar, email varchar, account_type varchar, credential_id varchar, credential_type varchar,
        entitlement varchar, entitlement_name varchar, entitlement_type varchar, is_privileged boolean, identity_id varchar,
        identity_type varchar, tags map(varchar, varchar), granted_at timestamp, not_before timestamp, not_after timestamp,
        is_further_key boolean, settled_at timestamp, granted_by varchar, evidence varchar[]""",
    "fct_ticket_targets": """kind varchar, source_system varchar, source_instance varchar, ticket_id varchar, system varchar,
        instance varchar, subject_type varchar, account_id varchar, credential_id varchar, link_rule varchar, entitlement varchar,
        is_history_complete boolean, evidence varchar[]""",
    "fct_approvals": """kind varchar, source_system varchar, source_instance varchar, ticket_id varchar, approved_at timestamp,
        withdrawn_at timestamp, approver varchar, approver_email varchar, approver_identity_ids varchar[], is_human boolean,
        is_requester boolean, is_beneficiary boolean, evidence varchar[]""",
    "fct_ticket_windows": """period_id varchar, kind varchar, system varchar, feed varchar, instance varchar, required_from timestamp,
        required_until timestamp, covered_from timestamp, covered_to timestamp""",
    "fct_review_decisions": """source_system varchar, source_instance varchar, campaign_id varchar, launched_at timestamp, system varchar,
        account_instance varchar, account_id varchar, entitlement varchar, reviewer_email varchar, reviewer_identity_id varchar,
        is_by_machine boolean, is_about_own_account boolean, decision varchar, decided_at timestamp, decided_on date, evidence varchar[]""",
    "dim_accounts": """system varchar, instance varchar, account_id varchar, account_name varchar, user_name varchar, email varchar,
        account_type varchar, identity_id varchar, identity_type varchar, is_human boolean, tags map(varchar, varchar), evidence varchar""",
    "fct_access_spells": """system varchar, instance varchar, account_id varchar, entitlement varchar, entitlement_name varchar,
        is_origin_unknown boolean, opened_by timestamp, closed_at timestamp, is_close_exact boolean, known_open_until timestamp,
        opened_evidence varchar[], seen_evidence varchar[], closed_evidence varchar[]""",
    "int_known_names": "system varchar, name varchar, identity_ids varchar[], is_human boolean",
    "stg_decisions__owners": "sha256 varchar, record_number bigint, identity_id varchar, owner_email varchar, first_day date, last_day date",
    "int_deliveries": "sha256 varchar, source_system varchar, source_feed varchar, status varchar, collected_at timestamp",
}
POLICIES = {("APR", "valid_days"): "30", ("APR", "approvers"): "1", ("APR", "privileged_approvers"): "2",
            ("RVF", "sla_days"): "7", ("RVF", "regrant_days"): "30", ("REV", "exclude_sole_owner"): "true"}  # fmt: skip


@pytest.fixture(scope="module")
def database():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def fill(database, **tables: list[dict]) -> None:
    """Every table anew: empty, but for the rows given, the period and the default policies."""
    tables["dim_periods"] = [{"period_id": "P", "start_at": naive(START), "end_at": naive(CUTOFF), "cutoff_at": naive(CUTOFF),
                              "as_of": naive(CUTOFF + MONTH), "timezone": "UTC"}]  # fmt: skip
    tables["dim_policies"] = [
        {"period_id": "P", "control_id": control, "parameter": parameter, "value": value, "scope_key": "all",
         "specificity": 0, "policy_order": -1}
        for (control, parameter), value in POLICIES.items()
    ]  # fmt: skip
    for name, columns in TABLES.items():
        database.execute(f"create or replace table {name} ({columns})")
        for row in tables.get(name, []):
            database.execute(f"insert into {name} ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))


def verdicts(database, path: str) -> dict[str, tuple[str, str]]:
    rows = database.execute(f"select subject_id, outcome, reason from ({model(path)})").fetchall()
    return {subject: (outcome, reason or "") for subject, outcome, reason in rows}


def approvals_of(ticket: str, request: approval.Request) -> list[dict]:
    """The rows that fct_approvals would hold: each act of approving, with the first refusal that follows."""
    rows = []
    for when, who, act in request.acts:
        if act == "approved":
            refusals = [later for later, _, other in request.acts if other == "rejected" and later >= when]
            rows.append({
                "kind": "access_request", "source_system": "jira", "source_instance": "main", "ticket_id": ticket,
                "approved_at": naive(when), "withdrawn_at": naive(min(refusals, default=None)), "approver": who,
                "approver_email": f"{who}@x.example", "approver_identity_ids": [who], "is_human": True,
                "is_requester": who == request.requester, "is_beneficiary": who == request.beneficiary, "evidence": ["t:1"],
            })  # fmt: skip
    return rows


def target_of(ticket: str, account: str, request: approval.Request) -> dict:
    return {"kind": "access_request", "source_system": "jira", "source_instance": "main", "ticket_id": ticket, "system": "gitea",
            "instance": "main", "subject_type": "account", "account_id": account, "entitlement": request.entitlement or None,
            "is_history_complete": request.is_whole, "evidence": ["t:1"]}  # fmt: skip


acts = st.lists(
    st.tuples(HOURS.map(at), st.sampled_from(PEOPLE), st.sampled_from(["approved", "approved", "approved", "rejected"])),
    max_size=5, unique_by=lambda act: act[0],
).map(tuple)  # fmt: skip
tickets = st.builds(
    approval.Request, st.just("gitea"), st.just("account"), st.sampled_from(["", "team"]), st.sampled_from(PEOPLE),
    st.sampled_from([None, *PEOPLE]), acts, st.booleans(),
)  # fmt: skip


@st.composite
def grants(draw) -> tuple[approval.Grant, bool]:
    """A grant of the period at an instant, between two lists, or at nobody knows when; and whether it is privileged."""
    by = at(draw(st.integers(0, 24 * 90 - 1)))
    after = draw(st.sampled_from([by, by, by - timedelta(hours=draw(st.integers(1, 24 * 40))), None]))
    settled = by + timedelta(days=7) if after == by and draw(st.booleans()) else None
    grant = approval.Grant("gitea", "main", "account", frozenset({"account"}), draw(st.sampled_from(PEOPLE)), after, by, "team", settled)
    return grant, draw(st.booleans())


@FEW
@given(cases=st.lists(st.tuples(grants(), st.lists(tickets, max_size=3)), min_size=1, max_size=8), covered_from=HOURS)
def test_approvals_are_judged_as_the_oracle_judges_them(database, cases, covered_from):
    rows, targets, given, expected = [], [], [], {}
    for n, ((grant, is_privileged), about) in enumerate(cases):
        account = f"account-{n}"
        rows.append({
            "grant_type": "entitlement", "system": "gitea", "instance": "main", "subject_type": "account", "subject_id": account,
            "account_id": account, "entitlement": "team", "is_privileged": is_privileged, "identity_id": grant.holder,
            "identity_type": "employee", "not_before": naive(grant.after), "not_after": naive(grant.by),
            "granted_at": naive(grant.by) if grant.after == grant.by else None, "settled_at": naive(grant.settled),
            "evidence": ["g:1"],
        })  # fmt: skip
        for m, request in enumerate(about):
            targets.append(target_of(f"T-{n}-{m}", account, request))
            given += approvals_of(f"T-{n}-{m}", request)
        seen = grant.after is not None and at(covered_from) <= grant.after - MONTH
        expected[account] = approval.judged(grant, about, MONTH, 2 if is_privileged else 1, CUTOFF, seen)[:2]
    window = {"period_id": "P", "kind": "access_request", "system": "jira", "feed": "issues", "instance": "main",
              "required_from": datetime(1, 1, 1), "required_until": naive(CUTOFF), "covered_from": naive(at(covered_from)),
              "covered_to": naive(CUTOFF + MONTH)}  # fmt: skip
    fill(database, fct_grants=rows, fct_ticket_targets=targets, fct_approvals=given, fct_ticket_windows=[window])
    assert verdicts(database, "controls/access_approval/int_control__access_approval.sql") == expected


@st.composite
def accesses(draw) -> tuple[datetime, list[tuple[datetime, datetime, datetime | None]], list[approval.Request]]:
    """When an access was revoked, its stretches (from, last seen there, seen gone), and the requests for it."""
    decided = at(draw(st.integers(0, 24 * 90 - 1)))
    instants = sorted(draw(st.lists(st.integers(-24 * 60, 24 * 100), min_size=1, max_size=5, unique=True)))
    spans = []
    for n in range(0, len(instants), 2):
        opened = at(instants[n])
        gone = at(instants[n + 1]) if n + 1 < len(instants) else None
        # A closing is known to the instant, or lies somewhere after the last sighting.
        seen = gone if gone and draw(st.booleans()) else at(draw(st.integers(instants[n], instants[n + 1] if gone else 24 * 120)))
        spans.append((opened, seen if seen else opened, gone))
    return decided, spans, draw(st.lists(tickets, max_size=2))


@FEW
@given(cases=st.lists(accesses(), min_size=1, max_size=8))
def test_revocations_are_followed_through_as_the_oracle_judges_them(database, cases):
    decisions, accounts, spells, targets, given, expected = [], [], [], [], [], {}
    holder = "E1031"
    for n, (decided, spans, about) in enumerate(cases):
        account = f"account-{n}"
        decisions.append({"source_instance": "main", "campaign_id": "C", "launched_at": naive(decided), "system": "gitea",
                          "account_instance": "main", "account_id": account, "entitlement": "team", "decision": "revoke",
                          "reviewer_email": "boss@x.example", "decided_at": naive(decided), "evidence": ["d:1"]})  # fmt: skip
        accounts.append({"system": "gitea", "instance": "main", "account_id": account, "identity_id": holder,
                         "identity_type": "employee", "is_human": True, "evidence": "a:1"})  # fmt: skip
        for opened, seen, gone in spans:
            spells.append({"system": "gitea", "instance": "main", "account_id": account, "entitlement": "team",
                           "is_origin_unknown": False, "opened_by": naive(opened), "closed_at": naive(gone),
                           "known_open_until": naive(seen), "opened_evidence": ["o:1"], "seen_evidence": ["s:1"],
                           "closed_evidence": ["c:1"]})  # fmt: skip
        for m, request in enumerate(about):
            targets.append(target_of(f"T-{n}-{m}", account, request))
            given += approvals_of(f"T-{n}-{m}", request)
        expected[account] = _followed(decided, spans, about, holder)
    window = {"period_id": "P", "kind": "access_request", "system": "jira", "feed": "issues", "instance": "main",
              "required_from": datetime(1, 1, 1), "required_until": naive(CUTOFF), "covered_from": naive(at(-24 * 100)),
              "covered_to": naive(CUTOFF + MONTH)}  # fmt: skip
    fill(database, fct_review_decisions=decisions, dim_accounts=accounts, fct_access_spells=spells, fct_ticket_targets=targets,
         fct_approvals=given, fct_ticket_windows=[window])  # fmt: skip
    database.execute(f"create or replace table fct_regrants as {model('facts/fct_regrants.sql')}")
    assert verdicts(database, "controls/review_follow_through/int_control__review_follow_through.sql") == expected


def _followed(decided: datetime, spans, about: list[approval.Request], holder: str) -> tuple[str, str]:
    """What a careful reader makes of it: the stretch at the decision, its end, and whether it came back unasked."""
    before = [span for span in spans if span[0] <= decided]
    if not before:
        return "indeterminate", "removal_unobservable"
    _, seen, gone = before[-1]
    back = [opened for opened, _, _ in spans if gone and decided < opened <= CUTOFF and gone <= opened <= gone + MONTH]
    unasked = any(not _approved_again(about, decided, start, holder) for start in back)
    return review.judged(decided + timedelta(days=7), seen, gone, unasked, CUTOFF)


def _approved_again(about: list[approval.Request], decided: datetime, start: datetime, holder: str) -> bool:
    return any(
        act == "approved" and decided <= when <= start and who not in (request.requester, request.beneficiary, holder)
        and not any(other == "rejected" and when <= later <= start for later, _, other in request.acts)
        for request in about
        for when, who, act in request.acts
    )  # fmt: skip
