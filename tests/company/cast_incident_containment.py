"""What was compromised at Larkfield and how soon it was made useless: the cast of incident containment, as plain data.

Nothing new is compromised: incidents name credentials and accounts that the story has anyway. Instants are UTC.
"""

from __future__ import annotations

# Incidents in Jira: number, summary, target, created, detected, moves (instant, who, status)
ISSUES = (
    # Deactivated eleven hours after; whoever moved the ticket had declared it contained in time.
    (31, "Key of the deployer in a build log", "aws:AKIACIDEPLOYBEXAMPLE", "2026-05-05T20:20", "2026-05-05T20:00",
     (("2026-05-05T22:00", "E1003", "Contained"), ("2026-05-08T09:00", "E1001", "Done"))),
    # Nobody does anything.
    (32, "Token of the runner pasted into a chat", "gitea:tok-ci-2", "2026-05-12T08:10", "2026-05-12T08:00", ()),
    # The ticket says contained, the key works to this day.
    (33, "Deploy key on a lost laptop", "gitea:deploy-prod", "2026-06-02T08:10", "2026-06-02T08:00",
     (("2026-06-02T10:00", "E1003", "Contained"), ("2026-06-03T09:00", "E1001", "Done"))),
    # The directory account of a leaver, three hours after.
    (34, "Sign-in of somebody who has left", "okta:ursula.used@larkfield.example", "2026-02-07T22:10", "2026-02-07T22:00",
     (("2026-02-08T01:05", "E1003", "Contained"),)),
    # Not due by T.
    (35, "Escrow agent reports a break-in", "hashicorp_vault:kv/legacy/escrow", "2026-06-30T20:10", "2026-06-30T20:00", ()),
)  # fmt: skip

# Incidents of the service desk: ticket, system, target, detected, escalated, contained, recovered as somebody wrote them
DESK = (
    # Deleted three hours after.
    ("SD-57", "hashicorp_vault", "kv/tmp/incident", "2026-04-16T06:00", "2026-04-16T06:15", "2026-04-16T09:05", "2026-04-17T10:00"),
    # Rotated after an hour and a half; a job goes on reading the old version.
    ("SD-71", "hashicorp_vault", "kv/orders/db-punctual", "2026-04-12T08:00", "2026-04-12T08:10", "2026-04-12T09:35", "2026-04-12T12:00"),
    # Rotated after 23 hours, waived.
    ("SD-72", "hashicorp_vault", "kv/erp/straddle", "2026-04-09T08:00", None, "2026-04-10T07:05", "2026-04-10T12:00"),
    # Rotated in time, but Vault's log has a hole three weeks later: a read of the old version may be in it.
    ("SD-73", "hashicorp_vault", "kv/payments/prod-card", "2026-01-25T05:00", None, "2026-01-25T07:05", "2026-01-25T12:00"),
    # Disabled some time between two lists of a system without a log.
    ("SD-74", "paydesk", "pd-01", "2026-02-03T08:00", None, "2026-02-03T10:00", "2026-02-04T12:00"),
    # Nothing in evidence has that name.
    ("SD-75", "aws", "AKIAFORGOTTENEXAMPLE", "2026-03-17T08:00", None, "2026-03-17T09:00", "2026-03-17T12:00"),
)  # fmt: skip

# A read of an old version of the secret, after it was rotated: path, version, when.
OLD_READS = (("orders/db-punctual", 2, "2026-04-13T04:20:07"),)

WAIVERS = (
    ("W-2026-13", "INC", "hashicorp_vault", "kv/erp/straddle", "2026-04-01", "2026-04-15", "2026-03-20T11:00",
     "2026-03-21T09:00", "ERP migration freeze: rotation only in the night window"),
)  # fmt: skip

# edge, subject, instant of detection, outcome, reason, whether the second quarter sees it too
STATED = (
    ("deleted three hours after", "kv/tmp/incident", "2026-04-16T06:00:00", "operated", "", True),
    ("an account disabled three hours after", "used", "2026-02-07T22:00:00", "operated", "", False),
    ("deactivated eleven hours after", "AKIACIDEPLOYBEXAMPLE", "2026-05-05T20:00:00", "deviation", "late", True),
    ("nobody did anything", "tok-ci-2", "2026-05-12T08:00:00", "deviation", "not_contained", True),
    ("only the ticket says so", "deploy-prod", "2026-06-02T08:00:00", "deviation", "not_evidenced", True),
    ("the old version is read afterwards", "kv/orders/db-punctual", "2026-04-12T08:00:00", "deviation", "used_after_containment", True),
    ("rotated after 23 hours, waived", "kv/erp/straddle", "2026-04-09T08:00:00", "waived", "late", True),
    ("a use may be in the hole of the log", "kv/payments/prod-card", "2026-01-25T05:00:00", "indeterminate", "logs_missing", False),
    ("disabled between two lists, no log", "pd-01", "2026-02-03T08:00:00", "indeterminate", "state_unobserved", False),
    ("nothing is called that", "AKIAFORGOTTENEXAMPLE", "2026-03-17T08:00:00", "indeterminate", "logs_missing", False),
    ("not due by T", "kv/legacy/escrow", "2026-06-30T20:00:00", "pending", "", True),
)  # fmt: skip
