"""What people decided is checked row by row, and what does not hold is rejected by its reason."""

from __future__ import annotations

import pytest

POLICIES = "control_id,parameter,value,scope,valid_from,valid_to,approved_by,reason"


def _one(read, feed: str, headings: str, row: str) -> str | None:
    found = read(f"{headings}\n{row}\n".encode(), f"decisions/{feed}")
    assert found.result.status == "accepted"
    return found.faults.get(1)


@pytest.mark.parametrize(
    "row",
    [
        "ROT,max_age_days,90,,2025-01-01,,c@x,Standard",
        "ROT,max_age_days,0.5,system=aws,,,,",
        "ROT,max_age_days,30,tag:env=prod,2025-01-01,2025-12-31,c@x,",
        "REV,frequency,quarterly,,,,c@x,",
        "REV,exclude_sole_owner,true,,,,c@x,",
        "APR,privileged_approvers,2,,,,c@x,",
        "OFF,sla_hours,24,subject=arn:aws:iam::1:user/x,,,c@x,",
        "LOG,slot_hours,24,,,,c@x,",
        "DOR,grace_days,0,,,,c@x,",
    ],
)
def test_a_sound_policy_is_taken(read, row):
    assert _one(read, "policies", POLICIES, row) is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("XYZ,max_age_days,90,,,,c@x,", 'found "XYZ"'),
        ("rot,max_age_days,90,,,,c@x,", 'found "rot"'),
        ("ROT,max_age,90,,,,c@x,", 'expected one that ROT has, found "max_age"'),
        ("OFF,sla_days,1,,,,c@x,", 'found "sla_days"'),
        ("ROT,max_age_days,ninety,,,,c@x,", '"ninety" is no value'),
        ("ROT,max_age_days,-1,,,,c@x,", '"-1" is no value'),
        ("ROT,max_age_days,inf,,,,c@x,", '"inf" is no value'),
        ("ROT,max_age_days,nan,,,,c@x,", '"nan" is no value'),
        ("REV,frequency,weekly,,,,c@x,", '"weekly" is no value'),
        ("REV,exclude_sole_owner,maybe,,,,c@x,", '"maybe" is no value'),
        ("APR,approvers,1.5,,,,c@x,", '"1.5" is no value'),
        ("APR,approvers,0,,,,c@x,", '"0" is no value'),
        ("LOG,slot_hours,0,,,,c@x,", '"0" is no value'),
        ("ROT,max_age_days,,,,,c@x,", "value: expected a value"),
        ("ROT,max_age_days,90,aws,,,c@x,", "scope: expected text like"),
        ("ROT,max_age_days,90,color=red,,,c@x,", "scope: expected text like"),
        ("ROT,max_age_days,90,,2025-02-30,,c@x,", "valid_from: expected a day"),
        ("ROT,max_age_days,90,,1/2/2025,,c@x,", "valid_from: expected a day"),
        ("ROT,max_age_days,90,,2025-02-02,2025-02-01,c@x,", "no day before valid_from 2025-02-02"),
    ],
)
def test_an_unsound_policy_is_rejected_by_its_reason(read, row, says):
    assert says in (_one(read, "policies", POLICIES, row) or "")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2026-H1,2026-01-01,2026-07-01,Europe/Berlin", None),
        ("2026-H1,2026-01-01,2026-07-01,UTC", None),
        ("2026-H1,2026-01-01,2026-07-01,", "timezone: expected a value"),
        ("2026-H1,2026-01-01,2026-07-01,Berlin", "timezone: expected a time zone"),
        ("2026-H1,2026-07-01,2026-01-01,UTC", "end: expected a day after the start 2026-07-01"),
        ("2026-H1,2026-07-01,2026-07-01,UTC", "end: expected a day after"),
        ("2026-H1,infinity,2026-07-01,UTC", "start: expected a day"),
        ("../../etc,2026-01-01,2026-07-01,UTC", "period_id: expected text like"),
        (",2026-01-01,2026-07-01,UTC", "period_id: expected a value"),
    ],
)
def test_periods(read, row, says):
    fault = _one(read, "periods", "period_id,start,end,timezone", row)
    assert fault is None if says is None else says in (fault or "")


@pytest.mark.parametrize(
    ("pattern", "is_sound"),
    [("^svc-", True), ("(?i)^BOT", True), ("([", False), ("(?=x)", False), ("a" * 500, True), ("a" * 501, False), ("(a+)+$", True)],
)
def test_patterns_must_compile_and_be_short(read, pattern, is_sound):
    fault = _one(read, "identity_rules", "rule_id,system,field,pattern,identity_type", f'R1,aws,user_name,"{pattern}",bot')
    assert (fault is None) is is_sound and (is_sound or "pattern: expected a regular expression" in fault)


@pytest.mark.parametrize(
    ("pattern", "is_sound"), [("^[a-z_]+:(.+)$", True), ("^(?P<target>.+)$", True), ("^abc$", False), ("^(?:x)$", False), ("^\\(x$", False)]
)
def test_a_target_pattern_needs_a_group(read, pattern, is_sound):
    headings = "system,instance,kind,match_field,match_value,target_field,target_pattern"
    fault = _one(read, "ticket_rules", headings, f"jira,,access_request,a,b,c,{pattern}")
    assert (fault is None) is is_sound and (is_sound or "expected a group" in fault)


@pytest.mark.parametrize(
    ("feed", "headings", "row", "says"),
    [
        ("waivers", "waiver_id,control_id,subject_id,first_day,last_day,approved_by,approved_at", "W,ROT,s,2026-01-01,2026-02-01,c,2026-01-01T00:00:00Z", None),
        ("waivers", "waiver_id,control_id,subject_id,first_day,last_day,approved_at", "W,ROT,s,2026-02-01,2026-01-01,", "last_day"),
        ("waivers", "waiver_id,control_id,subject_id,first_day,last_day,approved_at", "W,ROT,s,2026-01-01,2026-02-01,soon", "approved_at"),
        ("waivers", "waiver_id,control_id,subject_id,first_day,last_day", "W,ZZZ,s,2026-01-01,2026-02-01", "control_id"),
        ("owners", "identity_id,owner_email,valid_from,valid_to", "i,o@x,2026-01-02,2026-01-01", "valid_to"),
        ("owners", "identity_id,owner_email,valid_from,valid_to", "i,,,", "owner_email"),
        ("identity_links", "system,native_id,identity_id,identity_type", "aws,a,i,robot", "identity_type"),
        ("required_feeds", "system,feed,instance,cadence_days,sparse,shows_use", "aws,cloudtrail,,,,", None),
        ("required_feeds", "system,feed,cadence_days", "aws,cloudtrail,0", "cadence_days"),
        ("required_feeds", "system,feed,cadence_days", "aws,cloudtrail,weekly", "cadence_days"),
        ("required_feeds", "system,feed,sparse", "aws,cloudtrail,perhaps", "sparse"),
        ("gap_acceptances", "period_id,subject,first_day,last_day", "P,a/b/c,2026-01-02,2026-01-01", "last_day"),
        ("ticket_rules", "system,kind,match_field,match_value,target_field", "jira,wish,a,b,c", "kind"),
        ("identity_rules", "rule_id,field,pattern,identity_type", "R,shoe_size,x,bot", "field"),
    ],
)  # fmt: skip
def test_rows_of_other_decisions(read, feed, headings, row, says):
    fault = _one(read, feed, headings, row)
    assert fault is None if says is None else (fault or "").startswith(says)


def test_all_faults_of_a_row_are_told_at_once_and_the_row_is_kept(read):
    found = read(f"{POLICIES}\nXYZ,,x,y,never,,,\n".encode(), "decisions/policies")
    for column in ("control_id", "parameter", "scope", "valid_from"):
        assert f"{column}: expected" in found.faults[1]
    assert found.rejected[0]["text"] == "XYZ,,x,y,never,,,"


@pytest.mark.parametrize(
    ("feed", "headings", "row", "says"),
    [
        ("events", "occurred_at,system,action", "2026-03-02T09:00:00Z,gitea,login", None),
        ("events", "occurred_at,system,action,outcome", "2026-03-02T09:00:00Z,gitea,login,SUCCESS", None),
        ("events", "occurred_at,system,action", "2026-03-02T09:00:00Z,gitea,logout", "action"),
        ("events", "occurred_at,system,action", "yesterday,gitea,login", "occurred_at"),
        ("events", "occurred_at,system,action,outcome", "2026-03-02T09:00:00Z,gitea,login,maybe", "outcome"),
        ("credentials", "system,credential_id,credential_type,custody,active", "gitea,k,token,key,true", None),
        ("credentials", "system,credential_id,credential_type,custody,active", "gitea,k,token,locker,true", "custody"),
        ("review_decisions", "campaign_id,launched_at,system,account_id,decision", "C,2026-03-02T08:00:00Z,gitea,1,", None),
        ("review_decisions", "campaign_id,launched_at,system,account_id,decision", "C,2026-03-02T08:00:00Z,gitea,1,Revoke", None),
        ("review_decisions", "campaign_id,launched_at,system,account_id,decision", "C,2026-03-02T08:00:00Z,gitea,1,hmm", "decision"),
    ],
)
def test_closed_vocabularies_of_our_own_csv(read, feed, headings, row, says):
    found = read(f"{headings}\n{row}\n".encode(), f"generic/{feed}")
    assert found.faults.get(1) is None if says is None else found.faults[1].startswith(says)
