"""Who got which access at Larkfield, and who had approved it: the cast of access approval, as plain data.

Most of it is about teams in gitea, whose log has the instant of each grant, and about rights in paydesk, which has no
log at all: there a right was given some time between two lists. Instants are UTC.
"""

from __future__ import annotations

# account, team, when it was given, when it was taken back, what it breaks
TEAMS = (
    ("gt-102", "team:release", "2026-04-09T10:00", None),  # asked for by Otto, approved by Bruno the day before
    ("gt-101", "team:design", "2026-04-14T09:00", None),  # approved at the very instant
    ("gt-107", "team:build", "2026-04-21T09:00", None),  # nobody asked
    ("gt-108", "team:design", "2026-04-22T08:00", None),  # approved seven hours later
    ("gt-102", "team:security", "2026-04-23T09:00", None),  # Carla asks for Otto, Otto approves
    ("gt-106", "team:deploy", "2026-04-24T09:00", None),  # Bruno asks for a robot and approves it himself
    ("gt-108", "team:release", "2026-05-29T09:00", None),  # approved 39 days before
    ("gt-108", "team:security", "2026-05-06T09:00", None),  # approved, then declined, then given all the same
    ("gt-102", "team:owners", "2026-05-11T09:00", None),  # privileged, and one approver only
    ("gt-108", "team:owners", "2026-05-12T09:00", None),  # privileged, two approvers
    ("gt-107", "team:deploy", "2026-05-18T09:00", None),  # nobody asked, waived
    ("gt-108", "team:build", "2026-05-20T09:00", None),  # the ticket names another team
    ("gt-107", "team:release", "2026-02-10T09:00", None),  # Jira returns only the newest change of the ticket
)
PRIVILEGED = ("team:owners",)

# account, right, when it was given in fact. paydesk's lists name no dates; nobody but the story knows them.
RIGHTS = (
    ("pd-01", "payment.approve", "2023-01-09T08:00", "2026-02-04T10:00"),  # in the list from before the period
    ("pd-02", "payment.approve", "2023-08-02T08:00", None),
    ("pd-03", "payment.approve", "2026-02-10T11:00", None),  # approved some time between two lists
    ("pd-02", "payment.raise_limit", "2026-03-20T11:00", None),  # between two lists, and nobody asked
)

# A key beside one that stays active: until seven days are over it may still prove to be its successor.
SECOND_TOKEN = ("tok-ci-3", "gt-106", "token", "key", "2026-06-27T08:00")

# number, summary, reporter, beneficiary, target, entitlement, created, moves (instant, who, status), whether cut short
ISSUES = (
    (11, "Release team for Otto", "E1003", "E1003", "gitea:gt-102", "team:release", "2026-04-07T09:00",
     (("2026-04-07T09:01", "E1003", "Waiting for approval"), ("2026-04-08T10:00", "E1002", "Approved"),
      ("2026-04-09T10:05", "E1001", "Done")), False),
    (12, "Design team for Mira", "E1031", "E1031", "gitea:mira", "team:design", "2026-04-21T09:00",
     (("2026-04-21T09:01", "E1031", "Waiting for approval"), ("2026-04-22T15:00", "E1002", "Approved")), False),
    (13, "Security team for Otto", "E1001", "E1003", "gitea:gt-102", "team:security", "2026-04-22T09:00",
     (("2026-04-22T16:00", "E1003", "Approved"), ("2026-04-23T09:05", "E1001", "Done")), False),
    (14, "Deploy team for the runner", "E1002", None, "gitea:ci-runner", "team:deploy", "2026-04-23T09:00",
     (("2026-04-23T11:00", "E1002", "Approved"), ("2026-04-24T09:05", "E1001", "Done")), False),
    (15, "Release team for Mira", "E1031", "E1031", "gitea:mira", "team:release", "2026-04-19T09:00",
     (("2026-04-20T09:00", "E1002", "Approved"),), False),
    (16, "Security team for Mira", "E1031", "E1031", "gitea:mira", "team:security", "2026-05-03T09:00",
     (("2026-05-04T09:00", "E1002", "Approved"), ("2026-05-05T09:00", "E1001", "Declined")), False),
    (17, "Owner of everything: Otto", "E1001", "E1003", "gitea:gt-102", "team:owners", "2026-05-08T09:00",
     (("2026-05-08T12:00", "E1002", "Approved"), ("2026-05-11T09:05", "E1001", "Done")), False),
    (18, "Platform team for Mira", "E1031", "E1031", "gitea:mira", "team:platform", "2026-05-18T09:00",
     (("2026-05-19T09:00", "E1002", "Approved"),), False),
    (19, "Release team for the printer", "E1003", None, "gitea:oldprinter", "team:release", "2026-02-03T09:00",
     (("2026-02-04T09:00", "E1003", "Waiting for approval"), ("2026-02-05T09:00", "E1001", "Approved"),
      ("2026-02-10T09:05", "E1003", "Done")), True),
)  # fmt: skip

# ticket, system, target, entitlement, requester, beneficiary, created, approved, approvers
DESK = (
    ("SD-61", "gitea", "gt-101", "team:design", "E1001", "E1001", "2026-04-13T09:00", "2026-04-14T09:00", ("E1002",)),
    ("SD-62", "gitea", "gt-108", "team:owners", "E1031", "E1031", "2026-05-11T09:00", "2026-05-12T08:00",
     ("E1002", "E1001")),
    ("SD-63", "paydesk", "pd-03", "payment.approve", "E1002", "E1028", "2026-01-19T09:00", "2026-01-20T09:00", ("E1001",)),
)  # fmt: skip

# waiver, control, system, subject, first day, last day, approved, collected, reason
WAIVERS = (
    ("W-2026-11", "APR", "gitea", "gt-107", "2026-05-15", "2026-05-20", "2026-03-19T10:00", "2026-03-21T09:00",
     "Office printer joins the deploy team for the move"),
)  # fmt: skip

# edge, subject, instant and entitlement, outcome, reason, whether the second quarter sees it too
STATED = (
    ("approved by somebody else before", "gt-102", "2026-04-09T10:00:00 team:release", "operated", "", True),
    ("approved at the very instant", "gt-101", "2026-04-14T09:00:00 team:design", "operated", "", True),
    ("nobody asked", "gt-107", "2026-04-21T09:00:00 team:build", "deviation", "no_ticket", True),
    ("approved afterwards", "gt-108", "2026-04-22T08:00:00 team:design", "deviation", "approved_after_grant", True),
    ("approved by who got it", "gt-102", "2026-04-23T09:00:00 team:security", "deviation", "self_approved", True),
    ("approved by who asked", "gt-106", "2026-04-24T09:00:00 team:deploy", "deviation", "self_approved", True),
    ("approved 39 days before", "gt-108", "2026-05-29T09:00:00 team:release", "deviation", "stale_approval", True),
    ("declined in the end", "gt-108", "2026-05-06T09:00:00 team:security", "deviation", "not_approved", True),
    ("privileged, one approver", "gt-102", "2026-05-11T09:00:00 team:owners", "deviation", "too_few_approvers", True),
    ("privileged, two approvers", "gt-108", "2026-05-12T09:00:00 team:owners", "operated", "", True),
    ("nobody asked, waived", "gt-107", "2026-05-18T09:00:00 team:deploy", "waived", "no_ticket", True),
    ("the ticket names another team", "gt-108", "2026-05-20T09:00:00 team:build", "deviation", "no_ticket", True),
    ("the approval is not among the changes returned", "gt-107", "2026-02-10T09:00:00 team:release", "indeterminate",
     "ticket_source_gap", False),
    ("approved between two lists", "pd-03", "2026-02-27T05:45:00 payment.approve", "indeterminate", "state_unobserved", False),
    ("given between two lists, nobody asked", "pd-02", "2026-04-29T05:45:00 payment.raise_limit", "deviation", "no_ticket", True),
    ("a second key, not yet a grant", "tok-ci-3", "2026-06-27T08:00:00", "pending", "", True),
    # What the rest of the story gave away, approved or not.
    ("account with a ticket", "hiredlater", "2026-03-10T08:00:00", "operated", "", False),
    ("robot with a ticket", "svc-etl", "2026-03-10T09:55:00", "operated", "", False),
    ("its key by the same ticket", "AKIAETLAZZZZZEXAMPLE", "2026-03-10T10:00:00", "operated", "", False),
    ("its second key by the same ticket, eleven days on", "AKIAETLBZZZZZEXAMPLE", "2026-03-20T10:00:00", "operated", "", False),
    ("robot without a ticket", "svc-migrate", "2026-02-02T09:00:00", "deviation", "no_ticket", False),
    ("its key without a ticket", "AKIAMIGRATEZZEXAMPLE", "2026-02-02T10:00:00", "deviation", "no_ticket", False),
    ("a second key that replaces nothing, asked for in June", "AKIAREPORTSBZEXAMPLE", "2026-02-01T08:00:00", "deviation",
     "not_approved", False),
    ("the ticket exports do not reach back far enough", "AKIAKENZZZZZZEXAMPLE", "2026-01-08T09:00:00", "indeterminate",
     "ticket_source_gap", False),
    ("nor for this token", "tok-ci-1", "2026-01-15T08:00:00", "indeterminate", "ticket_source_gap", False),
    ("nor for this account", "neverused", "2026-01-12T08:00:00", "indeterminate", "ticket_source_gap", False),
    ("a deploy key without a ticket", "deploy-prod", "2026-05-20T10:00:00", "deviation", "no_ticket", True),
)  # fmt: skip
