"""What happened at Larkfield in the first half of 2026, and what each edge case must come to.

The cast is named by role. Every member is there because something about it breaks a naive reading of evidence; the
comment says what. Instants are UTC. `STATED` at the end holds the outcomes reasoned out by hand, from the
semantics alone; `oracle.py` has to agree with each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from . import (
    cast_access_approval,
    cast_change_approval,
    cast_dormant,
    cast_incident_containment,
    cast_ownership,
    cast_retirement,
    cast_review_follow_through,
    cast_vault,
)

DOMAIN = "larkfield.example"
AWS_ACCOUNT = "111122223333"
AS_OF = datetime(2026, 7, 20, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """`2026-03-04T06:00` or `2026-03-04T06:00:01`, always UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(first: datetime, until: datetime) -> list[datetime]:
    """The same time every day in [first, until)."""
    return [first + n * DAY for n in range(max(0, -((first - until) // DAY)))]


# -- periods --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """An audit period; `start` and `end` are local dates, end exclusive."""

    period_id: str
    first_day: date
    end_day: date
    timezone: str = "Europe/Berlin"

    @property
    def start(self) -> datetime:
        return midnight(self.first_day, self.timezone)

    @property
    def end(self) -> datetime:
        return midnight(self.end_day, self.timezone)

    @property
    def cutoff(self) -> datetime:
        """T: nothing later counts against a control."""
        return min(self.end, AS_OF)


def midnight(day: date, timezone: str = "Europe/Berlin") -> datetime:
    """The instant at which a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """How a date without a time is read: the next local midnight."""
    return midnight(day + DAY)


H1 = Period("2026-H1", date(2026, 1, 1), date(2026, 7, 1))
Q2 = Period("2026-Q2", date(2026, 4, 1), date(2026, 7, 1))  # overlaps H1: most of its operations are in both
PERIODS = (H1, Q2)


# -- people -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A worker as HR knows them."""

    employee_id: str
    first_name: str
    last_name: str
    hired: date
    last_day: date | None = None
    announced: date | None = None  # HR shows the last day from this date on; default: once it is over
    worker_type: str = "Employee"

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@{DOMAIN}".lower()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


PEOPLE = (
    Person("E1001", "Carla", "Chief", date(2019, 4, 1)),  # reviews the reviewer; co-owner of svc-reports
    Person("E1002", "Bruno", "Boss", date(2020, 2, 1)),  # reviews almost everybody
    Person("E1003", "Otto", "Owner", date(2020, 6, 1)),  # sole owner of two robots, co-owner of a third
    Person("E1004", "Sam", "Selfreviewer", date(2021, 1, 1)),  # approves his own account in Q1
    Person("E1005", "Dora", "Deferred", date(2021, 3, 1)),  # her review is deferred, which decides nothing
    Person("E1006", "Emil", "Empty", date(2021, 5, 1)),  # listed in both campaigns, never decided
    Person("E1007", "Lotte", "Latedecision", date(2021, 7, 1)),  # decided six days after the campaign was due
    Person("E1008", "Mona", "Missing", date(2021, 9, 1)),  # active, but absent from the campaign's own list
    Person("E1009", "Bella", "Botreviewed", date(2021, 11, 1)),  # a bot approved her
    Person("E1010", "Suse", "Suspended", date(2022, 1, 1)),  # suspended at the first launch: not in that population
    Person("E1011", "Hugo", "Hiredlater", date(2026, 3, 9)),  # his account is younger than the Q1 launch
    Person("E1012", "Lena", "Leaver", date(2022, 2, 1), date(2026, 3, 2)),  # disabled 31 h after her last day
    Person("E1013", "Ines", "Intime", date(2022, 3, 1), date(2026, 1, 15)),  # disabled 5 h after
    Person("E1014", "Edda", "Exact", date(2022, 4, 1), date(2026, 1, 20)),  # disabled at the deadline instant
    Person("E1015", "Nora", "Notdisabled", date(2022, 5, 1), date(2026, 1, 30)),  # gitea was forgotten
    Person("E1016", "Ursula", "Used", date(2022, 6, 1), date(2026, 2, 5)),  # signs in 30 h after, disabled 50 h after
    Person("E1017", "Neil", "Negative", date(2022, 7, 1), date(2026, 2, 13), date(2026, 1, 30)),  # closed before
    Person("E1018", "Gerd", "Gardenleave", date(2022, 8, 1), date(2026, 2, 27), date(2026, 1, 5)),  # closed 53 d before
    Person("E1019", "Theo", "Timeless", date(2022, 9, 1)),  # Terminated, and HR has no date
    Person("E1020", "Walter", "Waived", date(2022, 10, 1), date(2026, 2, 10)),  # a waiver covers his gitea hand-over
    Person("E1021", "Paul", "Paydesk", date(2022, 11, 1), date(2026, 2, 2)),  # no log shows when paydesk shut him out
    Person("E1022", "Ken", "Keyholder", date(2023, 1, 1), date(2026, 2, 20)),  # his AWS key outlives his directory
    Person("E1023", "Ada", "Alias", date(2023, 2, 1), date(2026, 4, 24), date(2026, 4, 1)),  # gitea knows her by a link
    Person("E1024", "Rita", "Rehired", date(2023, 3, 1)),  # ends 15 April, rehired 16 April: see employment_at
    Person("E1025", "Wanda", "Withdrawn", date(2023, 4, 1)),  # took her notice back: see employment_at
    Person("E1026", "Lars", "Lastday", date(2023, 5, 1), date(2026, 6, 30), date(2026, 6, 10)),  # last day of the period
    Person("E1027", "Petra", "Pending", date(2023, 6, 1), date(2026, 6, 30), date(2026, 6, 10)),  # due after the period
    Person("E1028", "Conny", "Contractor", date(2025, 9, 1), worker_type="Contractor"),  # paydesk, monthly review
    Person("E1029", "Pola", "Payer", date(2023, 8, 1)),  # paydesk, monthly review
    Person("E1030", "Falk", "Friday", date(2023, 9, 1), date(2026, 5, 29), date(2026, 5, 1)),  # closed on the day itself
    Person("E1031", "Mira", "Mindchanged", date(2023, 10, 1)),  # approved, then revoked: the last decision counts
    *(Person(*person) for person in cast_dormant.PEOPLE),
)  # fmt: skip
BY_NAME = {person.last_name.lower(): person for person in PEOPLE}
BY_EMPLOYEE_ID = {person.employee_id: person for person in PEOPLE}


@dataclass(frozen=True)
class Employment:
    """One person's line in the HR list as it reads at one moment."""

    hired: date
    last_day: date | None
    active: bool


def employment_at(person: Person, moment: datetime) -> Employment | None:
    """What HR's list says at `moment`; None before the person is hired."""
    today = moment.date()
    if today < person.hired:
        return None
    if person.employee_id == "E1019":  # Theo: gone on the list from 9 February, and no date was ever entered
        return Employment(person.hired, None, today < date(2026, 2, 9))
    if person.employee_id == "E1024":  # Rita: fixed-term contract ends, permanent one begins the next day
        if today < date(2026, 4, 27) and moment >= end_of_day(date(2026, 4, 15)):
            return Employment(person.hired, date(2026, 4, 15), False)
        return Employment(date(2026, 4, 16) if today >= date(2026, 4, 27) else person.hired, None, True)
    if person.employee_id == "E1025":  # Wanda: gives notice on 8 May, takes it back on 21 May
        noticed = date(2026, 5, 8) <= today < date(2026, 5, 21)
        return Employment(person.hired, date(2026, 5, 31) if noticed else None, True)
    if person.last_day is None:
        return Employment(person.hired, None, True)
    over = moment >= end_of_day(person.last_day)
    shown = over or (person.announced is not None and today >= person.announced)
    return Employment(person.hired, person.last_day if shown else None, not over)


# -- accounts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """A login in one system. `changes` are (instant, 'disabled' | 'enabled' | 'deleted'), in order."""

    system: str
    native_id: str
    user_name: str
    identity_id: str | None  # employee id, name of a robot, or None where nothing links it
    created: datetime
    changes: tuple[tuple[datetime, str], ...] = ()
    instance: str = "main"
    account_type: str = ""
    email: str = ""
    display_name: str = ""

    def state_at(self, moment: datetime) -> str:
        """'absent', 'enabled', 'disabled' or 'deleted'."""
        if moment < self.created:
            return "absent"
        state = "enabled"
        for instant, change in self.changes:
            if instant <= moment:
                state = change
        return state

    def closings(self) -> list[datetime]:
        return [instant for instant, change in self.changes if change in ("disabled", "deleted")]


def _okta(last_name: str, created: str, *changes: tuple[str, str]) -> Account:
    person = BY_NAME[last_name]
    key = f"{person.first_name}{person.last_name}".lower()[:14]
    return Account(
        "okta", f"00u{key:0<14}{person.employee_id[2:]}", person.email, person.employee_id, at(created),
        tuple((at(instant), change) for instant, change in changes), email=person.email, display_name=person.name,
    )  # fmt: skip


OKTA_ACCOUNTS = (
    _okta("chief", "2019-04-01T07:00"),
    _okta("boss", "2020-02-03T07:00"),
    _okta("owner", "2020-06-02T07:00"),
    _okta("selfreviewer", "2021-01-04T07:00"),
    _okta("deferred", "2021-03-01T07:00"),
    _okta("empty", "2021-05-03T07:00"),
    _okta("latedecision", "2021-07-01T07:00"),
    _okta("missing", "2021-09-01T07:00"),
    _okta("botreviewed", "2021-11-02T07:00"),
    _okta("suspended", "2022-01-03T07:00", ("2026-02-16T08:00", "disabled"), ("2026-04-02T08:00", "enabled")),
    _okta("hiredlater", "2026-03-10T08:00"),
    _okta("leaver", "2022-02-01T07:00", ("2026-03-04T06:00", "disabled")),
    _okta("intime", "2022-03-01T07:00", ("2026-01-16T04:00", "disabled")),
    _okta("exact", "2022-04-01T07:00", ("2026-01-21T23:00", "disabled")),
    _okta("notdisabled", "2022-05-02T07:00", ("2026-01-31T08:00", "disabled")),
    _okta("used", "2022-06-01T07:00", ("2026-02-08T01:00", "disabled")),
    _okta("negative", "2022-07-01T07:00", ("2026-02-11T15:00", "disabled")),
    _okta("gardenleave", "2022-08-01T07:00", ("2026-01-05T09:00", "disabled")),
    _okta("timeless", "2022-09-01T07:00", ("2026-02-10T09:00", "disabled")),
    _okta("waived", "2022-10-04T07:00", ("2026-02-11T07:00", "disabled")),
    _okta("paydesk", "2022-11-02T07:00", ("2026-02-03T09:00", "disabled")),
    _okta("keyholder", "2023-01-02T07:00", ("2026-02-21T09:00", "disabled")),
    _okta("alias", "2023-02-01T07:00", ("2026-04-25T06:00", "disabled")),
    _okta("rehired", "2023-03-01T07:00"),
    _okta("withdrawn", "2023-04-03T07:00"),
    _okta("lastday", "2023-05-02T07:00", ("2026-07-01T07:00", "disabled")),
    _okta("pending", "2023-06-01T07:00", ("2026-07-03T09:00", "disabled")),
    _okta("contractor", "2025-09-01T07:00"),
    _okta("payer", "2023-08-01T07:00"),
    _okta("friday", "2023-09-01T07:00", ("2026-05-29T15:00", "disabled")),
    _okta("mindchanged", "2023-10-02T07:00"),
    *(_okta(last_name, created, *changes) for last_name, created, changes in cast_dormant.OKTA),
    # Robots without a link: identity_rules tell that they are not people.
    Account("okta", "00ubotreviewer00051", f"bot-reviewer@{DOMAIN}", "bot-reviewer", at("2024-01-08T07:00"),
            email=f"bot-reviewer@{DOMAIN}", display_name="Review Bot"),
    Account("okta", "00usvcdirectory0052", f"svc-directory@{DOMAIN}", "svc-directory", at("2024-01-09T07:00"),
            email=f"svc-directory@{DOMAIN}", display_name="Directory Sync"),
)  # fmt: skip

GITEA_ACCOUNTS = (
    Account("gitea", "gt-101", "carla", "E1001", at("2022-01-10T08:00"), email=BY_NAME["chief"].email,
            account_type="user", display_name="Carla Chief"),
    Account("gitea", "gt-102", "otto", "E1003", at("2022-01-10T08:05"), email=BY_NAME["owner"].email,
            account_type="user", display_name="Otto Owner"),
    Account("gitea", "gt-103", "nora", "E1015", at("2022-05-03T08:00"), email=BY_NAME["notdisabled"].email,
            account_type="user", display_name="Nora Notdisabled"),  # never disabled
    Account("gitea", "gt-104", "walter", "E1020", at("2022-10-05T08:00"), ((at("2026-02-16T10:00"), "disabled"),),
            email=BY_NAME["waived"].email, account_type="user", display_name="Walter Waived"),
    # A private address that matches nobody in HR: only identity_links names her.
    Account("gitea", "gt-105", "adal", "E1023", at("2023-02-02T08:00"), ((at("2026-04-25T10:00"), "disabled"),),
            email="adal@private.example", account_type="user", display_name="A. L."),
    # Sole owner Otto approves it in Q1: a self-review of a robot.
    Account("gitea", "gt-106", "ci-runner", "nhi-ci-runner", at("2023-06-01T08:00"), account_type="bot",
            display_name="CI runner"),
    # Nothing links it: it must be listed as unlinked, and stays in the review population.
    Account("gitea", "gt-107", "oldprinter", None, at("2021-08-01T08:00"), account_type="user",
            display_name="Office printer"),
    Account("gitea", "gt-108", "mira", "E1031", at("2023-10-03T08:00"), email=BY_NAME["mindchanged"].email,
            account_type="user", display_name="Mira Mindchanged"),  # her June review is still open at T
    *(
        Account("gitea", native_id, name, name, at(cast_ownership.GITEA_BOTS_CREATED), account_type="bot", display_name=name)
        for native_id, name in cast_ownership.GITEA_BOTS
    ),
    *(
        Account("gitea", native_id, name, name, at(cast_ownership.GITEA_BOTS_CREATED),
                ((at(disabled), "disabled"),) if disabled else (), account_type="bot", display_name=name)
        for native_id, name, disabled in cast_retirement.GITEA_BOTS
    ),
)  # fmt: skip

PAYDESK_ACCOUNTS = (  # a payment console without any log, exported as an instance of its own; reviewed monthly
    Account("paydesk", "pd-01", "paul", "E1021", at("2023-01-09T08:00"), ((at("2026-02-04T10:00"), "disabled"),),
            "paydesk", "payment_operator", BY_NAME["paydesk"].email, "Paul Paydesk"),
    Account("paydesk", "pd-02", "pola", "E1029", at("2023-08-02T08:00"), (), "paydesk", "payment_operator",
            BY_NAME["payer"].email, "Pola Payer"),
    Account("paydesk", "pd-03", "conny", "E1028", at("2025-09-02T08:00"), (), "paydesk", "payment_operator",
            BY_NAME["contractor"].email, "Conny Contractor"),
    *(
        Account("paydesk", native_id, user_name, employee_id, at(created), tuple((at(t), c) for t, c in changes), "paydesk",
                "payment_operator", BY_EMPLOYEE_ID[employee_id].email, display_name)
        for native_id, user_name, employee_id, created, changes, display_name in cast_dormant.PAYDESK
    ),
)  # fmt: skip


# -- AWS ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccessKey:
    """`changes` are (instant, 'Inactive' | 'Active'); `slot` is its place in the credential report.
    A key older than CloudTrail's first record has no id there: `native_id` is then the slot."""

    key_id: str
    slot: int
    created: datetime
    changes: tuple[tuple[datetime, str], ...] = ()
    deleted: datetime | None = None
    in_cloudtrail: bool = True

    def active_at(self, moment: datetime) -> bool:
        if moment < self.created or (self.deleted and moment >= self.deleted):
            return False
        state = "Active"
        for instant, change in self.changes:
            if instant <= moment:
                state = change
        return state == "Active"

    def exists_at(self, moment: datetime) -> bool:
        return self.created <= moment and not (self.deleted and moment >= self.deleted)

    def closed(self) -> datetime | None:
        """The deactivation or deletion after which it was never active again."""
        ends = [(instant, change == "Active") for instant, change in self.changes]
        ends += [(self.deleted, False)] if self.deleted else []
        closed = None
        for instant, active in ends:
            closed = None if active else (closed or instant)
        return closed


@dataclass(frozen=True)
class AwsUser:
    """An IAM user, or the root user. `password_until` None means no console password, ever."""

    user_name: str
    identity_id: str | None
    created: datetime
    keys: tuple[AccessKey, ...] = ()
    deleted: datetime | None = None
    password_until: datetime | None = None

    @property
    def arn(self) -> str:
        if self.user_name == "<root_account>":
            return f"arn:aws:iam::{AWS_ACCOUNT}:root"
        return f"arn:aws:iam::{AWS_ACCOUNT}:user/{self.user_name}"

    def key_native_id(self, key: AccessKey) -> str:
        return key.key_id if key.in_cloudtrail else f"{self.arn}#{key.slot}"

    def has_password_at(self, moment: datetime) -> bool:
        return self.password_until is not None and self.created <= moment < self.password_until

    def state_at(self, moment: datetime) -> str:
        """An IAM user can't be switched off; it is disabled when neither password nor key lets anybody in."""
        if moment < self.created:
            return "absent"
        if self.deleted and moment >= self.deleted:
            return "deleted"
        usable = self.has_password_at(moment) or any(key.active_at(moment) for key in self.keys)
        return "enabled" if usable or self.user_name == "<root_account>" else "disabled"

    def closings(self) -> list[datetime]:
        instants = {self.deleted, self.password_until} | {t for key in self.keys for t, _ in key.changes}
        instants |= {key.deleted for key in self.keys}
        known = sorted(t for t in instants if t and t < NEVER)
        return [t for t in known if self.state_at(t) != "enabled" and self.state_at(t - timedelta(seconds=1)) == "enabled"]


NEVER = at("9999-01-01T00:00")


def _key(name: str, slot: int, created: str, *changes: tuple[str, str], deleted: str | None = None,
         in_cloudtrail: bool = True) -> AccessKey:  # fmt: skip
    # Ids end in EXAMPLE so that nobody's secret scanner mistakes them for real ones.
    key_id = f"AKIA{name:Z<9}EXAMPLE"
    moves = tuple((at(instant), change) for instant, change in changes)
    return AccessKey(key_id, slot, at(created), moves, at(deleted) if deleted else None, in_cloudtrail)


AWS_USERS = (
    # An account like any other: reviewed in Q1, forgotten in Q2.
    AwsUser("<root_account>", "aws-root", at("2018-03-05T10:00"), password_until=NEVER),
    AwsUser(f"carla.chief@{DOMAIN}", "E1001", at("2019-04-02T09:00"), password_until=NEVER),
    # Directory and console closed in time; the key goes 40 h after. The last access counts.
    AwsUser("ken", "E1022", at("2025-05-05T09:00"), (
        _key("KEN", 1, "2026-01-08T09:00", ("2026-02-22T15:00", "Inactive"), deleted="2026-03-09T10:00"),
    ), deleted=at("2026-03-09T10:00"), password_until=at("2026-02-21T08:00")),
    # Good rotation: new key first, four days of overlap, then the old one goes. The third key is under the new policy.
    AwsUser("ci-deployer", "nhi-ci-deployer", at("2023-01-16T09:00"), (
        _key("CIDEPLOYA", 1, "2025-12-01T07:00", ("2026-02-14T07:00", "Inactive"), deleted="2026-02-20T07:00"),
        _key("CIDEPLOYB", 2, "2026-02-10T07:00", ("2026-05-06T07:00", "Inactive"), deleted="2026-05-13T07:00"),
        _key("CIDEPLOYC", 1, "2026-05-04T07:00"),
    )),
    # A second key beside one that stays active rotates nothing: A is overdue, B is retired.
    AwsUser("svc-reports", "nhi-svc-reports", at("2023-02-20T09:00"), (
        _key("REPORTSA", 1, "2025-11-20T08:00"),
        _key("REPORTSB", 2, "2026-02-01T08:00", ("2026-04-20T08:00", "Inactive"), deleted="2026-04-27T08:00"),
    )),
    # Deactivated and reactivated: the age resumes, the key is late. Its successors are in time.
    AwsUser("svc-backup", "svc-backup", at("2023-03-20T09:00"), (
        _key("BACKUPA", 1, "2025-12-10T06:00", ("2026-02-01T06:00", "Inactive"), ("2026-02-20T06:00", "Active"),
             ("2026-03-30T06:00", "Inactive"), deleted="2026-04-05T06:00"),
        _key("BACKUPB", 2, "2026-03-29T06:00", ("2026-05-20T06:00", "Inactive"), deleted="2026-05-21T06:00"),
        _key("BACKUPC", 1, "2026-05-19T06:00"),
    )),
    # Older than the log: known only by its slot in the credential report.
    AwsUser("svc-legacy", "svc-legacy", at("2025-03-03T10:00"), (
        _key("LEGACY", 1, "2025-03-03T11:00", in_cloudtrail=False),
    )),
    # The policy changes on 16 March from 90 to 60 days: the value at the clock's start decides.
    AwsUser("svc-etl", "svc-etl", at("2026-03-10T09:55"), (
        _key("ETLA", 1, "2026-03-10T10:00", ("2026-05-30T10:00", "Inactive"), deleted="2026-05-30T10:05"),
        _key("ETLB", 2, "2026-03-20T10:00", ("2026-05-30T10:20", "Inactive"), deleted="2026-06-03T10:00"),
        _key("ETLC", 1, "2026-05-30T10:10"),
    )),
    # Lives for four days between two snapshots: only events know it.
    AwsUser("svc-migrate", "svc-migrate", at("2026-02-02T09:00"), (
        _key("MIGRATE", 1, "2026-02-02T10:00", deleted="2026-02-06T15:00"),
    ), deleted=at("2026-02-06T15:00")),
)  # fmt: skip
CLOUDTRAIL_FROM = at("2025-11-01T00:00")

# svc-reports already has two keys: the call fails and rotates nothing.
FAILED_KEY_CREATION = (at("2026-03-05T08:00"), "svc-reports")
CI_DEPLOYER_USES = daily(at("2025-12-29T02:40:11"), at("2026-07-14T00:00"))
ROOT_LAST_LOGIN = at("2025-11-03T09:12:44")


# -- Vault ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Secret:
    """A KV v2 secret. `versions` are the instants of Vault's answers; `destroyed` is (instant, version)."""

    path: str
    versions: tuple[datetime, ...]
    custom_metadata: tuple[tuple[str, str], ...] = ()
    metadata_deleted: datetime | None = None
    soft_deleted: datetime | None = None
    destroyed: tuple[datetime, int] | None = None
    destroyed_by_cli: bool = False  # the CLI sends the version as text, which the audit device hashes
    metadata_written: datetime | None = None
    write_failed: datetime | None = None

    @property
    def native_id(self) -> str:
        return f"kv/{self.path}"


def _secret(path: str, *versions: str, **more: object) -> Secret:
    return Secret(path, tuple(at(version) for version in versions), **more)  # type: ignore[arg-type]


SECRETS = (
    # Rotated before the period's own deadline, then exactly at a deadline; the third version is pending.
    _secret("orders/db-punctual", "2025-10-20T06:00", "2026-01-12T09:30", "2026-04-12T09:30"),
    # One second after the deadline.
    _secret("orders/api-onesecond", "2026-01-20T08:00", "2026-04-20T08:00:01"),
    # Seven months old when the period begins, never rotated.
    _secret("legacy/mainframe-overdue", "2025-06-01T07:00"),
    # 105 days, then in time, then pending.
    _secret("erp/late", "2025-12-10T07:00", "2026-03-25T07:00", "2026-06-20T07:00"),
    # Late across the start of 2026-Q2: a deviation in both periods, with a smaller breach in the second.
    _secret("erp/straddle", "2025-12-01T07:00", "2026-04-10T07:00"),
    # Overdue at T; rotated six days later, which the period no longer sees. Its waiver had run out before.
    _secret("erp/overdue-at-t", "2026-02-01T07:00", "2026-07-06T07:00"),
    # Versions and metadata deleted, nothing follows: retirement.
    _secret("tools/retired", "2026-01-10T07:00", metadata_deleted=at("2026-03-01T07:00")),
    # A soft delete can be undone: it closes nothing.
    _secret("tools/soft-deleted", "2025-12-15T07:00", soft_deleted=at("2026-02-10T07:00")),
    # The current version is destroyed: closed.
    _secret("tools/destroyed", "2025-12-20T07:00", destroyed=(at("2026-02-20T07:00"), 1)),
    # An old version is destroyed, by the CLI: the current one stays open.
    _secret("tools/destroyed-old", "2025-12-22T07:00", "2026-02-15T07:00", "2026-05-10T07:00",
            destroyed=(at("2026-03-01T07:00"), 1), destroyed_by_cli=True),
    # A metadata write and a refused write before the deadline: neither rotates.
    _secret("tools/metadata-only", "2026-01-05T07:00", "2026-05-15T07:00",
            custom_metadata=(("team", "tools"),), metadata_written=at("2026-03-20T07:00"),
            write_failed=at("2026-03-28T07:00")),
    # Tagged env=prod: 30 days. One interval of 36.
    _secret("payments/prod-card", "2025-12-28T07:00", "2026-01-25T07:00", "2026-03-02T07:00", "2026-03-30T07:00",
            "2026-04-28T07:00", "2026-05-26T07:00", "2026-06-22T07:00", custom_metadata=(("env", "prod"),)),
    # Named by the policy itself: 365 days.
    _secret("legacy/escrow", "2025-09-01T07:00"),
    # The waiver was approved before the breach.
    _secret("erp/waived", "2025-12-05T07:00", "2026-04-15T07:00"),
    # The waiver was approved twelve days after the breach: it excuses nothing.
    _secret("erp/waiver-too-late", "2025-12-08T07:00", "2026-03-28T07:00", "2026-06-20T08:00"),
    # Created and removed between two snapshots.
    _secret("tmp/incident", "2026-04-14T09:00", metadata_deleted=at("2026-04-16T09:00")),
    # Retired with a ticket, a week before the hole in the log.
    _secret(cast_retirement.SECRET[0], cast_retirement.SECRET[1], metadata_deleted=at(cast_retirement.SECRET[2])),
    *(
        _secret(item, written, metadata_deleted=at(deleted) if deleted else None,
                custom_metadata=(("holds", "vendor-key"), (named_by, credential)))
        for item, credential, named_by, written, deleted in cast_vault.ITEMS
    ),
)  # fmt: skip
VAULT_LOG_FROM = at("2025-12-29T00:00")
VAULT_READS = daily(at("2025-12-29T02:10"), at("2026-07-14T00:00"))


# -- credentials of the in-house systems -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """A credential of gitea. A versioned one has several `created`; a key has one, None where nobody knows it."""

    credential_id: str
    account_id: str
    credential_type: str
    custody: str
    created: tuple[datetime | None, ...]
    deactivated: datetime | None = None
    tags: tuple[tuple[str, str], ...] = ()


TOKENS = (
    # In the first snapshot, without a date of birth: its age can't be known. Gone before 2026-Q2.
    Token("tok-mystery", "gt-107", "token", "key", (None,), at("2026-03-11T12:00")),
    # Replaced in time.
    Token("tok-ci-1", "gt-106", "token", "key", (at("2026-01-15T08:00"),), at("2026-04-12T08:00")),
    Token("tok-ci-2", "gt-106", "token", "key", (at("2026-04-10T08:00"),)),
    # Versioned outside Vault.
    Token("hook-secret", "gt-106", "secret", "versioned",
          (at("2025-12-20T09:00"), at("2026-03-18T09:00"), at("2026-06-10T09:00"))),
    # Tagged env=prod in another system: the same 30 days.
    # Made three days before the period ends, beside tok-ci-2, which stays.
    Token(*cast_access_approval.SECOND_TOKEN[:4], (at(cast_access_approval.SECOND_TOKEN[4]),)),
    Token("deploy-prod", "gt-106", "deploy_key", "key", (at("2026-05-20T10:00"),), tags=(("env", "prod"),)),
)  # fmt: skip


def okta_id(last_name: str) -> str:
    return next(a.native_id for a in OKTA_ACCOUNTS if a.identity_id == BY_NAME[last_name].employee_id)


# -- use ------------------------------------------------------------------------------------------------------------------

_DAILY_USERS = ("boss", "chief", "owner", "selfreviewer", "empty", "missing", "payer")
NO_LOGIN_DAY = date(2026, 5, 3)  # a Sunday on which nobody signs in: Okta's log is there, and empty


def _employed(account: Account, moment: datetime) -> bool:
    """Enabled, and not yet gone: who has left uses nothing any more."""
    person = BY_EMPLOYEE_ID.get(account.identity_id or "")
    gone = person.last_day if person else None
    return account.state_at(moment) == "enabled" and (gone is None or moment.date() < gone)


def _routine(accounts: tuple[Account, ...], moments: list[datetime], idle: set[str]) -> list[tuple[datetime, Account]]:
    """One use by each account that isn't idle, a minute apart."""
    return [
        (moment + timedelta(minutes=n), account)
        for moment in moments
        for n, account in enumerate(accounts)
        if account.native_id not in idle and _employed(account, moment + timedelta(minutes=n))
    ]


def okta_logins() -> list[tuple[datetime, Account]]:
    """Successful sign-ins: one a day by someone who stays, everybody's every sixty days, those of the dormant, and
    Ursula's, 30 h after her last day."""
    by_last_name = {account.identity_id: account for account in OKTA_ACCOUNTS}
    logins = []
    for n, moment in enumerate(daily(at("2025-12-29T07:03:20.512"), at("2026-07-14T00:00"))):
        if moment.date() != NO_LOGIN_DAY:
            person = BY_NAME[_DAILY_USERS[n % len(_DAILY_USERS)]]
            logins.append((moment + timedelta(seconds=37 * (n % 23)), by_last_name[person.employee_id]))
    logins.append((at("2026-02-07T05:00"), by_last_name[BY_NAME["used"].employee_id]))
    idle = {okta_id(last_name) for last_name, _, _ in cast_dormant.OKTA}
    logins += _routine(OKTA_ACCOUNTS, [at(text) for text in cast_dormant.OKTA_ROUTINE], idle)
    logins += [(at(text), by_last_name[BY_NAME[name].employee_id]) for name, text in cast_dormant.OKTA_LOGINS]
    return sorted(logins, key=lambda login: login[0])


def gitea_logins() -> list[tuple[datetime, Account]]:
    """Carla pushes every fourth day or so, Otto logs in now and then, everybody every sixty days: the log is sparse."""
    logins = [(moment, GITEA_ACCOUNTS[0]) for moment in daily(at("2025-12-30T08:14:03"), at("2026-07-13T00:00"))[::4]]
    logins += [(moment, GITEA_ACCOUNTS[1]) for moment in daily(at("2026-01-02T13:40:59"), at("2026-07-13T00:00"))[::9]]
    idle = set(cast_dormant.GITEA_NEVER_USED)
    logins += _routine(GITEA_ACCOUNTS, [at(text) for text in cast_dormant.GITEA_ROUTINE], idle)
    by_id = {account.native_id: account for account in GITEA_ACCOUNTS}
    logins += [(at(text), by_id[native_id]) for native_id, text in cast_retirement.USED_AFTERWARDS]
    return sorted(logins, key=lambda login: login[0])


def paydesk_uses() -> list[tuple[datetime, Account]]:
    """What operators do in paydesk; the only trace is the last use in its list."""
    uses = []
    for account in PAYDESK_ACCOUNTS:
        own = cast_dormant.PAYDESK_USES.get(account.native_id)
        usual = daily(at(cast_dormant.PAYDESK_ROUTINE_FROM), at("2026-07-13T00:00"))[:: cast_dormant.PAYDESK_ROUTINE_DAYS]
        moments = usual if own is None else [at(text) for text in own]
        uses += [(moment, account) for moment in moments if account.state_at(moment) == "enabled"]
    return sorted(uses, key=lambda use: use[0])


def aws_uses() -> list[tuple[datetime, AwsUser, AccessKey]]:
    """Calls of the robots, each with the youngest key that works at the time."""
    uses = []
    for user in AWS_USERS:
        moments = CI_DEPLOYER_USES if user.user_name == "ci-deployer" else []
        if user.user_name in cast_dormant.AWS_ROUTINE:
            first, days = cast_dormant.AWS_ROUTINE[user.user_name]
            moments = daily(at(first), at("2026-07-14T00:00"))[::days]
        for moment in moments:
            active = [key for key in user.keys if key.active_at(moment)]
            uses += [(moment, user, active[-1])] if active else []
    return sorted(uses, key=lambda use: use[0])


# -- what people decided -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """One row of the policies feed; days are inclusive."""

    control_id: str
    parameter: str
    value: str
    scope: str
    valid_from: date
    valid_to: date | None
    reason: str


_ALWAYS = date(2025, 1, 1)
ACCESS_KEYS_UNTIL_MARCH = Policy("ROT", "max_age_days", "90", "credential_type=access_key", _ALWAYS,
                                 date(2026, 3, 15), "CIS 1.14")  # fmt: skip
POLICIES = (
    Policy("ROT", "max_age_days", "90", "", _ALWAYS, None, "Company standard"),
    ACCESS_KEYS_UNTIL_MARCH,
    Policy("ROT", "max_age_days", "60", "credential_type=access_key", date(2026, 3, 16), None, "Risk review of 2 March"),
    Policy("ROT", "max_age_days", "30", "tag:env=prod", _ALWAYS, None, "Production secrets"),
    Policy("ROT", "max_age_days", "365", "subject=kv/legacy/escrow", _ALWAYS, None, "Escrow agent rotates yearly"),
    Policy("REV", "frequency", "quarterly", "", _ALWAYS, None, "Company standard"),
    Policy("REV", "frequency", "monthly", "account_type=payment_operator", _ALWAYS, None, "Payment rules"),
    Policy("OFF", "sla_hours", "24", "", _ALWAYS, None, "Company standard"),
    Policy("LOG", "slot_hours", "24", "", _ALWAYS, None, "Company standard"),
    *(
        Policy("DOR", parameter, value, scope, _ALWAYS, None, reason)
        for parameter, value, scope, reason in cast_dormant.POLICIES
    ),
    Policy("OWN", "grace_days", "14", "", _ALWAYS, None, "Company standard"),
    Policy("DEC", "sla_days", "7", "", _ALWAYS, None, "Company standard"),
    Policy("DEC", "observation_days", "30", "", _ALWAYS, None, "Company standard"),
    Policy("ROT", "max_age_days", "3650", "tag:holds=vendor-key", _ALWAYS, None, "What lies in it is rotated at the vendor"),
    Policy("VLT", "grace_days", "1", "", _ALWAYS, None, "Company standard"),
    Policy("VLT", "grace_days", "60", "subject=deploy-prod", _ALWAYS, None, "Vault has no place for deploy keys before July"),
)  # fmt: skip


@dataclass(frozen=True)
class Waiver:
    waiver_id: str
    control_id: str
    system: str
    subject_id: str
    first_day: date
    last_day: date
    approved_at: datetime
    collected_at: datetime
    reason: str


WAIVERS = (
    Waiver("W-2026-01", "OFF", "gitea", "gt-104", date(2026, 2, 1), date(2026, 2, 28), at("2026-01-30T15:00"),
           at("2026-01-31T09:00"), "Hand-over of repositories, account restricted to reading"),
    Waiver("W-2026-02", "ROT", "hashicorp_vault", "kv/erp/overdue-at-t", date(2026, 2, 1), date(2026, 4, 30),
           at("2026-01-30T16:00"), at("2026-01-31T09:00"), "ERP migration freeze"),
    Waiver("W-2026-03", "ROT", "hashicorp_vault", "kv/erp/waived", date(2026, 3, 1), date(2026, 4, 30),
           at("2026-02-20T10:00"), at("2026-02-22T09:00"), "ERP migration freeze"),
    Waiver("W-2026-04", "ROT", "hashicorp_vault", "kv/erp/waiver-too-late", date(2026, 3, 1), date(2026, 4, 30),
           at("2026-03-20T10:00"), at("2026-03-21T09:00"), "ERP migration freeze, found in retrospect"),
    Waiver("W-2026-06", "DOR", "okta", okta_id("waiveddormant"), date(2026, 3, 1), date(2026, 3, 31),
           at("2026-02-20T11:00"), at("2026-02-22T09:00"), "On parental leave until September"),
    *(
        Waiver(waiver_id, control, system, subject, date.fromisoformat(first_day), date.fromisoformat(last_day),
               at(approved), at(collected), reason)
        for waiver_id, control, system, subject, first_day, last_day, approved, collected, reason
        in (*cast_access_approval.WAIVERS, *cast_review_follow_through.WAIVERS, *cast_incident_containment.WAIVERS,
            *cast_change_approval.WAIVERS)
    ),
    Waiver("W-2026-07", "OWN", "gitea", "gitea:gt-111", date(2026, 2, 25), date(2026, 12, 31), at("2026-02-20T11:30"),
           at("2026-02-22T09:00"), "The wiki moves out in autumn"),
    Waiver("W-2026-08", "DEC", "gitea", "gt-125", date(2026, 5, 1), date(2026, 6, 30), at("2026-03-20T11:00"),
           at("2026-03-21T09:00"), "Needed for the restore test in May"),
    Waiver("W-2026-09", "VLT", "aws", "AKIABACKUPBZZEXAMPLE", date(2026, 3, 25), date(2026, 6, 30), at("2026-03-20T12:00"),
           at("2026-03-21T09:00"), "The backup tool reads its key from a file until version 9"),
    # Collected after as_of, with an approval dated back: knowledge nobody had.
    Waiver("W-2026-05", "ROT", "hashicorp_vault", "kv/legacy/mainframe-overdue", date(2025, 8, 1), date(2026, 12, 31),
           at("2025-08-01T10:00"), at("2026-07-25T09:00"), "Mainframe retires in 2027"),
)  # fmt: skip

SOLE_OWNED = {"nhi-ci-deployer": "E1003", "nhi-ci-runner": "E1003"}  # svc-reports has two owners: Otto may review it


# -- review campaigns ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    account_id: str
    reviewer: str | None  # employee id, or a robot's name
    word: str
    decided_at: datetime | None


@dataclass(frozen=True)
class Campaign:
    campaign_id: str
    name: str
    launched: datetime
    due: datetime | None  # None: the cycle's end
    systems: tuple[str, ...]
    decisions: tuple[Decision, ...]


def all_accounts() -> list[Account | AwsUser]:
    return [*OKTA_ACCOUNTS, *GITEA_ACCOUNTS, *PAYDESK_ACCOUNTS, *AWS_USERS]


def native_id(account: Account | AwsUser) -> str:
    return account.arn if isinstance(account, AwsUser) else account.native_id


def system_of(account: Account | AwsUser) -> str:
    return "aws" if isinstance(account, AwsUser) else account.system


def _campaign(campaign_id: str, name: str, launched: str, due: str | None, systems: tuple[str, ...],
              decided_from: str, omitted: tuple[str, ...] = (), added: tuple[str, ...] = (),
              own: dict[str, list[Decision]] | None = None) -> Campaign:  # fmt: skip
    """Bruno approves everything a minute apart, Carla approves Bruno's own; `own` is what differs by hand."""
    listed = [native_id(a) for a in all_accounts() if system_of(a) in systems and a.state_at(at(launched)) == "enabled"]
    decisions: list[Decision] = []
    for n, account_id in enumerate([*(a for a in listed if a not in omitted), *added]):
        reviewer = "E1001" if account_id == okta_id("boss") else "E1002"
        usual = [Decision(account_id, reviewer, "approve", at(decided_from) + timedelta(minutes=n))]
        decisions += (own or {}).get(account_id, usual)
    return Campaign(campaign_id, name, at(launched), at(due) if due else None, systems, tuple(decisions))


def _one(account_id: str, reviewer: str | None, word: str, decided_at: str | None) -> dict[str, list[Decision]]:
    return {account_id: [Decision(account_id, reviewer, word, at(decided_at) if decided_at else None)]}


_ARN = f"arn:aws:iam::{AWS_ACCOUNT}"
CAMPAIGNS = (
    _campaign("C-2026-01", "Payment operators, January", "2026-01-12T08:00", "2026-01-23T16:00", ("paydesk",),
              "2026-01-19T09:00"),
    # No due date: the end of the cycle. Conny is never decided.
    _campaign("C-2026-02", "Payment operators, February", "2026-02-09T08:00", None, ("paydesk",),
              "2026-02-27T09:00", own=_one("pd-03", None, "", None)),
    _campaign("C-2026-Q1", "Directory and repositories, Q1", "2026-03-02T08:00", "2026-03-27T17:00", ("okta", "gitea"),
              "2026-03-18T09:00",
              omitted=(okta_id("missing"),),
              added=(okta_id("gardenleave"),),  # listed, though disabled since January: the list is not the population
              own={
                  **_one(okta_id("selfreviewer"), "E1004", "approve", "2026-03-18T10:00"),
                  **_one(okta_id("deferred"), "E1002", "defer", "2026-03-20T09:00"),
                  **_one(okta_id("empty"), None, "", None),
                  **_one(okta_id("latedecision"), "E1002", "certify", "2026-04-02T09:00"),
                  **_one(okta_id("botreviewed"), "bot-reviewer", "approve", "2026-03-18T03:00"),
                  **_one(okta_id("leaver"), "E1002", "revoke", "2026-03-05T09:00"),
                  okta_id("mindchanged"): [
                      Decision(okta_id("mindchanged"), "E1002", "keep", at("2026-03-10T09:00")),
                      Decision(okta_id("mindchanged"), "E1002", "remove", at("2026-03-15T09:00")),
                  ],
                  **_one("gt-103", "E1002", "deny", "2026-03-18T11:00"),  # decided; that nobody acted is another control
                  **_one("gt-106", "E1003", "approve", "2026-03-18T12:00"),
              }),
    # Due after the quarter's end; the root user is decided in between.
    _campaign("C-2026-Q1-AWS", "AWS, Q1", "2026-03-16T08:00", "2026-04-10T16:00", ("aws",), "2026-03-23T09:00",
              own={
                  **_one(f"{_ARN}:root", "E1002", "maintain", "2026-04-03T09:00"),
                  **_one(f"{_ARN}:user/svc-reports", "E1003", "approve", "2026-03-23T10:00"),  # one owner of two
              }),
    # March's payment operators are in none of these; in April and May there is no campaign at all.
    _campaign("C-2026-Q2", "Directory, Q2", "2026-06-01T08:00", "2026-06-26T16:00", ("okta",), "2026-06-17T09:00",
              own=_one(okta_id("empty"), None, "", None)),
    _campaign("C-2026-Q2-AWS", "AWS, Q2", "2026-06-08T07:00", "2026-06-26T16:00", ("aws",), "2026-06-18T09:00",
              omitted=(f"{_ARN}:root",)),
    # Launched after the directory's campaign of the same month: it names the system, so it sets the launch.
    _campaign("C-2026-06", "Payment operators, June", "2026-06-08T08:00", "2026-06-19T16:00", ("paydesk",),
              "2026-06-15T09:00"),
    # Due after the period's end: Otto's decision comes in between, Mira's too late to be seen by this period.
    _campaign("C-2026-Q2-GIT", "Repositories, Q2", "2026-06-15T08:00", "2026-07-10T16:00", ("gitea",),
              "2026-06-22T09:00",
              own={
                  **_one("gt-102", "E1002", "approve", "2026-07-03T09:00"),
                  **_one("gt-108", "E1002", "approve", "2026-07-14T09:00"),
                  **_one("gt-106", "E1001", "approve", "2026-06-22T10:00"),
              }),
)  # fmt: skip


# -- outcomes stated by hand --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stated:
    """What one edge case must come to. `when` is the cycle, or the instant the clock started (ROT), else empty."""

    edge: str
    control_id: str
    subject_id: str
    when: str
    outcome: str
    reason: str = ""
    periods: tuple[str, ...] = ("2026-H1",)


BOTH = ("2026-H1", "2026-Q2")
Q2_ONLY = ("2026-Q2",)


def _rot(edge: str, subject: str, opened: str, outcome: str, reason: str = "", periods: tuple[str, ...] = ("2026-H1",)) -> Stated:
    return Stated(edge, "ROT", subject, opened, outcome, reason, periods)


def _rev(edge: str, subject: str, cycle: str, outcome: str, reason: str = "", periods: tuple[str, ...] = ("2026-H1",)) -> Stated:
    return Stated(edge, "REV", subject, cycle, outcome, reason, periods)


def _off(edge: str, subject: str, outcome: str, reason: str = "", periods: tuple[str, ...] = ("2026-H1",)) -> Stated:
    return Stated(edge, "OFF", subject, "", outcome, reason, periods)


def _dor(edge: str, who: str, when: str, outcome: str, reason: str, in_both: bool) -> Stated:
    users = {user.user_name: user.arn for user in AWS_USERS}
    subject = okta_id(who) if who in BY_NAME else users.get(who, who)
    return Stated(edge, "DOR", subject, when, outcome, reason, BOTH if in_both else ("2026-H1",))


def _by_clock(control_id: str, edge: str, who: str, when: str, outcome: str, reason: str, in_both: bool) -> Stated:
    users = {user.user_name: user.arn for user in AWS_USERS}
    subject = okta_id(who) if who in BY_NAME else users.get(who, who)
    return Stated(edge, control_id, subject, when, outcome, reason, BOTH if in_both else ("2026-H1",))


STATED = (
    _rot("opened before the period, rotated in time", "kv/orders/db-punctual", "2025-10-20T06:00:00", "operated"),
    _rot("rotated exactly at the deadline", "kv/orders/db-punctual", "2026-01-12T09:30:00", "operated", "", BOTH),
    _rot("not due by T", "kv/orders/db-punctual", "2026-04-12T09:30:00", "pending", "", BOTH),
    _rot("one second late", "kv/orders/api-onesecond", "2026-01-20T08:00:00", "deviation", "late", BOTH),
    _rot("opened long before the period", "kv/legacy/mainframe-overdue", "2025-06-01T07:00:00", "deviation", "overdue", BOTH),
    _rot("late", "kv/erp/late", "2025-12-10T07:00:00", "deviation", "late"),
    _rot("late, seen by both periods", "kv/erp/straddle", "2025-12-01T07:00:00", "deviation", "late", BOTH),
    _rot("overdue at T, its waiver expired", "kv/erp/overdue-at-t", "2026-02-01T07:00:00", "deviation", "overdue", BOTH),
    _rot("retired without successor", "kv/tools/retired", "2026-01-10T07:00:00", "operated"),
    _rot("soft delete closes nothing", "kv/tools/soft-deleted", "2025-12-15T07:00:00", "deviation", "overdue", BOTH),
    _rot("destroying the current version closes", "kv/tools/destroyed", "2025-12-20T07:00:00", "operated"),
    _rot("destroying an old version does not", "kv/tools/destroyed-old", "2026-02-15T07:00:00", "operated", "", BOTH),
    _rot("metadata and failed writes rotate nothing", "kv/tools/metadata-only", "2026-01-05T07:00:00", "deviation", "late", BOTH),
    _rot("tag scope, in time", "kv/payments/prod-card", "2025-12-28T07:00:00", "operated"),
    _rot("tag scope, 36 days", "kv/payments/prod-card", "2026-01-25T07:00:00", "deviation", "late"),
    _rot("tag scope, not due by T", "kv/payments/prod-card", "2026-06-22T07:00:00", "pending", "", BOTH),
    _rot("subject scope", "kv/legacy/escrow", "2025-09-01T07:00:00", "pending", "", BOTH),
    _rot("waived, approved before", "kv/erp/waived", "2025-12-05T07:00:00", "waived", "late", BOTH),
    _rot("waiver approved after the breach", "kv/erp/waiver-too-late", "2025-12-08T07:00:00", "deviation", "late"),
    _rot("created and removed inside the period", "kv/tmp/incident", "2026-04-14T09:00:00", "operated", "", BOTH),
    _rot("overlap of old and new key", "AKIACIDEPLOYAEXAMPLE", "2025-12-01T07:00:00", "operated"),
    _rot("old policy at its clock's start", "AKIACIDEPLOYBEXAMPLE", "2026-02-10T07:00:00", "operated", "", BOTH),
    _rot("key pending under the new policy", "AKIACIDEPLOYCEXAMPLE", "2026-05-04T07:00:00", "pending", "", BOTH),
    _rot("a second key rotates nothing", "AKIAREPORTSAZEXAMPLE", "2025-11-20T08:00:00", "deviation", "overdue", BOTH),
    _rot("the second key itself, retired", "AKIAREPORTSBZEXAMPLE", "2026-02-01T08:00:00", "operated", "", BOTH),
    _rot("reactivation resumes the age", "AKIABACKUPAZZEXAMPLE", "2025-12-10T06:00:00", "deviation", "late"),
    _rot("unmatched slot of the credential report", f"{_ARN}:user/svc-legacy#1", "2025-03-03T11:00:00", "deviation", "overdue", BOTH),
    _rot("81 days under the old policy of 90", "AKIAETLAZZZZZEXAMPLE", "2026-03-10T10:00:00", "operated", "", BOTH),
    _rot("71 days under the new policy of 60", "AKIAETLBZZZZZEXAMPLE", "2026-03-20T10:00:00", "deviation", "late", BOTH),
    _rot("created and removed between snapshots", "AKIAMIGRATEZZEXAMPLE", "2026-02-02T10:00:00", "operated"),
    _rot("nobody knows when it was made", "tok-mystery", "", "indeterminate", "unknown_origin"),
    _rot("replaced token", "tok-ci-1", "2026-01-15T08:00:00", "operated", "", BOTH),
    _rot("versioned outside Vault", "hook-secret", "2025-12-20T09:00:00", "operated"),
    _rot("tag scope in another system", "deploy-prod", "2026-05-20T10:00:00", "deviation", "overdue", BOTH),

    _rev("decided in time", okta_id("chief"), "2026-Q1", "operated"),
    _rev("the reviewer's own account, reviewed by another", okta_id("boss"), "2026-Q1", "operated"),
    _rev("own account", okta_id("selfreviewer"), "2026-Q1", "deviation", "self_review"),
    _rev("the same person a quarter later", okta_id("selfreviewer"), "2026-Q2", "operated", "", BOTH),
    _rev("deferred only", okta_id("deferred"), "2026-Q1", "deviation", "no_decision"),
    _rev("listed, empty", okta_id("empty"), "2026-Q1", "deviation", "no_decision"),
    _rev("listed, empty, again", okta_id("empty"), "2026-Q2", "deviation", "no_decision", BOTH),
    _rev("decided after due", okta_id("latedecision"), "2026-Q1", "deviation", "late_decision"),
    _rev("not in the campaign", okta_id("missing"), "2026-Q1", "deviation", "not_in_campaign"),
    _rev("a bot's decision", okta_id("botreviewed"), "2026-Q1", "deviation", "no_decision"),
    _rev("revoked is decided", okta_id("leaver"), "2026-Q1", "operated"),
    _rev("the last decision counts", okta_id("mindchanged"), "2026-Q1", "operated"),
    _rev("back from suspension in Q2", okta_id("suspended"), "2026-Q2", "operated", "", BOTH),
    _rev("hired after the first launch", okta_id("hiredlater"), "2026-Q2", "operated", "", BOTH),
    _rev("robot reviewed by its sole owner", "gt-106", "2026-Q1", "deviation", "self_review"),
    _rev("the robot reviewed by another", "gt-106", "2026-Q2", "operated", "", BOTH),
    _rev("robot reviewed by one of two owners", f"{_ARN}:user/svc-reports", "2026-Q1", "operated"),
    _rev("unlinked account", "gt-107", "2026-Q1", "operated"),
    _rev("root user, decided after the quarter, before due", f"{_ARN}:root", "2026-Q1", "operated"),
    _rev("root user forgotten", f"{_ARN}:root", "2026-Q2", "deviation", "not_in_campaign", BOTH),
    _rev("decided after the period, before due", "gt-102", "2026-Q2", "operated", "", BOTH),
    _rev("undecided, due after T", "gt-108", "2026-Q2", "pending", "", BOTH),
    _rev("monthly", "pd-02", "2026-01", "operated"),
    _rev("no due date: the cycle's end", "pd-02", "2026-02", "operated"),
    _rev("no due date, undecided", "pd-03", "2026-02", "deviation", "no_decision"),
    _rev("campaigns, but not for them", "pd-02", "2026-03", "deviation", "not_in_campaign"),
    _rev("closed between two lists, before or after the launch", "pd-06", "2026-03", "indeterminate", "population_unknown"),
    _rev("a month without a campaign", "pd-02", "2026-04", "deviation", "no_campaign", BOTH),
    _rev("another month without", "pd-03", "2026-05", "deviation", "no_campaign", BOTH),
    _rev("the campaign that names the system", "pd-03", "2026-06", "operated", "", BOTH),

    _off("in time", okta_id("intime"), "operated"),
    _off("exactly at the deadline", okta_id("exact"), "operated"),
    _off("31 hours", okta_id("leaver"), "deviation", "late"),
    _off("the directory, in time", okta_id("notdisabled"), "operated"),
    _off("each account on its own", "gt-103", "deviation", "not_disabled"),
    _off("used after the deadline", okta_id("used"), "deviation", "used_after_deadline"),
    _off("closed before the last day", okta_id("negative"), "operated"),
    _off("the waiver's directory account", okta_id("waived"), "operated"),
    _off("waived", "gt-104", "waived", "late"),
    _off("terminated, no date", okta_id("timeless"), "indeterminate", "termination_time_unknown"),
    _off("disabled between two snapshots, no log", "pd-01", "indeterminate", "state_unobserved"),
    _off("the directory of the key holder", okta_id("keyholder"), "operated"),
    _off("the key outlives the directory", f"{_ARN}:user/ken", "deviation", "late"),
    _off("directory, in time", okta_id("alias"), "operated", "", BOTH),
    _off("linked by identity_links", "gt-105", "operated", "", BOTH),
    _off("closed on the last day itself", okta_id("friday"), "operated", "", BOTH),
    _off("last day of the period, proven afterwards", okta_id("lastday"), "operated", "", BOTH),
    _off("last day of the period, due after T", okta_id("pending"), "pending", "", BOTH),

    *(_dor(*row) for row in cast_dormant.STATED),
    *(
        Stated(edge, "OWN", identity, when, outcome, reason, BOTH if in_both else ("2026-H1",))
        for edge, identity, when, outcome, reason, in_both in cast_ownership.STATED
    ),
    *(_by_clock("APR", *row) for row in (*cast_access_approval.STATED, *cast_review_follow_through.STATED_GRANTS)),
    *(_by_clock("RVF", *row) for row in cast_review_follow_through.STATED),
    *(
        Stated(edge, "DEC", subject, "", outcome, reason, BOTH if in_both else ("2026-H1",))
        for edge, subject, outcome, reason, in_both in cast_retirement.STATED
    ),
    *(_by_clock("INC", *row) for row in cast_incident_containment.STATED),
    *(_by_clock("CHG", *row) for row in cast_change_approval.STATED),
    *(
        Stated(edge, "VLT", credential, when, outcome, reason, BOTH if in_both else ("2026-H1",))
        for edge, credential, when, outcome, reason, in_both in cast_vault.STATED
    ),

    Stated("collection gap", "LOG", "hashicorp_vault/audit_log/main", "2026-02-18", "indeterminate", "not_collected"),
    Stated("collected, and empty", "LOG", "okta/system_log/main", "2026-05-03", "deviation", "no_events", BOTH),
    Stated("collected a week late", "EVD", "aws/cloudtrail/main", "2026-02-19", "deviation", "collected_late"),
    Stated("a snapshot never taken", "EVD", "hashicorp_vault/kv_metadata/main", "2026-01-15", "deviation", "not_collected"),
)  # fmt: skip

# What each period must conclude. Every indeterminate row and every gap lies before 1 April, so 2026-Q2 shows what whole
# evidence looks like.
CONCLUSIONS = {
    # unknown_origin (tok-mystery); besides, a hole in Vault's log and one missing snapshot
    ("2026-H1", "ROT"): "insufficient_evidence",
    ("2026-H1", "REV"): "insufficient_evidence",  # population_unknown (pd-06)
    # termination_time_unknown (Theo), state_unobserved (pd-01)
    ("2026-H1", "OFF"): "insufficient_evidence",
    ("2026-H1", "LOG"): "insufficient_evidence",  # not_collected on 18 February
    ("2026-H1", "EVD"): "exceptions_noted",
    ("2026-H1", "DOR"): "insufficient_evidence",  # usage_unobserved (pd-04, ken), state_unobserved (pd-05)
    # ticket_source_gap (KEN, tok-ci-1, the printer), state_unobserved (pd-03)
    ("2026-H1", "APR"): "insufficient_evidence",
    ("2026-Q2", "APR"): "exceptions_noted",
    ("2026-H1", "RVF"): "insufficient_evidence",  # removal_unobservable (team:ghost), state_unobserved (pd-02)
    ("2026-Q2", "RVF"): "exceptions_noted",
    ("2026-H1", "INC"): "insufficient_evidence",  # logs_missing (prod-card, forgotten key), state_unobserved (pd-01)
    ("2026-Q2", "INC"): "exceptions_noted",
    ("2026-H1", "CHG"): "insufficient_evidence",  # review_source_gap (pull requests 9 and 10, OLD_TOKEN)
    ("2026-Q2", "CHG"): "exceptions_noted",
    ("2026-Q2", "ROT"): "exceptions_noted",
    ("2026-Q2", "REV"): "exceptions_noted",
    ("2026-Q2", "OFF"): "no_exceptions_noted",  # one row pending
    ("2026-Q2", "LOG"): "exceptions_noted",  # no_events on 3 May
    ("2026-Q2", "EVD"): "no_exceptions_noted",
    ("2026-Q2", "DOR"): "exceptions_noted",
    ("2026-H1", "OWN"): "exceptions_noted",
    ("2026-Q2", "OWN"): "exceptions_noted",
    ("2026-H1", "DEC"): "insufficient_evidence",  # monitoring_gap; and what ROT says about whole evidence
    ("2026-Q2", "DEC"): "exceptions_noted",
    ("2026-H1", "VLT"): "insufficient_evidence",  # a list of Vault's secrets is missing in January
    ("2026-Q2", "VLT"): "exceptions_noted",
}

# Where evidence itself is missing, whatever the rows come to: a hole in Vault's log, a list of its secrets never taken.
EVIDENCE_MISSING = {("2026-H1", "ROT"), ("2026-H1", "DEC"), ("2026-H1", "VLT")}

# Subjects for which there must be no row of this control in any period.
NO_ROW = (
    ("CHG", "larkfield/payments#11", "never merged"),
    ("RVF", "gt-105", "revoked, and taken back in the same campaign"),
    ("OFF", okta_id("gardenleave"), "closed more than 30 days before the last day"),
    ("OFF", okta_id("rehired"), "rehired before the deadline"),
    ("OFF", okta_id("withdrawn"), "notice withdrawn before the last day"),
    ("REV", okta_id("gardenleave"), "listed in the campaign, but not active at its launch"),
)
