"""Who answers for Larkfield's robots: the cast of OWN, as plain values."""

from __future__ import annotations

from datetime import date

from . import cast_retirement

# Robots of gitea, each with its own story of owners: id, user name.
GITEA_BOTS = (
    ("gt-110", "mirror-bot"),  # two weeks to the second between two owners
    ("gt-111", "wiki-bot"),  # nobody since February, with a waiver
    ("gt-112", "chat-bot"),  # its owner resigned the duty ten days before the period's end
    ("gt-113", "pages-bot"),  # the same, and the next owner is named the day after the period's end
    ("gt-114", "agency-bot"),  # its owner is on nobody's payroll
    ("gt-115", "lint-bot"),  # owned by Theo, of whom HR only shows that he has gone
    ("gt-116", "label-bot"),  # owned by Rita, who was rehired the next day
    ("gt-117", "badge-bot"),  # one second more than two weeks between two owners is too much: they are one day more
)
GITEA_BOTS_CREATED = "2024-03-04T08:00"

_ALWAYS = date(2025, 1, 1)
# identity, owner (employee id or an address), first day, last day
OWNERS = (
    ("nhi-ci-deployer", "E1003", _ALWAYS, None),
    ("nhi-ci-runner", "E1003", _ALWAYS, None),
    ("nhi-svc-reports", "E1003", _ALWAYS, None),
    ("nhi-svc-reports", "E1001", _ALWAYS, None),
    ("aws-root", "E1001", _ALWAYS, None),
    ("aws:arn:aws:iam::111122223333:user/svc-backup", "E1003", _ALWAYS, None),
    ("aws:arn:aws:iam::111122223333:user/svc-etl", "E1003", date(2026, 3, 20), None),
    ("okta:00ubotreviewer00051", "E1012", _ALWAYS, None),  # Lena, who leaves on 2 March
    ("okta:00usvcdirectory0052", "E1022", _ALWAYS, None),  # Ken, who leaves on 20 February
    ("okta:00usvcdirectory0052", "E1003", date(2026, 3, 1), None),
    *((f"gitea:{native_id}", "E1003", _ALWAYS, None) for native_id, _, _ in cast_retirement.GITEA_BOTS),
    ("gitea:gt-110", "E1002", _ALWAYS, date(2026, 2, 10)),
    ("gitea:gt-110", "E1003", date(2026, 2, 25), None),
    ("gitea:gt-111", "E1003", _ALWAYS, date(2026, 2, 15)),
    ("gitea:gt-112", "E1003", _ALWAYS, date(2026, 6, 20)),
    ("gitea:gt-113", "E1003", _ALWAYS, date(2026, 6, 20)),
    ("gitea:gt-113", "E1001", date(2026, 7, 1), None),
    ("gitea:gt-114", "hire@agency.example", _ALWAYS, None),
    ("gitea:gt-115", "E1019", _ALWAYS, None),
    ("gitea:gt-116", "E1024", _ALWAYS, None),
    ("gitea:gt-117", "E1001", _ALWAYS, date(2026, 2, 10)),
    ("gitea:gt-117", "E1003", date(2026, 2, 26), None),
)

# edge, identity, beginning of the gap, outcome, reason, both periods
STATED = (
    ("two owners", "nhi-svc-reports", "", "operated", "", True),
    ("owned within the grace of its birth", "aws:arn:aws:iam::111122223333:user/svc-etl", "",
     "operated", "", True),
    ("four days of life need no owner", "aws:arn:aws:iam::111122223333:user/svc-migrate", "",
     "operated", "", False),
    ("nobody, ever", "aws:arn:aws:iam::111122223333:user/svc-legacy", "2025-03-03T11:00:00", "deviation", "no_owner", True),
    ("its owner left", "okta:00ubotreviewer00051", "2026-03-02T23:00:00", "deviation", "owner_left", True),
    ("its owner left, another took over in a week", "okta:00usvcdirectory0052", "", "operated", "", True),
    ("exactly the grace", "gitea:gt-110", "", "operated", "", True),
    ("a day more than the grace", "gitea:gt-117", "2026-02-10T23:00:00", "deviation", "no_owner", False),
    ("without an owner, waived", "gitea:gt-111", "2026-02-15T23:00:00", "waived", "no_owner", True),
    ("the grace ends after T", "gitea:gt-112", "2026-06-20T22:00:00", "pending", "", True),
    ("owned again after T, within the grace", "gitea:gt-113", "", "operated", "", True),
    ("an owner HR does not know", "gitea:gt-114", "2024-03-04T08:00:00", "deviation", "no_owner", True),
    ("an owner who left on nobody knows which day", "gitea:gt-115", "2026-02-09T05:30:00", "deviation", "owner_left", True),
    ("an owner rehired the next day", "gitea:gt-116", "", "operated", "", True),
)  # fmt: skip
