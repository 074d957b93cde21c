"""Made-up identifiers and hashes that come out the same every time."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any


def guid(*parts: object) -> str:
    """A UUID that only depends on the parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "https://larkfield.example/" + "/".join(map(str, parts))))


def digest(*parts: object) -> str:
    """64 hexadecimal digits that only depend on the parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def hmac(*parts: object) -> str:
    """A value as a Vault audit device writes it."""
    return f"hmac-sha256:{digest('audit device salt', *parts)}"


def compact(record: Any) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def lines(records: Iterable[Any]) -> bytes:
    return "".join(compact(record) + "\n" for record in records).encode()


def array(records: Iterable[Any]) -> bytes:
    """A JSON array, one element per line: still one document, and a person can read it."""
    return ("[\n" + ",\n".join(compact(record) for record in records) + "\n]\n").encode()
