"""What a bundle says about itself: an in-toto Statement v1 over the SHA-256 of every file in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import __version__
from pipelines.errors import BrokenEvidence
from pipelines.reports.canonical import canonical_json
from pipelines.reports.digests import data_digest, file_digests
from pipelines.reports.report import AuditReport
from pipelines.reports.revisions import MANIFEST_NAME
from pipelines.reports.signature import ENVELOPE_NAME, envelope
from pipelines.reports.verify import PREDICATE_TYPE, STATEMENT_TYPE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Seal:
    """What is said of a sealed period. `accepted_gaps` are rows of rpt_gaps as plain values; `sealed_at` is RFC 3339 UTC.

    `warehouse_sha256`: of the copy of the warehouse that the home keeps.
    """

    sealed_at: str
    warehouse_sha256: str
    accepted_gaps: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Basis:
    """What a bundle rests on besides the warehouse. `replaces`: name and SHA-256 of the sealed manifest before it."""

    ledger_head: dict[str, Any] | None
    settings_sha256: str | None
    sampling: dict[str, Any]
    revision: int = 1
    replaces: tuple[str, str] | None = None
    seal: Seal | None = None


def statement(report: AuditReport, digests: dict[str, str], basis: Basis) -> dict[str, Any]:
    """The manifest of a bundle whose files have these digests."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path, "digest": {"sha256": digests[path]}} for path in sorted(digests)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "period": {
                "period_id": report.period.period_id,
                "start": _instant(report.period.start_at),
                "end": _instant(report.period.end_at),
                "timezone": report.period.timezone,
            },
            "as_of": _instant(report.period.as_of),
            "cutoff": _instant(report.period.cutoff_at),
            "feed_timezones": dict(report.period.feed_timezones),
            "conclusions": report.conclusions,
            "not_assessed": [control.control_id for control in report.controls if control.figures is None],
            "data_digest": {"sha256": data_digest(digests)},
            "ledger_head": basis.ledger_head,
            "policy_files": [
                {
                    "feed": f"{file.system}/{file.feed}",
                    "name": file.original_name,
                    "digest": {"sha256": file.sha256},
                    "collected_at": _instant(file.collected_at),
                }
                for file in report.decisions_in_force
            ],
            "configuration": (
                {"name": "upheld.toml", "digest": {"sha256": basis.settings_sha256}}
                if basis.settings_sha256
                else None
            ),
            "sampling": basis.sampling,
            "revision": {
                "number": basis.revision,
                "replaces": (
                    {"name": basis.replaces[0], "digest": {"sha256": basis.replaces[1]}}
                    if basis.replaces
                    else None
                ),
            },
            "seal": _seal(basis.seal),
            "generator": {"name": "upheld", "version": __version__},
        },
    }


def write_manifest(report: AuditReport, folder: Path, basis: Basis, key: Ed25519PrivateKey | None) -> None:
    """Write `folder`/manifest.json over every other file below `folder`, and its signature where there is a key."""
    digests = {path: digest for path, digest in file_digests(folder).items() if path != MANIFEST_NAME}
    payload = canonical_json(statement(report, digests, basis))
    (folder / MANIFEST_NAME).write_bytes(payload)
    if key is not None:
        (folder / ENVELOPE_NAME).write_bytes(envelope(payload, key))


def _seal(seal: Seal | None) -> dict[str, Any] | None:
    if seal is None:
        return None
    return {
        "sealed_at": seal.sealed_at,
        "accepted_gaps": list(seal.accepted_gaps),
        "warehouse": {"digest": {"sha256": seal.warehouse_sha256}},
    }


def ledger_head(ledger: Path) -> dict[str, Any] | None:
    """Number and hash of the last whole ledger line; None while no evidence was ever taken in.

    A last line without its newline is a torn append that the next run repairs, and is not the head.
    """
    if not ledger.exists():
        return None
    last = _last_whole_line(ledger)
    if last is None:
        return None
    try:
        line = json.loads(last)
        return {"entry": int(line["entry"]), "entry_hash": str(line["entry_hash"])}
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenEvidence(
            f"{ledger}: the last line is not a ledger entry ({error}). Run `upheld verify` to see what changed."
        ) from None


def _last_whole_line(path: Path, block: int = 65_536) -> bytes | None:
    """The last line that ends in a newline, read from the end: ledgers grow for years."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        tail = b""
        while position > 0 and tail.count(b"\n") < 2:
            step = min(block, position)
            position -= step
            file.seek(position)
            tail = file.read(step) + tail
    whole, newline, _torn = tail.rpartition(b"\n")
    return whole.rpartition(b"\n")[2] if newline else None


def _instant(value: datetime | None) -> str | None:
    return None if value is None else f"{value.isoformat(timespec='microseconds')}Z"
