"""The one written form of an instant and of a number, shared by every format that prints exact values."""

from __future__ import annotations

from datetime import datetime


def canonical_time(value: datetime) -> str:
    """A naive UTC instant as RFC 3339: `2026-03-02T00:00:00Z`, with six digits of a fraction when it has one."""
    return f"{value.isoformat(timespec='microseconds' if value.microsecond else 'seconds')}Z"


def canonical_number(value: float) -> str:
    """A finite number without exponent, rounded to six decimals, without trailing zeros: `31`, `0.026316`."""
    digits = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits
