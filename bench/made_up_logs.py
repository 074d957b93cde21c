"""Large logs in vendors' own form, the same for the same size: what the ingest bench reads.

A block of some thousand records is made up field by field; then it is written again and again, each time with other
ids. A parser has the same work as with a year's log, and a gigabyte is made in seconds.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

START = datetime(2026, 1, 1)
_BLOCK = 4000
_TURN = "0000000t"  # stands in every id; each repetition of the block has its own number there

Draw = random.Random
Record = dict[str, Any]


def write_lines(target: Path, records: Callable[[Draw, int], list[Record]], size: int, packed: bool) -> int:
    """One file of JSON lines of about `size` bytes unpacked; returns how many records."""
    count = 0
    with gzip.open(target, "wb", compresslevel=5) if packed else target.open("wb") as file:
        for block, lines in _blocks(records, size):
            file.write(block)
            count += lines
    return count


def write_record_files(
    folder: Path, records: Callable[[Draw, int], list[Record]], size: int, packed: bool, per_file: int
) -> int:
    """Files of {"Records": [...]} as CloudTrail delivers them, `per_file` records each; returns how many records."""
    count = 0
    for number, lines in enumerate(_files(records, size, per_file)):
        body = b'{"Records":[' + b",".join(lines) + b"]}"
        stamp = f"{START + timedelta(minutes=5 * number):%Y%m%dT%H%MZ}"
        name = f"111122223333_CloudTrail_eu-central-1_{stamp}_{number:016d}.json"
        (folder / (name + ".gz" if packed else name)).write_bytes(
            gzip.compress(body, 5, mtime=0) if packed else body
        )
        count += len(lines)
    return count


def _files(records: Callable[[Draw, int], list[Record]], size: int, per_file: int) -> Iterator[list[bytes]]:
    for block, _ in _blocks(records, size):
        lines = block.splitlines()
        yield from (lines[at : at + per_file] for at in range(0, len(lines), per_file))


def _blocks(records: Callable[[Draw, int], list[Record]], size: int) -> Iterator[tuple[bytes, int]]:
    made = [record for number in range(_BLOCK) for record in records(random.Random(number), number)]
    block = b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in made)
    for turn in range(max(1, round(size / len(block)))):
        yield block.replace(_TURN.encode(), f"{turn:08d}".encode()), len(made)


def _id(draw: Draw) -> str:
    return f"{_TURN}-{draw.getrandbits(16):04x}-4{draw.getrandbits(12):03x}-a{draw.getrandbits(12):03x}-{draw.getrandbits(48):012x}"


def _at(number: int) -> datetime:
    return START + timedelta(seconds=37 * number, microseconds=number * 7919 % 1_000_000)


def _instant(number: int, timespec: str = "microseconds") -> str:
    return _at(number).isoformat(timespec=timespec) + "Z"


def _hmac(draw: Draw) -> str:
    return f"hmac-sha256:{draw.getrandbits(256):064x}"


def vault(draw: Draw, number: int) -> list[Record]:
    """A call as two lines, request and response."""
    name, token, accessor = f"app{number % 200:03d}", _hmac(draw), _hmac(draw)
    operation = draw.choices(["read", "update", "create", "list", "delete"], [80, 8, 2, 8, 2])[0]
    auth = {
        "accessor": accessor, "client_token": token, "display_name": f"approle-{name}", "entity_id": _id(draw),
        "metadata": {"role_name": name}, "policies": ["default", "app"],
        "policy_results": {"allowed": True, "granting_policies": [{"name": "app", "namespace_id": "root", "type": "acl"}]},
        "token_issue_time": "2026-01-01T00:00:00Z", "token_ttl": 3600, "token_type": "service",
    }  # fmt: skip
    request = {
        "client_id": _id(draw), "client_token": token, "client_token_accessor": accessor, "id": _id(draw),
        "mount_accessor": "kv_1a2b", "mount_class": "secret", "mount_point": "kv/", "mount_type": "kv",
        "mount_running_version": "v0.21.0+builtin", "namespace": {"id": "root"}, "operation": operation,
        "path": f"kv/data/team{number % 17}/service{number % 1500:04d}", "remote_address": "10.2.7.9", "remote_port": 40112,
    }  # fmt: skip
    metadata = {"created_time": _hmac(draw), "custom_metadata": None, "deletion_time": "", "destroyed": False, "version": number % 40 + 1}
    data = {"data": {"password": token}, "metadata": metadata} if operation == "read" else metadata
    response = {"data": data, "mount_point": "kv/", "mount_type": "kv"}
    return [
        {"auth": auth, "request": request, "time": _instant(number), "type": "request"},
        {"auth": auth, "request": request, "response": response, "time": _instant(number)[:-2] + "9Z", "type": "response"},
    ]


def cloudtrail(draw: Draw, number: int) -> list[Record]:
    """Mostly reads, some of them as a role; one in fifty changes a key."""
    user = f"svc-{number % 300:03d}"
    identity: Record = {
        "type": "IAMUser", "principalId": f"AIDA{draw.getrandbits(64):016X}", "arn": f"arn:aws:iam::111122223333:user/{user}",
        "accountId": "111122223333", "accessKeyId": f"AKIA{number % 300:016X}", "userName": user,
    }  # fmt: skip
    if number % 3 == 0:
        issuer = {"type": "Role", "principalId": f"AROA{number % 90:016X}", "arn": f"arn:aws:iam::111122223333:role/r{number % 90}",
                  "accountId": "111122223333", "userName": f"r{number % 90}"}  # fmt: skip
        identity = identity | {"type": "AssumedRole", "accessKeyId": f"ASIA{draw.getrandbits(64):016X}",
                               "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}}  # fmt: skip
    changes = number % 50 == 0
    return [
        {
            "eventVersion": "1.11", "userIdentity": identity, "eventTime": _instant(number, "seconds"),
            "eventSource": "iam.amazonaws.com" if changes else "s3.amazonaws.com",
            "eventName": "CreateAccessKey" if changes else "GetObject", "awsRegion": "eu-central-1",
            "sourceIPAddress": "10.2.7.9", "userAgent": "aws-sdk-java/2.31.4 Linux/6.1 OpenJDK_64-Bit_Server_VM/21.0.7",
            "requestParameters": {"userName": user} if changes else {"bucketName": "larkfield-data", "Host": "s3.eu-central-1.amazonaws.com",
                                                                     "key": f"in/{number % 9999}/part-{draw.getrandbits(40):010x}.parquet"},
            "responseElements": {"accessKey": {"userName": user, "accessKeyId": f"AKIA{draw.getrandbits(64):016X}", "status": "Active",
                                               "createDate": "Jan 7, 2026 4:26:16 AM"}} if changes else None,
            "additionalEventData": {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": 0,
                                    "x-amz-id-2": f"{draw.getrandbits(400):0100x}", "bytesTransferredOut": number},
            "requestID": f"{draw.getrandbits(64):016X}", "eventID": _id(draw), "readOnly": not changes,
            "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::larkfield-data/in"}], "eventType": "AwsApiCall",
            "managementEvent": changes, "recipientAccountId": "111122223333", "eventCategory": "Management" if changes else "Data",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": "s3.amazonaws.com"},
        }
    ]  # fmt: skip


def okta(draw: Draw, number: int) -> list[Record]:
    """Sign-ins to applications, and now and then a change of an account."""
    person = f"p{number % 800:04d}"
    changes = number % 60 == 0
    targets = [{"id": f"0oa{number % 40:017d}", "type": "AppInstance", "alternateId": "Payroll", "displayName": "Payroll", "detailEntry": None},
               {"id": f"00u{person:0>17}", "type": "AppUser", "alternateId": f"{person}@larkfield.example", "displayName": person,
                "detailEntry": None}]  # fmt: skip
    return [
        {
            "actor": {"id": f"00u{person:0>17}", "type": "User", "alternateId": f"{person}@larkfield.example", "displayName": person,
                      "detailEntry": None},
            "client": {"userAgent": {"rawUserAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15", "os": "Mac OS X",
                                     "browser": "SAFARI"}, "zone": "null", "device": "Computer", "id": None, "ipAddress": "10.2.7.9",
                       "geographicalContext": {"city": "Berlin", "state": "Berlin", "country": "Germany", "postalCode": "10115",
                                               "geolocation": {"lat": 52.53, "lon": 13.38}}},
            "device": None, "authenticationContext": {"authenticationProvider": None, "credentialType": None, "authenticationStep": 0,
                                                      "externalSessionId": f"102{draw.getrandbits(64):016x}"},
            "displayMessage": "User single sign on to app", "eventType": "user.lifecycle.suspend" if changes else "user.authentication.sso",
            "outcome": {"result": "SUCCESS", "reason": None}, "published": _instant(number, "milliseconds"),
            "securityContext": {"asNumber": 3320, "asOrg": "dtag", "isp": "telekom", "domain": "t-ipconnect.de", "isProxy": False},
            "severity": "INFO", "debugContext": {"debugData": {"requestId": _id(draw), "requestUri": "/app/payroll/sso/saml",
                                                               "url": "/app/payroll/sso/saml?", "dtHash": f"{draw.getrandbits(256):064x}"}},
            "legacyEventType": "app.auth.sso", "transaction": {"type": "WEB", "id": _id(draw), "detail": {}}, "uuid": _id(draw),
            "version": "0", "request": {"ipChain": [{"ip": "10.2.7.9", "geographicalContext": None, "version": "V4", "source": None}]},
            "target": targets,
        }
    ]  # fmt: skip


def entra_sign_ins(draw: Draw, number: int) -> list[Record]:
    """Sign-ins of people and, every third, of service principals, as Graph lists them."""
    service = number % 3 == 0
    person = f"p{number % 800:04d}"
    return [
        {
            "id": _id(draw), "createdDateTime": _instant(number) [:-1] + "4Z", "userDisplayName": None if service else person,
            "userPrincipalName": None if service else f"{person}@larkfield.example", "userId": "" if service else f"{number % 800:08x}-0000-4000-8000-000000000000",
            "appId": f"{number % 60:08x}-1111-4000-8000-000000000000", "appDisplayName": f"app {number % 60}", "ipAddress": "10.2.7.9",
            "clientAppUsed": "Browser", "correlationId": _id(draw), "conditionalAccessStatus": "success", "isInteractive": not service,
            "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes": [],
            "resourceDisplayName": "Microsoft Graph", "resourceId": "00000003-0000-0000-c000-000000000000",
            "servicePrincipalId": f"{number % 60:08x}-2222-4000-8000-000000000000" if service else "",
            "servicePrincipalName": f"app {number % 60}" if service else None,
            "servicePrincipalCredentialKeyId": f"{number % 60:08x}-3333-4000-8000-000000000000" if service else None,
            "status": {"errorCode": 50126 if number % 41 == 0 else 0, "failureReason": "Other.", "additionalDetails": None},
            "deviceDetail": {"deviceId": "", "displayName": None, "operatingSystem": "MacOs", "browser": "Safari 17.6", "isCompliant": None},
            "location": {"city": "Berlin", "state": "Berlin", "countryOrRegion": "DE", "geoCoordinates": {"altitude": None, "latitude": 52.53}},
            "appliedConditionalAccessPolicies": [{"id": _id(draw), "displayName": "MFA for all", "enforcedGrantControls": ["Mfa"],
                                                  "enforcedSessionControls": [], "result": "success"}],
        }
    ]  # fmt: skip


def kubernetes(draw: Draw, number: int) -> list[Record]:
    """What controllers and workloads ask the API server, each call at two stages."""
    account = f"system:serviceaccount:team{number % 17}:worker{number % 90}"
    event: Record = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": _id(draw),
        "requestURI": f"/api/v1/namespaces/team{number % 17}/secrets/config-{number % 700}", "verb": "get",
        "user": {"username": account, "uid": _id(draw), "groups": ["system:serviceaccounts", "system:authenticated"],
                 "extra": {"authentication.kubernetes.io/pod-name": [f"worker-{draw.getrandbits(40):010x}"]}},
        "sourceIPs": ["10.2.7.9"], "userAgent": "worker/v1.4 (linux/amd64) kubernetes/$Format",
        "objectRef": {"resource": "secrets", "namespace": f"team{number % 17}", "name": f"config-{number % 700}", "apiVersion": "v1"},
        "requestReceivedTimestamp": _instant(number), "stageTimestamp": _instant(number),
        "annotations": {"authorization.k8s.io/decision": "allow",
                        "authorization.k8s.io/reason": f'RBAC: allowed by RoleBinding "reader/team{number % 17}" of Role "reader"'},
    }  # fmt: skip
    return [
        event | {"stage": "RequestReceived"},
        event | {"stage": "ResponseComplete", "responseStatus": {"metadata": {}, "code": 200}},
    ]
