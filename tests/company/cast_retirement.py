"""Which robots Larkfield retired, and how well: the cast of DEC, as plain values."""

from __future__ import annotations

# Robots of gitea: id, user name, when it was disabled.
GITEA_BOTS = (
    ("gt-120", "rss-bot", "2026-02-05T09:00"),  # in time; it keeps knocking, and is refused
    ("gt-121", "poll-bot", "2026-02-10T10:00"),  # at the deadline itself
    ("gt-122", "irc-bot", "2026-02-12T10:00"),  # two days late
    ("gt-123", "fax-bot", None),  # forgotten
    ("gt-124", "sms-bot", "2026-05-06T10:00"),  # a session of it still worked two weeks later
    ("gt-125", "tape-bot", "2026-06-01T10:00"),  # late, with a waiver until the restore test
    ("gt-126", "wap-bot", "2026-07-08T10:00"),  # due after the period
    ("gt-127", "gopher-bot", "2026-06-25T10:00"),  # observed until after anybody can know
    ("gt-128", "usenet-bot", "2026-06-10T10:00"),  # observed until after the period, and silent
)
REFUSED = (("gt-120", "2026-02-06T03:00"), ("gt-120", "2026-02-07T03:00"))
USED_AFTERWARDS = (("gt-124", "2026-05-20T03:00"),)

# A secret of Vault: path, written, deleted with its metadata. The gap of Vault's log lies in its observation.
SECRET = ("tools/decommissioned", "2026-01-05T07:00", "2026-02-10T07:00")

# ticket, system, what it names, created, approved (by Bruno, asked for by Otto)
DESK = (
    ("SD-201", "gitea", "gt-120", "2026-02-02T08:00", "2026-02-02T10:00"),
    ("SD-202", "gitea", "gt-121", "2026-02-03T08:00", "2026-02-03T10:00"),
    ("SD-203", "gitea", "gt-122", "2026-02-03T08:00", "2026-02-03T10:00"),
    ("SD-204", "gitea", "gt-123", "2026-03-02T08:00", "2026-03-02T10:00"),
    ("SD-205", "gitea", "gt-124", "2026-05-04T08:00", "2026-05-04T10:00"),
    ("SD-206", "gitea", "gt-125", "2026-05-11T08:00", "2026-05-11T10:00"),
    ("SD-207", "gitea", "gt-126", "2026-06-28T08:00", "2026-06-28T10:00"),
    ("SD-208", "gitea", "gt-127", "2026-06-22T08:00", "2026-06-22T10:00"),
    ("SD-209", "gitea", "gt-128", "2026-06-08T08:00", "2026-06-08T10:00"),
    ("SD-210", "hashicorp_vault", "kv/tools/decommissioned", "2026-02-09T08:00", "2026-02-09T10:00"),
    ("SD-211", "gitea", "gt-106", "2026-03-03T08:00", None),  # nobody approved it: no retirement
)
# Jira's one retirement names svc-migrate, which takes the account and its key with it.
JIRA = (
    ("aws", "arn:aws:iam::111122223333:user/svc-migrate", "2026-02-05T13:00"),
    ("aws", "AKIAMIGRATEZZEXAMPLE", "2026-02-05T13:00"),
)

# edge, subject, outcome, reason, both periods
STATED = (
    ("revoked in time, refused afterwards", "gt-120", "operated", "", False),
    ("revoked at the deadline", "gt-121", "operated", "", False),
    ("two days late", "gt-122", "deviation", "late", False),
    ("never revoked", "gt-123", "deviation", "not_revoked", False),
    ("used after its revocation", "gt-124", "deviation", "used_after_revocation", True),
    ("late, waived", "gt-125", "waived", "late", True),
    ("due after T", "gt-126", "pending", "", True),
    ("the observation outlasts what can be known", "gt-127", "pending", "", True),
    ("observed beyond the period", "gt-128", "operated", "", True),
    ("a hole in the log of its system", "kv/tools/decommissioned", "indeterminate", "monitoring_gap", False),
    ("the account of a retired robot", "arn:aws:iam::111122223333:user/svc-migrate", "operated", "", False),
    ("its key", "AKIAMIGRATEZZEXAMPLE", "operated", "", False),
)  # fmt: skip
