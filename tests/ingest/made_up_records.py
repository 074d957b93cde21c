"""Records in vendor formats, as short as they can be."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import zstandard

PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}

VAULT_REQUEST = {
    "time": "2026-03-02T09:00:00.123456789Z",
    "type": "request",
    "auth": {"display_name": "approle-billing", "entity_id": "ent-1", "metadata": {"role_name": "billing"}},
    "request": {"id": "req-1", "operation": "update", "path": "kv/data/billing/db", "mount_type": "kv",
                "mount_point": "kv/", "namespace": {"id": "root", "path": "team/"}},
}  # fmt: skip
VAULT_RESPONSE = {
    **VAULT_REQUEST, "type": "response", "time": "2026-03-02T09:00:01Z", "response": {"data": {"version": 4}},
}  # fmt: skip


def vault(number: int, **changes: Any) -> dict[str, Any]:
    """A Vault line; its time is `number` seconds after nine."""
    return {
        "time": f"2026-03-02T09:{number // 60:02}:{number % 60:02}Z",
        "type": "response",
        "request": {"id": f"req-{number}", "path": f"kv/data/secret-{number}", "operation": "read"},
    } | changes


def cloudtrail(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "eventID": f"event-{number}",
        "eventTime": f"2026-03-02T09:{number // 60:02}:{number % 60:02}Z",
        "eventName": "CreateUser",
        "requestParameters": {"userName": f"user-{number}"},
    } | changes


def line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def lines(*values: Any) -> bytes:
    """One line each; bytes stand as they are."""
    return b"".join((value if isinstance(value, bytes) else line(value)) + b"\n" for value in values)
