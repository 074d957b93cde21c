"""A Vault log with raw values."""

from __future__ import annotations

import json

CANARIES = {
    "token": "hvs.CANARY-client-token-7f1c",
    "accessor": "CANARY-accessor-5d2e",
    "value": "CANARY-database-password-91aa",
    "nested": "CANARY-nested-private-key-40bd",
    "error": "CANARY-error-text-with-input-3c7f",
    "version": "CANARY-version-that-is-a-secret-66e0",
}


def raw_log() -> bytes:
    """What `log_raw=true` writes: a write and a read of a secret, and a refused call that quotes its input."""
    base = {
        "auth": {"client_token": CANARIES["token"], "accessor": CANARIES["accessor"], "display_name": "approle-raw",
                 "metadata": {"role_name": "raw", "note": CANARIES["nested"]}},
        "request": {"id": "raw-1", "client_token": CANARIES["token"], "mount_type": "kv", "mount_point": "kv/",
                    "operation": "update", "path": "kv/data/orders/raw",
                    "data": {"data": {"password": CANARIES["value"]}, "versions": [CANARIES["version"]]}},
    }
    write = base | {"type": "response", "time": "2026-03-03T10:00:00Z", "response": {"data": {"version": CANARIES["version"]}}}
    read = base | {
        "type": "response", "time": "2026-03-03T10:01:00Z",
        "request": base["request"] | {"id": "raw-2", "operation": "read"},
        "response": {"data": {"data": {"password": CANARIES["value"], "key": {"pem": CANARIES["nested"]}},
                              "metadata": {"version": 1, "custom": CANARIES["nested"]}}},
    }
    refused = base | {"type": "response", "time": "2026-03-03T10:02:00Z", "error": CANARIES["error"],
                      "request": base["request"] | {"id": "raw-3"}}
    broken = json.dumps(base | {"type": "response", "time": "2026-03-03T10:03:00Z"})[:-40]
    return "".join(line + "\n" for line in [json.dumps(write), json.dumps(read), json.dumps(refused), broken]).encode()
