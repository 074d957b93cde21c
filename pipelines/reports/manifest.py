"""What a bundle says about itself: an in-toto Statement v1 over the SHA-256 of every file in it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import __version__
from pipelines.errors import BrokenEvidence
from pipelines.reports.report import AuditReport
from pipelines.reports.verify import MANIFEST_NAME

PREDICATE_TYPE = "urn:upheld:audit-report:1"


def file_digests(folder: Path) -> dict[str, str]:
    """Path below `folder`, with `/` -> SHA-256 in hex, sorted by path."""
    paths = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: path.relative_to(folder).as_posix(),
    )
    digests = {}
    for path in paths:
        with path.open("rb") as file:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def data_digest(digests: dict[str, str]) -> str:
    """SHA-256 over the sorted `sha256  path` lines of the files in data/: what `sha256sum data/* | sort` prints."""
    lines = sorted(f"{digest}  {path}\n" for path, digest in digests.items() if path.startswith("data/"))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def statement(report: AuditReport, digests: dict[str, str], ledger: Path) -> dict[str, Any]:
    """The manifest of a bundle whose files have these digests. Raises BrokenEvidence on an unreadable ledger."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
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
            "ledger_head": ledger_head(ledger),
            "policy_files": [
                {
                    "feed": f"{file.system}/{file.feed}",
                    "name": file.original_name,
                    "digest": {"sha256": file.sha256},
                    "collected_at": _instant(file.collected_at),
                }
                for file in report.decisions_in_force
            ],
            "generator": {"name": "upheld", "version": __version__},
        },
    }


def write_manifest(report: AuditReport, folder: Path, ledger: Path) -> None:
    """Write `folder`/manifest.json over every other file below `folder`."""
    digests = {path: digest for path, digest in file_digests(folder).items() if path != MANIFEST_NAME}
    text = json.dumps(statement(report, digests, ledger), indent=2, ensure_ascii=False, sort_keys=True)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8", newline="\n")


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
