"""A published warehouse for report tests: only rpt_ tables, a cast that breaks things, the same rows every time.

Lena Leaver's account lived 31 hours too long. Rita Robot's key was never rotated. Mallory Hostile has names that a
spreadsheet would run, a browser would execute or a terminal would obey. The Vault log has a hole of two days.
"""

from __future__ import annotations

import hashlib
import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.binomial import upper_limit_95
from pipelines.home import Home

START, END = datetime(2025, 12, 31, 23), datetime(2026, 6, 30, 22)
AS_OF = datetime(2026, 7, 15, 8)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)

HOSTILE = (
    '=HYPERLINK("http://evil.example","pay")',
    "<script>alert('owned')</script>",
    "</script><img src=x onerror=alert(1)>",
    "+49 30 1234",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "red\x1b[31m\x00alert\nsecond line",
    "invoice\u202egnp.exe",
    "עדי \u200f(חשבונות)",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "'=already quoted",
    'quote " comma , semicolon ;',
    "=1+1</style><style>*{display:none}</style>",
)

CATALOGUE = {
    "ROT": (
        "Secret and key rotation",
        "Secrets and keys are replaced before they outlive their maximum age.",
        "a credential interval that overlaps the period",
        "it closes within its maximum age (90 days unless policy says otherwise)",
    ),
    "REV": (
        "Access review coverage",
        "Every account that can sign in is looked at by a person once per review cycle.",
        "an account active at the launch of a review cycle",
        "a valid decision falls between launch and due date",
    ),
    "RVF": (
        "Review follow-through",
        "Access that a review revoked is really taken away.",
        "a revoke decision",
        "that access is gone within 7 days",
    ),
    "OFF": (
        "Leaver offboarding",
        "People who leave lose every account in time.",
        "an account of a leaver, active at termination",
        "it is disabled or deleted within 24 hours of the end of the last day",
    ),
    "DEC": (
        "NHI decommissioning",
        "Retired non-human identities lose their credentials and are not used again.",
        "a credential or account of a retired NHI",
        "revoked within 7 days of approval and unused for 30 days after",
    ),
    "APR": (
        "Access approval",
        "Nobody gets access that somebody else did not approve before.",
        "a grant of an account, credential, group, role or policy",
        "a ticket for that target was approved before it, at most 30 days earlier",
    ),
    "LOG": (
        "Log continuity",
        "Every required log has events for every day of the period.",
        "a required feed in one slot of one day",
        "a record's event time falls in the slot",
    ),
    "DOR": (
        "Dormant identities",
        "Accounts that nobody uses are switched off.",
        "a spell in which an enabled account goes unused for more than 90 days",
        "disabled or used by the end of grace",
    ),
    "OWN": (
        "NHI ownership",
        "Every non-human identity has a person who answers for it.",
        "an NHI active in the period",
        "an active person owns it on every day but for gaps of at most 14 days",
    ),
    "INC": (
        "Incident containment",
        "Compromised credentials are out of use within hours.",
        "a credential or account named in a compromise incident",
        "disabled, deleted or rotated within 4 hours of detection and unused afterwards",
    ),
    "VLT": (
        "Vault custody",
        "NHI credentials live in a vault, not in files.",
        "an NHI credential active in the period",
        "held in a vault for its active time but the first day",
    ),
    "CHG": (
        "Change approval",
        "Code and pipeline secrets change only after a second person agreed.",
        "a merged change to a protected branch or to a pipeline secret",
        "approved before it by someone other than its author",
    ),
    "EVD": (
        "Evidence cadence",
        "Evidence was collected all through the period, not gathered at its end.",
        "a required feed in one collection slot",
        "evidence was collected in the slot",
    ),
}
ASSESSED = ("ROT", "REV", "OFF", "LOG", "DOR", "INC", "EVD")

_OPERATION = (
    "operation_id varchar, period_id varchar, control_id varchar, subject_type varchar, subject_id varchar,"
    " subject_name varchar, system varchar, instance varchar, identity_id varchar, entitlement varchar, cycle varchar,"
    " opened_at timestamp, due_at timestamp, performed_at timestamp, measure_name varchar, measure_value double,"
    " threshold_value double, unit varchar, outcome varchar, reason varchar, reason_text varchar, waiver_id varchar,"
    " evidence varchar"
)
SCHEMA = {
    "rpt_periods": "period_id varchar, start_at timestamp, end_at timestamp, timezone varchar, as_of timestamp, cutoff_at timestamp, feed_timezones varchar",
    "rpt_control_coverage": "period_id varchar, control_id varchar, title varchar, population bigint, tested bigint,"
    " operated bigint, deviations bigint, waived bigint, indeterminate bigint, pending bigint,"
    " evidence_coverage double, deviation_rate double, deviation_rate_upper_95 double, conclusion varchar",
    "rpt_control_operations": _OPERATION,
    "rpt_deviations": f"{_OPERATION}, began_at timestamp",
    "rpt_expectations": "period_id varchar, expectation varchar, control_id varchar, passed boolean, detail varchar",
    "rpt_evidence_files": "system varchar, feed varchar, instance varchar, original_name varchar, sha256 varchar,"
    " size_bytes bigint, collected_at timestamp, collected_at_source varchar, window_start timestamp,"
    " window_end timestamp, declared_record_count bigint, records_parsed bigint, records_rejected bigint,"
    " first_event_at timestamp, last_event_at timestamp, snapshot_id varchar, filtered boolean, query varchar,"
    " collected_by varchar, status varchar, reject_reason varchar",
    "rpt_rejected_records": "system varchar, feed varchar, instance varchar, original_name varchar, sha256 varchar,"
    " record_number bigint, reason varchar, byte_offset bigint, byte_length bigint, text_sha256 varchar, text varchar",
    "rpt_unlinked": "kind varchar, system varchar, instance varchar, native_id varchar, name varchar, tried varchar, evidence varchar",
    "rpt_controls": "control_id varchar, title varchar, objective varchar, operation_is varchar, operated_when varchar, assessed boolean",
    "rpt_late_decisions": "period_id varchar, kind varchar, decision_id varchar, governs_from timestamp, first_collected_at timestamp, detail varchar",
    "rpt_waivers": "period_id varchar, waiver_id varchar, control_id varchar, system varchar, subject_id varchar,"
    " in_force_from timestamp, in_force_until timestamp, approved_by varchar, approved_at timestamp, reason varchar,"
    " evidence varchar",
    "rpt_feed_coverage": "period_id varchar, system varchar, feed varchar, instance varchar, kind varchar, sparse boolean,"
    " evidence_files bigint, uncovered_seconds double, missed_slots bigint, rejected_records bigint, rejected_files bigint, detail varchar",
    "rpt_evidence_timing": "period_id varchar, control_id varchar, last_tenth_from timestamp, operations bigint,"
    " evidenced_operations bigint, end_loaded_operations bigint, end_loaded_share double",
    "rpt_framework_coverage": "period_id varchar, framework varchar, version varchar, requirement_id varchar, title varchar,"
    " former_ids varchar, answer varchar, relation varchar, control_id varchar, control_title varchar, conclusion varchar,"
    " tested bigint, deviations bigint",
}


class Company:
    """Collects rows; `size` multiplies the population of rotated keys."""

    def __init__(self, period_id: str, size: int) -> None:
        self.period_id = period_id
        self.random = random.Random(20260630)
        self.rows: dict[str, list[tuple]] = {name: [] for name in SCHEMA}
        self.files: dict[str, str] = {}
        self.size = size
        self.evidence_files()
        self.rotation()
        self.offboarding()
        self.log_continuity()
        self.reviews()
        self.dormancy()
        self.cadence()
        self.coverage()
        self.surroundings()

    # -- evidence --------------------------------------------------------------------------------
    def evidence_files(self) -> None:
        plan = [
            ("hashicorp_vault", "audit_log", 26, 7, "vault-audit-{:%Y-%m-%d}.ndjson.gz"),
            ("okta", "system_log", 26, 7, "okta-system-log-{:%Y-%m-%d}.json"),
            ("okta", "users", 26, 7, "okta-users-{:%Y-%m-%d}.json"),
            ("aws", "credential_report", 26, 7, "credential-report-{:%Y-%m-%d}.csv"),
            ("generic", "review_decisions", 2, 91, "quarterly-review-{:%Y-%m-%d}.csv"),
            ("hr", "employees", 6, 30, "workday-terminations-{:%Y-%m}.csv"),
            ("decisions", "policies", 2, 60, "policies-{:%Y-%m-%d}.csv"),
            ("decisions", "waivers", 1, 90, "waivers-{:%Y-%m-%d}.csv"),
            ("decisions", "periods", 1, 1, "periods-{:%Y-%m-%d}.csv"),
        ]
        for system, feed, files, days, pattern in plan:
            for number in range(files):
                at = START + DAY * days * (number + 1)
                name = pattern.format(at)
                digest = hashlib.sha256(f"{system}/{feed}/{name}".encode()).hexdigest()
                self.files[f"{system}/{feed}#{number}"] = digest
                log = feed.endswith("_log")
                parsed = max(900, self.random.randint(40, 9000)) if system != "decisions" else 7
                self.rows["rpt_evidence_files"].append(
                    (
                        system,
                        feed,
                        "main",
                        name,
                        digest,
                        parsed * 431,
                        at + 5 * HOUR,
                        "name",
                        at - DAY * days if log else None,
                        at if log else None,
                        None,
                        parsed,
                        0,
                        at - DAY * days + 0.1 * HOUR if log else None,
                        at - timedelta(seconds=17, microseconds=250_000) if log else None,
                        None,
                        False,
                        None,
                        "collector@acme.example" if log else None,
                        "accepted",
                        None,
                    )
                )
        hostile = hashlib.sha256(b"hostile").hexdigest()
        self.rows["rpt_evidence_files"].append(
            (
                "okta",
                "users",
                "main",
                "=cmd|'/C calc'!A1 <b>.json",
                hostile,
                12,
                AS_OF - DAY,
                "mtime",
                None,
                None,
                None,
                0,
                1,
                None,
                None,
                None,
                None,
                "since=\x07<now>",
                None,
                "rejected",
                "JSON ends early at line 1, column 12.",
            )
        )

    def cite(self, feed: str, *numbers: int) -> str:
        count = sum(1 for key in self.files if key.startswith(f"{feed}#"))
        records = 7 if feed.startswith("decisions/") else 900
        return " ".join(
            f"{self.files[f'{feed}#{n % count}']}:{min(records, self.random.randint(1, 900))}"
            for n in sorted({n % count for n in numbers})
        )

    # -- operations ------------------------------------------------------------------------------
    def add(
        self,
        control: str,
        outcome: str,
        *,
        subject: tuple[str, str, str],
        system: str,
        opened: datetime,
        due: datetime | None = None,
        performed: datetime | None = None,
        measure: tuple = (None, None, None, None),
        reason: str | None = None,
        text: str = "",
        waiver: str | None = None,
        evidence: str = "",
        began: datetime | None = None,
        identity: str | None = None,
        cycle: str | None = None,
        entitlement: str | None = None,
    ) -> None:
        kind, subject_id, name = subject
        operation_id = hashlib.sha256(
            f"{self.period_id}|{control}|{system}|{subject_id}|{cycle}|{opened}".encode()
        ).hexdigest()[:32]
        row = (
            operation_id,
            self.period_id,
            control,
            kind,
            subject_id,
            name,
            system,
            "main",
            identity,
            entitlement,
            cycle,
            opened,
            due,
            performed,
            *measure,
            outcome,
            reason,
            text,
            waiver,
            evidence,
        )
        self.rows["rpt_control_operations"].append(row)
        if outcome in ("deviation", "waived"):
            self.rows["rpt_deviations"].append((*row, began))

    def rotation(self) -> None:
        for number in range(110 * self.size):
            opened = START - 60 * DAY + self.random.random() * 230 * DAY
            opened = opened.replace(microsecond=0)
            age = 30 + self.random.random() * 58
            performed = opened + age * DAY
            name = f"ci-deployer-{number:05d}"
            subject = ("credential", f"AKIA{hashlib.md5(name.encode()).hexdigest()[:16].upper()}", name)
            if not START < performed < END:
                outcome, performed = "pending", None
                age = (END - opened) / DAY
                if age > 90:
                    continue
            else:
                outcome = "operated"
            text = (
                f"Closed after {age:.1f} d; 90 d allowed."
                if performed
                else f"Open for {age:.1f} d at the end; 90 d allowed, due later."
            )
            self.add(
                "ROT",
                outcome,
                subject=subject,
                system="aws",
                opened=opened,
                due=opened + 90 * DAY,
                performed=performed,
                measure=("age_days", age, 90.0, "d"),
                text=text,
                identity=f"nhi:{name}",
                evidence=self.cite("aws/credential_report", number, number + 9),
            )
        rita = ("credential", "kv/payments/rita-robot", "rita-robot database password")
        self.add(
            "ROT",
            "deviation",
            subject=rita,
            system="hashicorp_vault",
            opened=datetime(2024, 1, 9, 7, 12, 5),
            due=datetime(2024, 4, 8, 7, 12, 5),
            measure=("age_days", 903.616, 90.0, "d"),
            reason="overdue",
            began=datetime(2024, 4, 8, 7, 12, 5),
            identity="nhi:rita-robot",
            text="Version 3 is open since 2024-01-09, 903.6 d; 90 d allowed. 181.0 d of the breach lie in the period.",
            evidence=self.cite("hashicorp_vault/audit_log", 0, 5, 11, 17, 25),
        )
        self.add(
            "ROT",
            "deviation",
            subject=("credential", "AKIAMALLORY000000000", HOSTILE[0]),
            system="aws",
            opened=datetime(2026, 1, 4),
            due=datetime(2026, 4, 4),
            performed=datetime(2026, 4, 19, 3, 4, 5, 250_000),
            measure=("age_days", 105.128, 90.0, "d"),
            reason="late",
            began=datetime(2026, 4, 4),
            text="Closed after 105.1 d; 90 d allowed. Name as written: " + HOSTILE[1],
            identity=HOSTILE[4],
            evidence=self.cite("aws/credential_report", 1, 15),
        )
        self.add(
            "ROT",
            "waived",
            subject=("credential", "kv/legacy/mainframe", "mainframe batch user"),
            system="hashicorp_vault",
            opened=datetime(2025, 11, 20),
            due=datetime(2026, 2, 18),
            performed=datetime(2026, 5, 2, 9, 30),
            measure=("age_days", 163.396, 90.0, "d"),
            reason="late",
            began=datetime(2026, 2, 18),
            waiver="W-2026-007",
            text="Closed after 163.4 d; 90 d allowed. Waiver W-2026-007 was in force when the breach began.",
            evidence=self.cite("hashicorp_vault/audit_log", 3, 18) + " " + self.cite("decisions/waivers", 0),
        )

    def offboarding(self) -> None:
        people = [
            "Ada Abel",
            "Ben Bos",
            "Cara Chen",
            "Dilan Demir",
            "Eva Eich",
            "Finn Falk",
            "Gus Grau",
            "Hana Hori",
            "Ivo Ilic",
            "Juno Jung",
            "Kim Kato",
            "Max Mai",
        ]
        for number, name in enumerate(people):
            left = START + (8 + 14 * number) * DAY
            lag = -6.5 if number == 3 else 1.25 + number
            self.add(
                "OFF",
                "operated",
                subject=("account", f"00u{number:03d}leaver", name),
                system="okta",
                opened=left,
                due=left + DAY,
                performed=left + lag * HOUR,
                measure=("lag_hours", lag, 24.0, "h"),
                identity=f"person:{name.split()[0].lower()}",
                text=f"Disabled {abs(lag)} h {'before' if lag < 0 else 'after'} the end of the last day; 24 h allowed.",
                evidence=self.cite("hr/employees", number) + " " + self.cite("okta/system_log", number * 2),
            )
        left = datetime(2026, 3, 2, 23)
        self.add(
            "OFF",
            "deviation",
            subject=("account", "00u812lena", "Lena Leaver"),
            system="okta",
            opened=left,
            due=left + DAY,
            performed=left + 31 * HOUR,
            measure=("lag_hours", 31.0, 24.0, "h"),
            reason="late",
            began=left + DAY,
            identity="person:lena",
            text="Disabled 31 h after the end of the last day; 24 h allowed.",
            evidence=self.cite("hr/employees", 2) + " " + self.cite("okta/system_log", 8, 9),
        )
        for number, name in enumerate(HOSTILE):
            self.add(
                "OFF",
                "operated",
                subject=("account", f"hostile-{number:02d}", name),
                system="okta",
                opened=START + (number + 3) * 9 * DAY,
                due=START + ((number + 3) * 9 + 1) * DAY,
                performed=START + (number + 3) * 9 * DAY + 2 * HOUR,
                measure=("lag_hours", 2.0, 24.0, "h"),
                identity=name,
                text=f"Disabled 2 h after the last day: {name}",
                evidence=self.cite("okta/users", number),
            )

    def log_continuity(self) -> None:
        for feed in ("hashicorp_vault/audit_log", "okta/system_log"):
            for day in range(181):
                opened = START + day * DAY
                gap = feed.startswith("hashicorp") and day in (97, 98)
                label = f"{(opened + HOUR):%Y-%m-%d}"
                self.add(
                    "LOG",
                    "indeterminate" if gap else "operated",
                    subject=("feed", f"{feed}/main", feed),
                    system=feed.split("/")[0],
                    opened=opened,
                    due=opened + DAY,
                    performed=None if gap else opened + 0.2 * HOUR,
                    measure=(
                        "records",
                        None if gap else float(self.random.randint(200, 3000)),
                        None,
                        "records",
                    ),
                    reason="not_collected" if gap else None,
                    cycle=label,
                    text=f"No file covers {label}: the log was not collected."
                    if gap
                    else f"Records on {label}.",
                    evidence="" if gap else self.cite(feed, day // 7),
                )

    def reviews(self) -> None:
        for cycle, launch in (("2026-Q1", datetime(2026, 3, 2, 8)), ("2026-Q2", datetime(2026, 6, 1, 8))):
            for number in range(38):
                decided = launch + self.random.random() * 12 * DAY
                decided = decided.replace(microsecond=0)
                self.add(
                    "REV",
                    "operated",
                    subject=("account", f"00u{number:03d}staff", f"Staff Member {number:02d}"),
                    system="okta",
                    opened=launch,
                    due=launch + 14 * DAY,
                    performed=decided,
                    measure=("days_to_decision", (decided - launch) / DAY, 14.0, "d"),
                    cycle=cycle,
                    identity=f"person:staff{number}",
                    text=f"Approved by ada@acme.example {(decided - launch) / DAY:.1f} d after launch; 14 d allowed.",
                    evidence=self.cite("generic/review_decisions", 0 if cycle.endswith("1") else 1),
                )

    def dormancy(self) -> None:
        for number in range(22):
            self.add(
                "DOR",
                "operated",
                subject=("account", f"00u{number:03d}staff", f"Staff Member {number:02d}"),
                system="okta",
                opened=START,
                due=None,
                performed=None,
                text="Used at least every 90 d while enabled.",
                identity=f"person:staff{number}",
                evidence=self.cite("okta/system_log", number),
            )
        self.add(
            "DOR",
            "deviation",
            subject=("account", "00u777intern", "Imke Intern"),
            system="okta",
            opened=datetime(2025, 12, 1),
            due=datetime(2026, 3, 1),
            measure=("unused_days", 211.9, 90.0, "d"),
            reason="dormant_enabled",
            began=datetime(2026, 3, 1),
            identity="person:imke",
            text="Unused since 2025-12-01 and enabled, 211.9 d; 90 d allowed.",
            evidence=self.cite("okta/users", 1, 13, 25),
        )
        self.add(
            "DOR",
            "indeterminate",
            subject=("account", "svc-backup", "svc-backup"),
            system="hashicorp_vault",
            opened=datetime(2025, 12, 20),
            due=datetime(2026, 3, 20),
            measure=("unused_days", None, 90.0, "d"),
            reason="usage_unobserved",
            identity=None,
            text="A log gap of 9.0 d lies inside the spell; 7 d allowed.",
            evidence=self.cite("hashicorp_vault/audit_log", 11, 14),
        )

    def cadence(self) -> None:
        for feed in ("hashicorp_vault/audit_log", "okta/system_log", "okta/users"):
            for slot in range(25):
                opened = START + slot * 7 * DAY
                self.add(
                    "EVD",
                    "operated",
                    subject=("feed", f"{feed}/main", feed),
                    system=feed.split("/")[0],
                    opened=opened,
                    due=opened + 7 * DAY,
                    performed=opened + 7 * DAY - HOUR,
                    cycle=f"{(opened + HOUR):%Y-%m-%d}",
                    text="Evidence was collected in the slot.",
                    measure=("end_loaded_share", 0.1, None, "share"),
                    # The last slot rests on a file as a whole.
                    evidence=self.files[f"{feed}#{slot}"] if slot == 24 else self.cite(feed, slot),
                )

    # -- what the coverage models would say ------------------------------------------------------
    def coverage(self) -> None:
        failed = {"LOG", "DOR"}
        for control, (title, *_rest) in CATALOGUE.items():
            if control not in ASSESSED:
                continue
            outcomes = [row[18] for row in self.rows["rpt_control_operations"] if row[2] == control]
            n = {
                name: outcomes.count(name)
                for name in ("operated", "deviation", "waived", "indeterminate", "pending")
            }
            tested = len(outcomes) - n["pending"]
            decided = n["operated"] + n["deviation"]
            conclusion = (
                "insufficient_evidence"
                if n["indeterminate"] or control in failed
                else "exceptions_noted"
                if n["deviation"] or n["waived"]
                else "no_exceptions_noted"
                if tested
                else "no_occurrence"
            )
            self.rows["rpt_control_coverage"].append(
                (
                    self.period_id,
                    control,
                    title,
                    len(outcomes),
                    tested,
                    n["operated"],
                    n["deviation"],
                    n["waived"],
                    n["indeterminate"],
                    n["pending"],
                    (tested - n["indeterminate"]) / tested if tested else None,
                    n["deviation"] / decided if decided else None,
                    upper_limit_95(n["deviation"], decided) if decided else None,
                    conclusion,
                )
            )

    def surroundings(self) -> None:
        p = self.period_id
        self.rows["rpt_periods"] += [
            (p, START, END, "Europe/Berlin", AS_OF, END, '{"servicenow/tickets": "Europe/Berlin"}'),
            ("2026-07", END, END + 31 * DAY, "Europe/Berlin", AS_OF, AS_OF, "{}"),
        ]
        self.rows["rpt_controls"] += [
            (c, *(facts if c in ASSESSED else (facts[0], None, None, None)), c in ASSESSED)
            for c, facts in CATALOGUE.items()
        ]
        self.rows["rpt_control_coverage"].append(
            (
                "2026-07",
                "ROT",
                "Secret and key rotation",
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                None,
                None,
                None,
                "no_occurrence",
            )
        )
        self.rows["rpt_control_coverage"] += [
            ("2026-07", c, CATALOGUE[c][0], 0, 0, 0, 0, 0, 0, 0, None, None, None, "no_occurrence")
            for c in ASSESSED
            if c != "ROT"
        ]
        questions = [
            "every_required_feed_covers_the_period",
            "no_file_was_rejected",
            "declared_counts_match",
            "control_inputs_have_a_feed",
        ]
        for control in ASSESSED:
            for question in questions:
                bad = question == questions[0] and control in ("LOG", "DOR")
                detail = (
                    "hashicorp_vault/audit_log/main: 2.0 d of the period are covered by no file (2026-04-08 to 2026-04-09)."
                    if bad
                    else "All 4 feeds."
                )
                self.rows["rpt_expectations"].append((p, question, control, not bad, detail))
        self.rows["rpt_expectations"] += [
            (p, "no_event_has_two_contents", None, True, "No event id was seen with two contents."),
            (
                None,
                "rejected_records_are_explained",
                None,
                False,
                "okta/users/main: 1 file was rejected whole <b>\x1b.",
            ),
        ]
        self.rows["rpt_rejected_records"] += [
            (
                "generic",
                "review_decisions",
                "main",
                "quarterly-review-2026-03-31.csv",
                self.files["generic/review_decisions#0"],
                17,
                'decision is "perhaps"; expected approve, revoke, defer or empty.',
                1904,
                88,
                hashlib.sha256(b"r").hexdigest(),
                "=Q1,perhaps,<script>alert(2)</script>",
            ),
            (
                "hashicorp_vault",
                "audit_log",
                "main",
                "vault-audit-2026-01-07.ndjson.gz",
                self.files["hashicorp_vault/audit_log#0"],
                4211,
                "line is no JSON: expected ',' at column 812.",
                1_904_233,
                1020,
                hashlib.sha256(b"v").hexdigest(),
                None,
            ),
        ]
        self.rows["rpt_unlinked"] += [
            (
                "account",
                "okta",
                "main",
                "00u999",
                HOSTILE[2],
                "e-mail, identity_links",
                self.cite("okta/users", 4),
            ),
            (
                "account",
                "hashicorp_vault",
                "main",
                "svc-unknown",
                "svc-unknown",
                "identity_links, identity_rules",
                self.cite("hashicorp_vault/audit_log", 4),
            ),
            (
                "actor",
                "aws",
                "main",
                "arn:aws:iam::1:role/ghost",
                None,
                "account records",
                self.cite("aws/credential_report", 2),
            ),
        ]
        asked = "NIST-CSF", "2.0"
        self.rows["rpt_framework_coverage"] += [
            (p, *asked, "PR.AA-01", "Identities and credentials", "PR.AC-1 (1.1)", "exceptions_noted", "direct", "ROT",
             "Secret and key rotation", "exceptions_noted", 30, 2),
            (p, *asked, "PR.AA-05", HOSTILE[2], None, "not_answered", "direct", "APR", None, None, None, None),
            (p, "OWASP-NHI-Top10", "2025", "NHI4:2025", "Insecure authentication", None, "not_answered", None, None, None,
             None, None, None),
        ]  # fmt: skip
        self.rows["rpt_waivers"].append(
            (
                p,
                "W-2026-007",
                "ROT",
                "hashicorp_vault",
                "kv/legacy/mainframe",
                datetime(2026, 2, 17, 23),
                datetime(2026, 6, 30, 22),
                "ciso@acme.example",
                datetime(2026, 2, 16, 10, 30),
                "Mainframe batch cannot re-read its password before release 9. " + HOSTILE[2],
                self.cite("decisions/waivers", 0),
            )
        )
        self.rows["rpt_late_decisions"] += [
            (
                p,
                "waiver",
                "W-2026-007",
                datetime(2026, 2, 17, 23),
                datetime(2026, 3, 31, 4),
                "First collected 2026-03-31 04:00; governs from 2026-02-17 23:00.",
            ),
            (p, "policy", "ROT max_age_days", datetime(2025, 12, 31, 23), datetime(2026, 2, 28), None),
        ]
        self.rows["rpt_evidence_timing"] += [
            (p, control, datetime(2026, 6, 12, 18, 54), operations, operations, late, round(late / operations, 6))
            for control, operations, late in [(None, 400, 74), ("ROT", 80, 30)]
        ]
        for system, feed, kind, files, uncovered, missed in [
            ("hashicorp_vault", "audit_log", "log", 26, 172_800.0, 0),
            ("okta", "system_log", "log", 26, 0.0, 0),
            ("okta", "users", "snapshot", 27, 0.0, 0),
            ("aws", "credential_report", "snapshot", 26, 0.0, 1),
            ("hr", "employees", "snapshot", 6, 0.0, 0),
        ]:
            detail = "No file covers 2026-04-08 to 2026-04-09." if uncovered else None
            self.rows["rpt_feed_coverage"].append(
                (
                    p,
                    system,
                    feed,
                    "main",
                    kind,
                    False,
                    files,
                    uncovered,
                    missed,
                    int(feed == "audit_log"),
                    int(feed == "users"),
                    detail,
                )
            )


def write_warehouse(
    path: Path, period_id: str = "2026-H1", size: int = 1, shuffle: int | None = None
) -> None:
    """Write the rpt_ tables to a new DuckDB file; `shuffle` seeds another row order of the same rows."""
    company = Company(period_id, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    connection = duckdb.connect(str(path))
    for table, columns in SCHEMA.items():
        connection.execute(f"create table {table} ({columns})")
        rows = company.rows[table]
        if shuffle is not None:
            random.Random(shuffle).shuffle(rows)
        if rows:
            import polars as pl

            frame = pl.DataFrame(
                rows,
                schema=[c.split()[0] for c in columns.split(", ")],
                orient="row",
                infer_schema_length=None,
            )
            connection.register("frame", frame.to_arrow())
            connection.execute(f"insert into {table} select * from frame")
            connection.unregister("frame")
    connection.close()


def make_home(root: Path, **options) -> Home:
    """A home with a published warehouse and a ledger of two entries."""
    home = Home.at(root)
    write_warehouse(home.warehouse, **options)
    home.ledger.parent.mkdir(parents=True, exist_ok=True)
    previous = "0" * 64
    with home.ledger.open("w", encoding="utf-8") as file:
        for entry in (1, 2):
            line = {"entry": entry, "previous_hash": previous, "system": "okta"}
            previous = hashlib.sha256(
                json.dumps(line, sort_keys=True, separators=(",", ":")).encode()
            ).hexdigest()
            file.write(
                json.dumps(line | {"entry_hash": previous}, sort_keys=True, separators=(",", ":")) + "\n"
            )
    return home
