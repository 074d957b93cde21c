"""What reviewers took away at Larkfield and what became of it: the cast of review follow-through, as plain data.

Items about one team or right each, in campaigns that the story has anyway. Each is decided before the account itself is,
so that the review of the account stays what it was. Instants are UTC.
"""

from __future__ import annotations

# account, team, when it was given, when it was taken back, what it breaks
TEAMS = (
    ("gt-101", "team:archive", "2024-03-01T09:00", "2026-03-12T09:00"),  # gone after two days
    ("gt-102", "team:archive", "2024-03-01T09:05", "2026-03-17T10:00"),  # gone at the very deadline
    ("gt-103", "team:archive", "2024-03-01T09:10", "2026-03-19T11:00"),  # gone after nine days
    ("gt-101", "team:billing", "2024-04-01T09:00", "2026-03-12T09:30"),  # gone, and back two weeks later, unasked
    ("gt-101", "team:billing", "2026-03-26T09:00", None),
    ("gt-102", "team:billing", "2024-04-01T09:05", "2026-03-12T10:00"),  # gone, and back with an approved ticket
    ("gt-102", "team:billing", "2026-03-25T09:00", None),
    ("gt-107", "team:billing", "2024-04-01T09:10", "2026-03-12T11:00"),  # gone, and back after 39 days
    ("gt-107", "team:billing", "2026-04-20T11:00", None),
    ("gt-101", "team:infra", "2024-05-01T09:00", None),  # another team of theirs was taken, this one was not
    ("gt-101", "team:infra-read", "2024-05-01T09:00", "2026-03-13T09:00"),
    ("gt-107", "team:infra", "2024-05-01T09:10", None),  # never taken, waived
    ("gt-107", "team:wiki", "2024-06-01T09:10", "2026-06-18T09:00"),  # gone in time in the second quarter
    ("gt-101", "team:wiki", "2024-06-01T09:00", None),  # never taken in the second quarter
    ("gt-102", "team:wiki", "2024-06-01T09:05", None),  # not due by T
)

# account, right, when it was given and taken in fact. paydesk's lists of 27 February and 29 April show it and then don't.
RIGHTS = (("pd-02", "payment.export", "2024-01-08T08:00", "2026-03-02T09:00"),)

# campaign, account, access, reviewer, word, when
ITEMS = (
    ("C-2026-Q1", "gt-101", "team:archive", "E1002", "revoke", "2026-03-10T09:00"),
    ("C-2026-Q1", "gt-102", "team:archive", "E1002", "remove", "2026-03-10T10:00"),
    ("C-2026-Q1", "gt-103", "team:archive", "E1002", "deny", "2026-03-10T11:00"),
    ("C-2026-Q1", "gt-101", "team:billing", "E1002", "revoke", "2026-03-11T09:00"),
    ("C-2026-Q1", "gt-102", "team:billing", "E1002", "revoke", "2026-03-11T10:00"),
    ("C-2026-Q1", "gt-107", "team:billing", "E1002", "revoke", "2026-03-11T11:00"),
    ("C-2026-Q1", "gt-101", "team:infra", "E1002", "revoke", "2026-03-12T09:00"),
    ("C-2026-Q1", "gt-107", "team:infra", "E1002", "revoke", "2026-03-12T11:00"),
    # Taken back the next day by Carla: no operation.
    ("C-2026-Q1", "gt-105", "team:design", "E1002", "revoke", "2026-03-12T12:00"),
    ("C-2026-Q1", "gt-105", "team:design", "E1001", "keep", "2026-03-13T12:00"),
    # No list and no log knows this team.
    ("C-2026-Q1", "gt-102", "team:ghost", "E1002", "revoke", "2026-03-13T10:00"),
    # Due between two lists of a system without a log.
    ("C-2026-02", "pd-02", "payment.export", "E1002", "revoke", "2026-02-25T09:00"),
    ("C-2026-Q2-GIT", "gt-107", "team:wiki", "E1002", "revoke", "2026-06-16T09:00"),
    ("C-2026-Q2-GIT", "gt-101", "team:wiki", "E1002", "revoke", "2026-06-17T09:00"),
    ("C-2026-Q2-GIT", "gt-102", "team:wiki", "E1001", "revoke", "2026-06-29T09:00"),
)

# One more access request, in the shape of those in cast_access_approval.
ISSUES = (
    (21, "Billing team for Otto, again", "E1003", "E1003", "gitea:gt-102", "team:billing", "2026-03-23T09:00",
     (("2026-03-24T09:00", "E1001", "Approved"), ("2026-03-25T09:05", "E1001", "Done")), False),
)  # fmt: skip

WAIVERS = (
    ("W-2026-12", "RVF", "gitea", "gt-107", "2026-03-15", "2026-03-31", "2026-03-12T15:00", "2026-03-21T09:00",
     "The office printer leaves the infrastructure team with the move"),
)  # fmt: skip

# edge, subject, instant and access, outcome, reason, whether the second quarter sees it too
STATED = (
    ("gone after two days", "gt-101", "2026-03-10T09:00:00 team:archive", "operated", "", False),
    ("gone at the very deadline", "gt-102", "2026-03-10T10:00:00 team:archive", "operated", "", False),
    ("gone after nine days", "gt-103", "2026-03-10T11:00:00 team:archive", "deviation", "late", False),
    ("back unasked", "gt-101", "2026-03-11T09:00:00 team:billing", "deviation", "regranted", False),
    ("back with a ticket", "gt-102", "2026-03-11T10:00:00 team:billing", "operated", "", False),
    ("back after the thirty days", "gt-107", "2026-03-11T11:00:00 team:billing", "operated", "", False),
    ("another access went", "gt-101", "2026-03-12T09:00:00 team:infra", "deviation", "not_removed", False),
    ("waived", "gt-107", "2026-03-12T11:00:00 team:infra", "waived", "not_removed", False),
    ("no list and no log knows it", "gt-102", "2026-03-13T10:00:00 team:ghost", "indeterminate", "removal_unobservable", False),
    ("due between two lists", "pd-02", "2026-02-25T09:00:00 payment.export", "indeterminate", "state_unobserved", False),
    ("gone in time", "gt-107", "2026-06-16T09:00:00 team:wiki", "operated", "", True),
    ("never taken", "gt-101", "2026-06-17T09:00:00 team:wiki", "deviation", "not_removed", True),
    ("not due by T", "gt-102", "2026-06-29T09:00:00 team:wiki", "pending", "", True),
    # Accounts revoked elsewhere in the story.
    ("the account was closed the day before", "leaver", "2026-03-05T09:00:00", "operated", "", False),
    ("revoked, never disabled", "mindchanged", "2026-03-15T09:00:00", "deviation", "not_removed", False),
    ("denied, never disabled", "gt-103", "2026-03-18T11:00:00", "deviation", "not_removed", False),
)  # fmt: skip

# What the access that came back is as a grant: for cast_access_approval's control.
STATED_GRANTS = (
    ("back unasked, as a grant", "gt-101", "2026-03-26T09:00:00 team:billing", "deviation", "no_ticket", False),
    ("back with a ticket, as a grant", "gt-102", "2026-03-25T09:00:00 team:billing", "operated", "", False),
    ("back after 39 days, as a grant", "gt-107", "2026-04-20T11:00:00 team:billing", "deviation", "no_ticket", True),
)  # fmt: skip
