"""Okta: System Log events and the list of users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..plan import Export
from ..story import OKTA_ACCOUNTS, Account, at, okta_logins
from .ids import array, digest, guid

_ADMIN = next(account for account in OKTA_ACCOUNTS if account.display_name == "Carla Chief")
_LOG_FROM = at("2025-12-29T00:00")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _user(account: Account) -> dict[str, Any]:
    return {"id": account.native_id, "type": "User", "alternateId": account.user_name,
            "displayName": account.display_name, "detailEntry": None}  # fmt: skip


def _event(moment: datetime, event_type: str, message: str, actor: Account, target: list[dict[str, Any]] | None,
           legacy: str | None) -> tuple[datetime, dict[str, Any]]:  # fmt: skip
    parts = (event_type, _time(moment), actor.native_id, target[0]["id"] if target else "")
    request = digest("okta request", *parts)[:27]
    return moment, {
        "actor": _user(actor),
        "client": {
            "userAgent": {"rawUserAgent": "Mozilla/5.0 (X11; Linux x86_64)", "os": "Linux", "browser": "FIREFOX"},
            "zone": "null",
            "device": "Computer",
            "id": None,
            "ipAddress": "203.0.113.17",
            "geographicalContext": {"city": "Leipzig", "state": "Saxony", "country": "Germany", "postalCode": None,
                                    "geolocation": {"lat": 51.34, "lon": 12.37}},
        },
        "device": None,
        "authenticationContext": {"authenticationProvider": None, "credentialProvider": None, "credentialType": None,
                                  "issuer": None, "interface": None, "authenticationStep": 0,
                                  "externalSessionId": "102" + digest("session", *parts)[:22]},
        "displayMessage": message,
        "eventType": event_type,
        "outcome": {"result": "SUCCESS", "reason": None},
        "published": _time(moment),
        "securityContext": {"asNumber": None, "asOrg": None, "isp": None, "domain": None, "isProxy": None},
        "severity": "INFO",
        "debugContext": {"debugData": {"requestId": request, "threatSuspected": "false"}},
        "legacyEventType": legacy,
        "transaction": {"type": "WEB", "id": request, "detail": {}},
        "uuid": guid("okta", *parts),
        "version": "0",
        "request": {"ipChain": []},
        "target": target,
    }  # fmt: skip


_LIFECYCLE = {
    "disabled": ("user.lifecycle.deactivate", "Deactivate Okta user", "core.user.config.user_deactivated"),
    "suspended": ("user.lifecycle.suspend", "Suspend Okta user", "core.user.config.user_status.suspend"),
    "enabled": ("user.lifecycle.unsuspend", "Unsuspend Okta user", "core.user.config.user_status.unsuspend"),
}


def _suspended_only(account: Account) -> bool:
    """An account that comes back was suspended, not deactivated."""
    return any(change == "enabled" for _, change in account.changes)


def events() -> list[tuple[datetime, dict[str, Any]]]:
    """Every event of the System Log, with its instant."""
    found = [
        _event(moment, "user.session.start", "User login to Okta", account,
               [{"id": account.native_id, "type": "AppUser", "alternateId": account.user_name,
                 "displayName": account.display_name, "detailEntry": None}], "core.user_auth.login_success")
        for moment, account in okta_logins()
    ]  # fmt: skip
    for account in OKTA_ACCOUNTS:
        if account.created >= _LOG_FROM:
            found.append(_event(account.created, "user.lifecycle.create", "Create Okta user", _ADMIN, [_user(account)],
                                "core.user.config.user_creation.success"))  # fmt: skip
            found.append(_event(account.created, "user.lifecycle.activate", "Activate Okta user", _ADMIN,
                                [_user(account)], "core.user.config.user_activated"))  # fmt: skip
        for moment, change in account.changes:
            kind = "suspended" if change == "disabled" and _suspended_only(account) else change
            event_type, message, legacy = _LIFECYCLE[kind]
            found.append(_event(moment, event_type, message, _ADMIN, [_user(account)], legacy))
    return sorted(found, key=lambda event: (event[0], event[1]["uuid"]))


def system_log(export: Export) -> tuple[bytes, int]:
    assert export.window
    start, end = export.window
    records = [record for moment, record in events() if start <= moment < end]
    if export.filtered:
        records = [record for record in records if record["actor"]["alternateId"].startswith("ursula.used@")]
    return array(records), len(records)


def _listed(account: Account, moment: datetime) -> dict[str, Any]:
    changed = max((instant for instant, _ in account.changes if instant <= moment), default=account.created)
    state = account.state_at(moment)
    status = "ACTIVE" if state == "enabled" else "SUSPENDED" if _suspended_only(account) else "DEPROVISIONED"
    logins = [instant for instant, who in okta_logins() if who is account and instant <= moment]
    first, _, last = account.display_name.partition(" ")
    return {
        "id": account.native_id,
        "status": status,
        "created": _time(account.created),
        "activated": _time(account.created),
        "statusChanged": _time(changed),
        "lastLogin": _time(logins[-1]) if logins else None,
        "lastUpdated": _time(changed),
        "passwordChanged": _time(account.created),
        "type": {"id": "oty1larkfield000000"},
        "profile": {"firstName": first, "lastName": last, "displayName": account.display_name, "mobilePhone": None,
                    "secondEmail": None, "login": account.user_name, "email": account.email,
                    **({"employeeNumber": account.identity_id} if (account.identity_id or "").startswith("E1") else {})},
        "credentials": {"provider": {"type": "OKTA", "name": "OKTA"}},
        "_links": {"self": {"href": f"https://larkfield.okta.example/api/v1/users/{account.native_id}"}},
    }  # fmt: skip


def users(export: Export) -> tuple[bytes, int]:
    moment = export.collected_at
    present = [account for account in OKTA_ACCOUNTS if account.state_at(moment) != "absent"]
    part, parts = export.part
    size = -(-len(present) // parts)
    page = present[(part - 1) * size : part * size]
    return array(_listed(account, moment) for account in page), len(page)
