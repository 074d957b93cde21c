"""AWS: CloudTrail records and the IAM credential report."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from ..plan import Export
from ..story import (
    AWS_ACCOUNT,
    AWS_USERS,
    CLOUDTRAIL_FROM,
    DOMAIN,
    FAILED_KEY_CREATION,
    NEVER,
    ROOT_LAST_LOGIN,
    AccessKey,
    AwsUser,
    at,
    aws_uses,
)
from .ids import compact, digest, guid

_REGION = "eu-central-1"
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}


def _locale(moment: datetime) -> str:
    """IAM answers with dates like `Feb 2, 2026 10:00:00 AM`."""
    clock = f"{moment.hour % 12 or 12}:{moment:%M:%S} {'AM' if moment.hour < 12 else 'PM'}"
    return f"{moment:%b} {moment.day}, {moment.year} {clock}"


def _principal(name: str) -> str:
    return "AIDA" + digest("user id", name).upper()[:10].replace("0", "A").replace("1", "B") + "EXAMPLE"


def _administrator(moment: datetime) -> dict[str, Any]:
    role = "AWSReservedSSO_AdministratorAccess_0a1b2c3d4e5f6a7b"
    session = f"carla.chief@{DOMAIN}"
    return {
        "type": "AssumedRole",
        "principalId": f"AROALARKFIELDEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{AWS_ACCOUNT}:assumed-role/{role}/{session}",
        "accountId": AWS_ACCOUNT,
        "accessKeyId": "ASIALARKFIELDEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROALARKFIELDEXAMPLE",
                "arn": f"arn:aws:iam::{AWS_ACCOUNT}:role/aws-reserved/sso.amazonaws.com/{_REGION}/{role}",
                "accountId": AWS_ACCOUNT,
                "userName": role,
            },
            "attributes": {"creationDate": f"{moment:%Y-%m-%dT%H}:00:00Z", "mfaAuthenticated": "false"},
        },
    }


def _event(moment: datetime, source: str, name: str, who: dict[str, Any], asked: dict[str, Any] | None,
           answered: dict[str, Any] | None, read_only: bool = False, **more: Any) -> dict[str, Any]:  # fmt: skip
    parts = (name, moment, compact(asked), compact(who.get("accessKeyId")))
    return {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": source,
        "eventName": name,
        "awsRegion": _REGION if source == "sts.amazonaws.com" else "us-east-1",
        "sourceIPAddress": "198.51.100.24",
        "userAgent": "aws-cli/2.22.4 md/awscrt#0.23.2",
        **more,
        "requestParameters": asked,
        "responseElements": answered,
        "requestID": guid("request", *parts),
        "eventID": guid("event", *parts),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": AWS_ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {**_TLS, "clientProvidedHostHeader": source},
    }


def _iam(moment: datetime, name: str, asked: dict[str, Any], answered: dict[str, Any] | None = None,
         **more: Any) -> tuple[datetime, dict[str, Any]]:  # fmt: skip
    return moment, _event(moment, "iam.amazonaws.com", name, _administrator(moment), asked, answered, **more)


def _key_events(user: AwsUser, key: AccessKey) -> list[tuple[datetime, dict[str, Any]]]:
    if not key.in_cloudtrail:
        return []
    named = {"userName": user.user_name, "accessKeyId": key.key_id}
    events = [
        _iam(key.created, "CreateAccessKey", {"userName": user.user_name}, {"accessKey": {
            "accessKeyId": key.key_id, "status": "Active", "userName": user.user_name, "createDate": _locale(key.created),
        }})
    ]  # fmt: skip
    events += [_iam(moment, "UpdateAccessKey", {**named, "status": status}) for moment, status in key.changes]
    if key.deleted:
        events.append(_iam(key.deleted, "DeleteAccessKey", named))
    return events


def _user_events(user: AwsUser) -> list[tuple[datetime, dict[str, Any]]]:
    events = []
    if user.created >= CLOUDTRAIL_FROM:
        events.append(_iam(user.created, "CreateUser", {"userName": user.user_name}, {"user": {
            "path": "/", "userName": user.user_name, "userId": _principal(user.user_name), "arn": user.arn,
            "createDate": _locale(user.created),
        }}))  # fmt: skip
    for key in user.keys:
        events += _key_events(user, key)
    if user.password_until and user.password_until < NEVER:
        events.append(_iam(user.password_until, "DeleteLoginProfile", {"userName": user.user_name}))
    if user.deleted:
        events.append(_iam(user.deleted, "DeleteUser", {"userName": user.user_name}))
    return events


def _uses() -> list[tuple[datetime, dict[str, Any]]]:
    """The robots ask who they are, each with whichever key it uses by then."""
    events = []
    for moment, user, key in aws_uses():
        who = {
            "type": "IAMUser",
            "principalId": _principal(user.user_name),
            "arn": user.arn,
            "accountId": AWS_ACCOUNT,
            "accessKeyId": key.key_id,
            "userName": user.user_name,
        }
        events.append((moment, _event(moment, "sts.amazonaws.com", "GetCallerIdentity", who, None, None, True)))
    return events


def events() -> list[tuple[datetime, dict[str, Any]]]:
    """Every CloudTrail record with its instant. One comes twice, through a second trail."""
    moment, name = FAILED_KEY_CREATION
    found = _uses() + [event for user in AWS_USERS for event in _user_events(user)]
    found.append(_iam(moment, "CreateAccessKey", {"userName": name}, None, errorCode="LimitExceededException",
                      errorMessage="Cannot exceed quota for AccessKeysPerUser: 2"))  # fmt: skip
    found += [event for event in found if event[0] == at("2026-02-10T07:00")]
    return sorted(found, key=lambda event: (event[0], event[1]["eventID"]))


def cloudtrail(export: Export) -> tuple[bytes, int]:
    assert export.window
    start, end = export.window
    records = [record for moment, record in events() if start <= moment < end]
    return compact({"Records": records}).encode(), len(records)


_SLOT_COLUMNS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_REPORT_COLUMNS = [
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    *(f"access_key_{slot}_{column}" for slot in (1, 2) for column in _SLOT_COLUMNS),
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
]  # fmt: skip


def _report_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"


def _last_use(user: AwsUser, key: AccessKey, moment: datetime) -> datetime | None:
    uses = [use for use, who, used in aws_uses() if who is user and used is key and use < moment]
    return uses[-1] if uses else None


def _report_row(user: AwsUser, moment: datetime) -> list[str]:
    root = user.user_name == "<root_account>"
    password = user.has_password_at(moment)
    row = [user.user_name, user.arn, _report_time(user.created), "true" if password else "false"]
    if root:
        row += [_report_time(ROOT_LAST_LOGIN), "not_supported", "not_supported"]
    elif password:
        row += ["no_information", _report_time(user.created), "N/A"]
    else:
        row += ["N/A", "N/A", "N/A"]
    row.append("true" if root or password else "false")
    for slot in (1, 2):
        key = next((key for key in user.keys if key.slot == slot and key.exists_at(moment)), None)
        if key is None:
            row += ["false", "N/A", "N/A", "N/A", "N/A"]
            continue
        used = _last_use(user, key, moment)
        row += ["true" if key.active_at(moment) else "false", _report_time(key.created)]
        row += [_report_time(used.replace(minute=0, second=0)), _REGION, "sts"] if used else ["N/A", "N/A", "N/A"]
    return [*row, "false", "N/A", "false", "N/A"]


def credential_report(export: Export) -> tuple[bytes, int]:
    moment = export.collected_at
    users = [user for user in AWS_USERS if user.state_at(moment) not in ("absent", "deleted")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_REPORT_COLUMNS)
    writer.writerows(_report_row(user, moment) for user in users)
    return text.getvalue().encode(), len(users)
