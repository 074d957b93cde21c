"""The one written form of an instant, a number and a JSON file, shared by every format that prints exact values."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any


def canonical_time(value: datetime) -> str:
    """A naive UTC instant as RFC 3339: `2026-03-02T00:00:00Z`, with six digits of a fraction when it has one."""
    return f"{value.isoformat(timespec='microseconds' if value.microsecond else 'seconds')}Z"


def canonical_number(value: float) -> str:
    """A finite number without exponent, rounded to six decimals, without trailing zeros: `31`, `0.026316`."""
    digits = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def canonical_json(content: Any) -> bytes:
    """JSON as a person can read it and a line tool can cut it: sorted keys, two spaces, UTF-8, LF at the end."""
    text = json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return f"{text}\n".encode()


def read_canonical_json(raw: bytes) -> Any:
    """The content of `raw`. Raises ValueError unless it is written exactly as `canonical_json` writes it."""
    content = json.loads(raw.decode("utf-8"))
    if canonical_json(content) != raw:
        raise ValueError("not written in the one canonical way: sorted keys, two spaces, one line end")
    return content
