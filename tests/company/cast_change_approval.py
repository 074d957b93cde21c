"""What was changed in Larkfield's pipelines and who had approved it: the cast of change approval, as plain data.

One repository with a protected branch, and the secrets of its pipeline. Instants are UTC.
"""

from __future__ import annotations

REPOSITORY = "larkfield/payments"
PROTECTED_SINCE = ("main", "2025-12-30T09:00")

# login at GitHub, employee; Otto has a second login of his own
LOGINS = (
    ("carla-chief", "E1001"),
    ("bruno-boss", "E1002"),
    ("otto-owner", "E1003"),
    ("otto-at-home", "E1003"),
    ("mira-m", "E1031"),
)

# number, branch, author, merged, reviews (login, state, when), what it breaks
PULL_REQUESTS = (
    # Approved two hours before the merge.
    (1, "main", "otto-owner", "2026-04-08T11:00", (("bruno-boss", "APPROVED", "2026-04-08T09:00"),)),
    # Approved at the very instant of the merge.
    (2, "main", "otto-owner", "2026-04-09T11:00", (("mira-m", "COMMENTED", "2026-04-09T10:00"),
                                                   ("bruno-boss", "APPROVED", "2026-04-09T11:00"))),
    # Nobody looked at it.
    (3, "main", "otto-owner", "2026-04-15T11:00", ()),
    # Otto approves it himself, under his second login.
    (4, "main", "otto-owner", "2026-04-16T11:00", (("otto-at-home", "APPROVED", "2026-04-16T10:00"),)),
    # Approved after the merge.
    (5, "main", "mira-m", "2026-04-22T11:00", (("bruno-boss", "APPROVED", "2026-04-22T15:00"),)),
    # Approved, then objected to by the same reviewer, then merged.
    (6, "main", "mira-m", "2026-04-23T11:00", (("bruno-boss", "APPROVED", "2026-04-23T09:00"),
                                               ("bruno-boss", "CHANGES_REQUESTED", "2026-04-23T10:00"))),
    # A bot approves what people wrote.
    (7, "main", "mira-m", "2026-05-06T11:00", (("merge-helper[bot]", "APPROVED", "2026-05-06T10:00"),)),
    # Nobody looked at it, waived.
    (8, "main", "otto-owner", "2026-05-13T11:00", ()),
    # An approval was dismissed, and GitHub does not say when.
    (9, "main", "otto-owner", "2026-02-12T11:00", (("bruno-boss", "DISMISSED", "2026-02-12T09:00"),)),
    # Merged into a branch of which nothing says whether it is protected.
    (10, "release-1", "otto-owner", "2026-02-18T11:00", ()),
    # Not merged: no change yet.
    (11, "main", "otto-owner", None, ()),
)  # fmt: skip

# secret, what was done, who, when
SECRETS = (
    ("DEPLOY_TOKEN", "update", "otto-owner", "2026-05-05T09:00"),  # approved by Carla the day before
    ("SIGNING_KEY", "create", "otto-owner", "2026-05-11T09:00"),  # nobody asked
    ("DB_PASSWORD", "update", "otto-owner", "2026-05-12T09:00"),  # Otto approved his own change
    ("API_KEY", "remove", "otto-owner", "2026-05-19T09:00"),  # approved the day after
    ("OLD_TOKEN", "update", "otto-owner", "2026-01-13T09:00"),  # the exports of tickets don't reach back far enough
)

# Changes in Jira: number, summary, reporter, target, created, moves (instant, who, status)
ISSUES = (
    (41, "New deploy token", "E1031", "github:larkfield/payments/DEPLOY_TOKEN", "2026-05-04T09:00",
     (("2026-05-04T12:00", "E1001", "Approved"), ("2026-05-05T09:05", "E1003", "Done"))),
    (42, "New database password", "E1031", "github:larkfield/payments/DB_PASSWORD", "2026-05-11T09:00",
     (("2026-05-12T08:00", "E1003", "Approved"), ("2026-05-12T09:05", "E1003", "Done"))),
    (43, "Remove the old API key", "E1031", "github:larkfield/payments/API_KEY", "2026-05-19T08:00",
     (("2026-05-20T09:00", "E1001", "Approved"),)),
)  # fmt: skip

WAIVERS = (
    ("W-2026-14", "CHG", "github", "larkfield/payments#8", "2026-05-13", "2026-05-13", "2026-03-20T12:00", "2026-03-21T09:00",
     "Move of the repository on 13 May"),
)  # fmt: skip

# edge, subject, instant, outcome, reason, whether the second quarter sees it too
STATED = (
    ("approved before the merge", "larkfield/payments#1", "2026-04-08T11:00:00", "operated", "", True),
    ("approved at the instant of the merge", "larkfield/payments#2", "2026-04-09T11:00:00", "operated", "", True),
    ("nobody looked at it", "larkfield/payments#3", "2026-04-15T11:00:00", "deviation", "no_approval", True),
    ("the author's second login", "larkfield/payments#4", "2026-04-16T11:00:00", "deviation", "self_approved", True),
    ("approved after the merge", "larkfield/payments#5", "2026-04-22T11:00:00", "deviation", "approved_after", True),
    ("objected to in the end", "larkfield/payments#6", "2026-04-23T11:00:00", "deviation", "no_approval", True),
    ("approved by a bot", "larkfield/payments#7", "2026-05-06T11:00:00", "deviation", "self_approved", True),
    ("nobody looked at it, waived", "larkfield/payments#8", "2026-05-13T11:00:00", "waived", "no_approval", True),
    ("dismissed, nobody knows when", "larkfield/payments#9", "2026-02-12T11:00:00", "indeterminate", "review_source_gap", False),
    ("a branch of unknown protection", "larkfield/payments#10", "2026-02-18T11:00:00", "indeterminate", "review_source_gap", False),
    ("secret with a ticket", "larkfield/payments/DEPLOY_TOKEN", "2026-05-05T09:00:00", "operated", "", True),
    ("secret without a ticket", "larkfield/payments/SIGNING_KEY", "2026-05-11T09:00:00", "deviation", "no_approval", True),
    ("secret approved by who changed it", "larkfield/payments/DB_PASSWORD", "2026-05-12T09:00:00", "deviation", "self_approved", True),
    ("secret approved afterwards", "larkfield/payments/API_KEY", "2026-05-19T09:00:00", "deviation", "approved_after", True),
    ("a ticket could be there unseen", "larkfield/payments/OLD_TOKEN", "2026-01-13T09:00:00", "indeterminate", "review_source_gap", False),
)  # fmt: skip
