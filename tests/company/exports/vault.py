"""HashiCorp Vault: the audit device's lines, and KV v2 metadata as a collector saves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .. import cast_incident_containment
from ..plan import Export
from ..story import SECRETS, VAULT_LOG_FROM, VAULT_READS, Secret, at
from .ids import digest, guid, hmac, lines

# Vault stamps the version a few milliseconds before it logs its answer.
VERSION_BEFORE_ANSWER = timedelta(milliseconds=4)
REQUEST_BEFORE_ANSWER = timedelta(milliseconds=6)


def _time(moment: datetime) -> str:
    """RFC 3339 with as many digits as needed, as Go writes it."""
    text = f"{moment:%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".")
    return text + "Z"


def _auth(name: str, role: str | None) -> dict[str, Any]:
    auth: dict[str, Any] = {
        "accessor": hmac("accessor", name),
        "client_token": hmac("token", name),
        "display_name": name,
        "entity_id": guid("vault entity", name),
        "policies": ["default", "kv-rotation"],
        "token_policies": ["default", "kv-rotation"],
        "token_type": "service",
        "token_ttl": 3600,
    }
    return auth | ({"metadata": {"role_name": role}} if role else {})


def _call(moment: datetime, operation: str, path: str, actor: tuple[str, str | None], answer: dict[str, Any] | None,
          sent: dict[str, Any] | None = None, error: str | None = None) -> list[tuple[datetime, dict[str, Any]]]:  # fmt: skip
    """Request and answer of one call. The answer carries the instant of the story."""
    request_id = guid("vault", _time(moment), operation, path)
    request: dict[str, Any] = {
        "id": request_id,
        "client_id": guid("vault entity", actor[0]),
        "operation": operation,
        "mount_point": path.split("/")[0] + "/",
        "mount_type": "kv",
        "mount_accessor": "kv_6f1d2c3b",
        "client_token": hmac("token", actor[0]),
        "client_token_accessor": hmac("accessor", actor[0]),
        "namespace": {"id": "root"},
        "path": path,
        "remote_address": "10.20.0.14",
        "remote_port": 40000 + int(digest(request_id)[:4], 16) % 20000,
    }
    if sent is not None:
        request["data"] = sent
    asked_at = moment - REQUEST_BEFORE_ANSWER
    asked = {"time": _time(asked_at), "type": "request", "auth": _auth(*actor), "request": request}
    answered: dict[str, Any] = {"time": _time(moment), "type": "response", "auth": _auth(*actor), "request": request}
    if error:
        asked["error"] = error
        answered["error"] = error
    else:
        answered["response"] = {"mount_point": request["mount_point"], "mount_type": "kv", "mount_accessor": "kv_6f1d2c3b"}
        if answer is not None:
            answered["response"]["data"] = answer
    return [(asked_at, asked), (moment, answered)]


_ROTATOR = ("approle-rotator", "rotator")
_READER = ("approle-nightly-report", "nightly-report")
_OPERATOR = ("oidc-otto.owner", None)


def _version_at(secret: Secret, moment: datetime) -> int:
    return sum(version <= moment for version in secret.versions)


def _writes(secret: Secret) -> list[tuple[datetime, dict[str, Any]]]:
    data, metadata = f"kv/data/{secret.path}", f"kv/metadata/{secret.path}"
    calls = []
    for number, moment in enumerate(secret.versions, start=1):
        if moment < VAULT_LOG_FROM:
            continue
        answer = {
            "created_time": hmac("created", secret.path, number),
            "custom_metadata": {k: hmac("tag", v) for k, v in secret.custom_metadata} or None,
            "deletion_time": hmac("empty"),
            "destroyed": False,
            "version": number,
        }
        sent = {"data": {"value": hmac("secret", secret.path, number)}, "options": {}}
        calls += _call(moment, "create" if number == 1 else "update", data, _ROTATOR, answer, sent)
    if secret.metadata_written:
        sent = {"custom_metadata": {k: hmac("tag", v) for k, v in secret.custom_metadata}}
        calls += _call(secret.metadata_written, "update", metadata, _OPERATOR, None, sent)
    if secret.write_failed:
        sent = {"data": {"value": hmac("secret", secret.path, "refused")}, "options": {}}
        calls += _call(secret.write_failed, "update", data, _OPERATOR, None, sent,
                       error="1 error occurred:\n\t* permission denied\n\n")  # fmt: skip
    if secret.soft_deleted:
        calls += _call(secret.soft_deleted, "delete", data, _OPERATOR, None)
    if secret.destroyed:
        moment, version = secret.destroyed
        versions = [hmac("text", version)] if secret.destroyed_by_cli else [version]
        calls += _call(moment, "update", f"kv/destroy/{secret.path}", _OPERATOR, None, {"versions": versions})
    if secret.metadata_deleted:
        calls += _call(secret.metadata_deleted, "delete", metadata, _OPERATOR, None)
    return calls


def _reads() -> list[tuple[datetime, dict[str, Any]]]:
    """The nightly report reads one secret a day; without it most days would be silent."""
    secret = SECRETS[0]
    calls = []
    for n, moment in enumerate(VAULT_READS):
        moment += timedelta(seconds=13 * (n % 31), microseconds=348211)
        answer = {
            "data": {"value": hmac("secret", secret.path, _version_at(secret, moment))},
            "metadata": {
                "created_time": hmac("created", secret.path, _version_at(secret, moment)),
                "custom_metadata": None,
                "deletion_time": hmac("empty"),
                "destroyed": False,
                "version": _version_at(secret, moment),
            },
        }
        calls += _call(moment, "read", f"kv/data/{secret.path}", _READER, answer)
    return calls


def _old_reads() -> list[tuple[datetime, dict[str, Any]]]:
    """A job that asks for a version by its number goes on with the old one."""
    calls = []
    for path, version, moment in cast_incident_containment.OLD_READS:
        answer = {
            "data": {"value": hmac("secret", path, version)},
            "metadata": {
                "created_time": hmac("created", path, version),
                "custom_metadata": None,
                "deletion_time": hmac("empty"),
                "destroyed": False,
                "version": version,
            },
        }
        calls += _call(at(moment), "read", f"kv/data/{path}", _READER, answer, {"version": [hmac("text", version)]})
    return calls


def audit_events() -> list[tuple[datetime, dict[str, Any]]]:
    """Every line of the audit device, with its instant."""
    calls = _reads() + _old_reads() + [line for secret in SECRETS for line in _writes(secret)]
    return sorted(calls, key=lambda line: (line[0], line[1]["request"]["id"]))


def audit_log(export: Export) -> tuple[bytes, int]:
    assert export.window
    start, end = export.window
    records = [record for moment, record in audit_events() if start <= moment < end]
    return lines(records), len(records)


def _metadata(secret: Secret, moment: datetime) -> dict[str, Any] | None:
    if secret.versions[0] > moment or (secret.metadata_deleted and secret.metadata_deleted <= moment):
        return None
    versions = {}
    for number, instant in enumerate(secret.versions, start=1):
        if instant > moment:
            break
        created = instant - VERSION_BEFORE_ANSWER if instant >= VAULT_LOG_FROM else instant
        soft = secret.soft_deleted if secret.soft_deleted and secret.soft_deleted <= moment else None
        versions[str(number)] = {
            "created_time": _time(created),
            "deletion_time": _time(soft - VERSION_BEFORE_ANSWER) if soft and number == len(secret.versions) else "",
            "destroyed": bool(secret.destroyed and secret.destroyed[0] <= moment and secret.destroyed[1] == number),
        }
    changes = [*(v["created_time"] for v in versions.values())]
    if secret.metadata_written and secret.metadata_written <= moment:
        changes.append(_time(secret.metadata_written - VERSION_BEFORE_ANSWER))
    return {
        "cas_required": False,
        "created_time": versions["1"]["created_time"],
        "current_version": len(versions),
        "custom_metadata": dict(secret.custom_metadata) or None,
        "delete_version_after": "0s",
        "max_versions": 0,
        "oldest_version": 0,
        "updated_time": max(changes),
        "versions": versions,
    }


def kv_metadata(export: Export) -> tuple[bytes, int]:
    records = []
    for secret in sorted(SECRETS, key=lambda secret: secret.path):
        data = _metadata(secret, export.collected_at)
        if data is not None:
            records.append({"mount": "kv", "path": secret.path, "data": data})
    return lines(records), len(records)
