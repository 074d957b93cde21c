"""Who at Larkfield stopped using an account, and who goes on: the cast of DOR.

Plain values, from which `story.py` makes people, accounts and uses. Okta allows a week of grace after the ninety days.
"""

from __future__ import annotations

from datetime import date

# employee id, first name, last name, hired
PEOPLE = (
    ("E1201", "Dirk", "Dormant", date(2023, 1, 9)),  # last seen before the period, enabled to this day
    ("E1202", "Nils", "Neverused", date(2026, 1, 12)),  # never signed in: the clock starts at creation
    ("E1203", "Ulla", "Usedlate", date(2023, 1, 9)),  # back after the grace: dormant all the same
    ("E1204", "Gregor", "Graceful", date(2023, 1, 9)),  # disabled within the week of grace
    ("E1205", "Greta", "Graceend", date(2023, 1, 9)),  # disabled at the very end of the grace
    ("E1206", "Didi", "Disabledlate", date(2023, 1, 9)),  # disabled ten days after the grace
    ("E1207", "Penny", "Pendingdormant", date(2023, 1, 9)),  # past the limit, the grace ends after the period
    ("E1208", "Ulf", "Usedafter", date(2023, 1, 9)),  # past the limit at the end, back an hour before the grace ends
    ("E1209", "Willa", "Waiveddormant", date(2023, 1, 9)),  # on parental leave, with a waiver
)

# last name, created, changes
OKTA = (
    ("dormant", "2023-01-09T07:00", ()),
    ("neverused", "2026-01-12T08:00", ()),
    ("usedlate", "2023-01-09T07:00", ()),
    ("graceful", "2023-01-09T07:00", (("2026-03-18T08:00", "disabled"),)),
    ("graceend", "2023-01-09T07:00", (("2026-04-17T08:00", "disabled"),)),
    ("disabledlate", "2023-01-09T07:00", (("2026-04-20T08:00", "disabled"),)),
    ("pendingdormant", "2023-01-09T07:00", ()),
    ("usedafter", "2023-01-09T07:00", ()),
    ("waiveddormant", "2023-01-09T07:00", ()),
)

# Their sign-ins. Those before 29 December are older than the log: only the list of users knows them.
OKTA_LOGINS = (
    ("dormant", "2025-12-10T08:00"),
    ("usedlate", "2025-12-20T09:00"),
    ("usedlate", "2026-04-20T09:00"),
    ("usedlate", "2026-06-20T09:00"),
    ("graceful", "2025-12-15T08:00"),
    ("graceend", "2025-12-22T08:00"),
    ("graceend", "2026-01-10T08:00"),
    ("disabledlate", "2025-12-23T08:00"),
    ("disabledlate", "2026-01-03T08:00"),
    ("pendingdormant", "2025-12-30T12:00"),
    ("pendingdormant", "2026-03-28T12:00"),
    ("usedafter", "2025-12-29T12:00"),
    ("usedafter", "2026-03-27T12:00"),
    ("usedafter", "2026-07-02T11:00"),
    ("waiveddormant", "2025-12-18T08:00"),
)

# Everybody else signs in every sixty days at least, while enabled and employed.
OKTA_ROUTINE = tuple(f"{day}T06:11" for day in ("2025-12-09", "2026-02-07", "2026-04-08", "2026-06-07"))
GITEA_ROUTINE = tuple(f"{day}T09:20" for day in ("2025-12-11", "2026-02-09", "2026-04-10", "2026-06-09"))
GITEA_NEVER_USED = ("gt-107",)  # nobody ever signed in as the printer

# Nobody can enter paydesk without being listed with a last use, but for the one that never was: its list says nothing.
PAYDESK_ROUTINE_FROM, PAYDESK_ROUTINE_DAYS = "2025-12-12T10:00", 20
# id, user name, employee, created, changes, e-mail, display name
PAYDESK = (
    # No log, and the list names no last use: whether anybody used it in 104 days, nobody can say.
    ("pd-04", "otto", "E1003", "2025-10-20T08:00", (("2026-02-05T10:00", "disabled"),), "Otto Owner"),
    # Due on 8 February, disabled between the lists of 26 January and 9 February.
    ("pd-05", "carla", "E1001", "2024-03-04T08:00", (("2026-02-07T12:00", "disabled"),), "Carla Chief"),
    # Disabled an hour after March's review began; the lists are of 23 February and 9 March, so nobody can say whether before.
    ("pd-06", "mona", "E1008", "2024-03-04T08:10", (("2026-03-02T09:00", "disabled"),), "Mona Missing"),
)
PAYDESK_USES = {"pd-04": (), "pd-05": ("2025-11-10T10:00",)}

# IAM users in steady use; ci-deployer has a list of its own. First use, and every so many days.
AWS_ROUTINE = {
    "svc-reports": ("2025-11-25T06:00", 30),
    "svc-backup": ("2025-12-15T05:00", 30),
    "svc-etl": ("2026-03-12T04:00", 30),
}

# parameter, value, scope, reason
POLICIES = (
    ("limit_days", "90", "", "Company standard"),
    ("limit_days", "3650", "account_type=root", "The root user is for emergencies: its use is the exception"),
    ("grace_days", "0", "", "Company standard"),
    ("grace_days", "7", "system=okta", "The help desk asks first"),
    ("log_gap_days", "7", "", "Company standard"),
)

# edge, subject (an Okta last name or a native id), clock start, outcome, reason, both periods
STATED = (
    ("last used before the period", "dormant", "2025-12-10T08:00:00", "deviation", "dormant_enabled", True),
    ("never used starts at creation", "neverused", "2026-01-12T08:00:00", "deviation", "dormant_enabled", True),
    ("used after the grace", "usedlate", "2025-12-20T09:00:00", "deviation", "dormant_enabled", True),
    ("disabled within the grace", "graceful", "2025-12-15T08:00:00", "operated", "", False),
    ("disabled at the end of the grace", "graceend", "2026-01-10T08:00:00", "operated", "", True),
    ("disabled after the grace", "disabledlate", "2026-01-03T08:00:00", "deviation", "disabled_late", True),
    ("the grace ends after T", "pendingdormant", "2026-03-28T12:00:00", "pending", "", True),
    ("used after T, within the grace", "usedafter", "2026-03-27T12:00:00", "operated", "", True),
    ("dormant with a waiver", "waiveddormant", "2025-12-18T08:00:00", "waived", "dormant_enabled", True),
    ("signs in often enough", "boss", "", "operated", "", True),
    ("a leaver's forgotten account", "gt-103", "2025-12-11T09:22:00", "deviation", "dormant_enabled", True),
    ("an account nobody ever used", "gt-107", "2021-08-01T08:00:00", "deviation", "dormant_enabled", True),
    ("no log, and no last use stated", "pd-04", "2025-10-20T08:00:00", "indeterminate", "usage_unobserved", False),
    ("due between two lists, no log", "pd-05", "2025-11-10T10:00:00", "indeterminate", "state_unobserved", False),
    ("a key that is never used", "svc-legacy", "2025-03-03T11:00:00", "deviation", "dormant_enabled", True),
    ("since when it could be used nobody knows", "carla.chief@larkfield.example", "2025-12-29T05:10:00", "deviation",
     "dormant_enabled", True),
    ("gone before it was watched for long enough", "ken", "", "indeterminate", "usage_unobserved", False),
    ("the root user's own limit", "<root_account>", "", "operated", "", True),
)  # fmt: skip
