"""When each feed was exported, and what each export declares about itself. Exporters and oracle both read this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from .story import WAIVERS, at

WEEK = timedelta(days=7)
MONDAYS = [at("2025-12-29T00:00") + n * WEEK for n in range(29)]  # to 13 July; as_of is the Monday after
EVERY_OTHER_MONDAY = MONDAYS[::2]
MONTH_ENDS = [at(f"2026-{day}T00:00") for day in ("01-30", "02-27", "03-30", "04-29", "05-29", "06-29", "07-15")]
EVERY_OTHER_MONTH = MONTH_ENDS[1:6:2]


@dataclass(frozen=True)
class RequiredFeed:
    """One row of the required_feeds decision."""

    system: str
    feed: str
    instance: str = "main"
    cadence_days: int = 7
    sparse: bool = False
    shows_use: bool = False
    is_log: bool = False
    valid_from: date = date(2025, 1, 1)
    valid_to: date | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.system}/{self.feed}/{self.instance}"


REQUIRED_FEEDS = (
    RequiredFeed("hashicorp_vault", "audit_log", shows_use=True, is_log=True),
    RequiredFeed("hashicorp_vault", "kv_metadata"),
    RequiredFeed("aws", "cloudtrail", shows_use=True, is_log=True),
    RequiredFeed("aws", "credential_report", shows_use=True),
    RequiredFeed("okta", "system_log", shows_use=True, is_log=True),
    RequiredFeed("okta", "users", shows_use=True),
    RequiredFeed("hr", "employees"),
    RequiredFeed("generic", "accounts", cadence_days=14),
    # paydesk has no log; its list states when each operator last came in.
    RequiredFeed("generic", "accounts", "paydesk", cadence_days=14, shows_use=True),
    RequiredFeed("generic", "credentials", cadence_days=14),
    # Sparse: days without a record are normal, it only has to be covered.
    RequiredFeed("generic", "events", cadence_days=14, sparse=True, shows_use=True, is_log=True),
    RequiredFeed("generic", "review_decisions", cadence_days=31),
    RequiredFeed("generic", "entitlements", cadence_days=62),
    RequiredFeed("generic", "entitlements", "paydesk", cadence_days=62),
    RequiredFeed("generic", "tickets", cadence_days=62),
    RequiredFeed("jira", "issues", cadence_days=31),
    RequiredFeed("github", "pull_requests", cadence_days=31),
    RequiredFeed("github", "audit_log", cadence_days=31, sparse=True, is_log=True),
    # The wiki was switched off the day before the period begins: nothing is missing.
    RequiredFeed("generic", "accounts", "wiki", valid_to=date(2025, 12, 31)),
)


@dataclass(frozen=True)
class Export:
    """One file as it lands. `window` is declared in the sidecar; `sidecar` False leaves only the stamp in the name."""

    system: str
    feed: str
    name: str
    collected_at: datetime
    window: tuple[datetime, datetime] | None = None
    instance: str = "main"
    sidecar: bool = False
    declares_sha256: bool = False
    query: str | None = None
    filtered: bool = False
    snapshot_id: str | None = None
    part: tuple[int, int] = (1, 1)  # this file, of so many, of one snapshot
    same_bytes_as: str | None = None  # name of the file this one repeats

    @property
    def path(self) -> str:
        folder = f"{self.system}/{self.feed}/" + (f"{self.instance}/" if self.instance != "main" else "")
        return folder + self.name


def stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _logs(system: str, feed: str, prefix: str, suffix: str, minute: int, mondays: list[datetime]) -> list[Export]:
    """One file per step between two Mondays, collected some minutes after the second."""
    exports = []
    for n, (start, end) in enumerate(pairwise(mondays)):
        collected = end + timedelta(hours=4, minutes=minute)
        exports.append(Export(system, feed, f"{prefix}{stamp(collected)}{suffix}", collected, (start, end),
                              sidecar=True, declares_sha256=n % 4 == 0))  # fmt: skip
    return exports


def _snapshots(system: str, feed: str, prefix: str, suffix: str, minute: int, days: list[datetime],
               instance: str = "main", sidecar_every: int = 0) -> list[Export]:  # fmt: skip
    exports = []
    for n, day in enumerate(days):
        collected = day + timedelta(hours=5, minutes=minute)
        exports.append(Export(system, feed, f"{prefix}{stamp(collected)}{suffix}", collected, instance=instance,
                              sidecar=bool(sidecar_every) and n % sidecar_every == 0))  # fmt: skip
    return exports


def vault_audit_log() -> list[Export]:
    """Weekly; the forwarder stood still around 18 February, so that week comes as two files with a hole between."""
    exports = []
    for export in _logs("hashicorp_vault", "audit_log", "vault_audit_", ".ndjson.gz", 10, MONDAYS):
        start, end = export.window or (MONDAYS[0], MONDAYS[0])
        if start == at("2026-02-16T00:00"):
            before = replace(export, name=export.name.replace(".ndjson", "_before_outage.ndjson"),
                             window=(start, at("2026-02-17T22:30")))  # fmt: skip
            exports += [before, replace(export, window=(at("2026-02-18T23:30"), end))]
        else:
            exports.append(export)
    return exports


def kv_metadata() -> list[Export]:
    """Weekly; nobody took it on 19 January."""
    days = [day for day in MONDAYS if day != at("2026-01-19T00:00")]
    exports = _snapshots("hashicorp_vault", "kv_metadata", "kv_metadata_", ".ndjson.gz", 0, days, sidecar_every=14)
    return [replace(exports[0], name=exports[0].name.removesuffix(".gz")), *exports[1:]]


def cloudtrail() -> list[Export]:
    """Weekly, after one file that reaches back to November; 23 February was missed and came a week later with the
    next one. The file of 6 April was also delivered as a copy."""

    def named(export: Export) -> Export:
        mark = export.name.split("_")[-1][:16]
        name = f"111122223333_CloudTrail_eu-central-1_{export.collected_at:%Y%m%dT%H%MZ}_{mark[9:15]}lARKfIELD.json.gz"
        return replace(export, name=name)

    collected = MONDAYS[0] + timedelta(hours=4, minutes=20)
    first = Export("aws", "cloudtrail", f"ct_{stamp(collected)}", collected, (at("2025-11-01T00:00"), MONDAYS[0]),
                   sidecar=True)  # fmt: skip
    mondays = [day for day in MONDAYS if day != at("2026-02-23T00:00")]
    exports = [named(export) for export in [first, *_logs("aws", "cloudtrail", "ct_", "", 20, mondays)]]
    copied = next(export for export in exports if export.collected_at.date() == date(2026, 4, 6))
    copy = replace(copied, name=copied.name.replace(".json.gz", "-copy.json.gz"), same_bytes_as=copied.name)
    return [*exports, copy]


def credential_report() -> list[Export]:
    return _snapshots("aws", "credential_report", "credential_report_", ".csv", 10, MONDAYS, sidecar_every=15)


def okta_system_log() -> list[Export]:
    """Weekly arrays. One reaches back two days into the one before, one is zst, one is delivered again on a Wednesday,
    and an extract about one person covers nothing."""
    exports = []
    for export in _logs("okta", "system_log", "okta_system_log_", ".json", 30, MONDAYS):
        start, end = export.window or (MONDAYS[0], MONDAYS[0])
        if end == at("2026-03-23T00:00"):
            export = replace(export, window=(start - timedelta(days=2), end))
        if end == at("2026-02-02T00:00"):
            export = replace(export, name=export.name + ".zst")
        exports.append(replace(export, query="since/until, no filter, limit=1000, all pages"))
        if end == at("2026-05-11T00:00"):
            again = replace(exports[-1], collected_at=at("2026-05-13T09:00"), same_bytes_as=export.name,
                            name="okta_system_log_again_20260513T090000Z.json")  # fmt: skip
            exports.append(again)
    extract = Export("okta", "system_log", "okta_system_log_ursula_20260209T101500Z.json", at("2026-02-09T10:15"),
                     (at("2026-02-02T00:00"), at("2026-02-09T00:00")), sidecar=True, filtered=True,
                     query='actor.alternateId eq "ursula.used@larkfield.example"')  # fmt: skip
    return [*exports, extract]


def okta_users() -> list[Export]:
    """Weekly arrays; that of 9 March came as two pages of one snapshot."""
    exports = []
    for n, export in enumerate(_snapshots("okta", "users", "okta_users_", ".json.gz", 20, MONDAYS, sidecar_every=14)):
        if export.collected_at.date() == date(2026, 3, 9):
            for page in (1, 2):
                exports.append(replace(export, name=export.name.replace(".json", f"_page{page}.json"), sidecar=True,
                                       snapshot_id="okta-users-2026-03-09", part=(page, 2)))  # fmt: skip
        elif n == 0:
            exports.append(replace(export, name=export.name.removesuffix(".gz")))
        else:
            exports.append(export)
    return exports


def hr_employees() -> list[Export]:
    """Weekly; from 13 April another system writes it, under other headings."""
    return _snapshots("hr", "employees", "employees_", ".csv", 30, MONDAYS, sidecar_every=20)


def generic_exports() -> list[Export]:
    exports = _snapshots("generic", "accounts", "gitea_accounts_", ".csv", 40, EVERY_OTHER_MONDAY)
    # paydesk's export is often byte for byte the one before: evidence each time all the same.
    exports += _snapshots("generic", "accounts", "operators_", ".csv", 41, EVERY_OTHER_MONDAY, instance="paydesk")
    exports += _snapshots("generic", "credentials", "gitea_credentials_", ".csv", 42, EVERY_OTHER_MONDAY)
    exports += _logs("generic", "events", "gitea_events_", ".csv", 43, EVERY_OTHER_MONDAY)
    exports += _snapshots("generic", "review_decisions", "campaigns_", ".csv", 44, MONTH_ENDS, sidecar_every=3)
    exports += _snapshots("generic", "entitlements", "gitea_teams_", ".csv", 45, EVERY_OTHER_MONTH)
    exports += _snapshots("generic", "entitlements", "operator_rights_", ".csv", 45, [MONDAYS[0], *EVERY_OTHER_MONTH],
                          instance="paydesk")  # fmt: skip
    exports += _snapshots("generic", "tickets", "servicedesk_", ".csv", 46, EVERY_OTHER_MONTH)
    return exports


def jira_issues() -> list[Export]:
    exports = _snapshots("jira", "issues", "jira_search_", ".json", 50, MONTH_ENDS, sidecar_every=3)
    return [replace(export, query="project = IAM AND updated >= -36d ORDER BY key ASC, expand=changelog") for export in exports]


def github_exports() -> list[Export]:
    """Monthly: the payment repository's pull requests, and what the organisation's audit log says meanwhile."""
    exports = _snapshots("github", "pull_requests", "gh_pr_list_payments_", ".json", 52, MONTH_ENDS)
    return [*exports, *_logs("github", "audit_log", "audit_log_larkfield_", ".ndjson", 54, [MONDAYS[0], *MONTH_ENDS])]


def decisions() -> list[Export]:
    """Scope, policy and exceptions. The newest file of a feed is in force; policies and waivers changed on the way."""
    files = [
        ("periods", "2025-12-15T09:00"),
        ("required_feeds", "2025-12-15T09:05"),
        ("policies", "2025-12-15T09:10"),
        ("policies", "2026-03-02T15:00"),
        ("identity_links", "2025-12-16T09:00"),
        ("identity_rules", "2025-12-16T09:05"),
        ("owners", "2025-12-16T09:10"),
        ("ticket_rules", "2025-12-16T09:15"),
        ("gap_acceptances", "2026-07-08T09:00"),
    ]
    files += [("waivers", f"{moment:%Y-%m-%dT%H:%M}") for moment in sorted({w.collected_at for w in WAIVERS})]
    return [
        Export("decisions", feed, f"{feed}_{stamp(at(moment))}.csv", at(moment)) for feed, moment in files
    ]


def all_exports() -> list[Export]:
    """Everything that lands, in a fixed order."""
    return [
        *vault_audit_log(), *kv_metadata(), *cloudtrail(), *credential_report(), *okta_system_log(), *okta_users(),
        *hr_employees(), *generic_exports(), *jira_issues(), *github_exports(), *decisions(),
    ]  # fmt: skip
