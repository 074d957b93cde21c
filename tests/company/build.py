"""`python -m tests.company.build`: write the company's exports, the damaged ones and the expected operations anew.

The same story gives the same bytes. Compressed files are the one thing a program can't promise across zlib and zstd
builds, so a committed file whose content is still right keeps its bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import zstandard

from . import bad_evidence, oracle
from .exports import aws, decisions, generic, github, hr, jira, okta, vault
from .plan import Export, all_exports

HERE = Path(__file__).parent

WRITERS: dict[tuple[str, str], Callable[[Export], tuple[bytes, int]]] = {
    ("hashicorp_vault", "audit_log"): vault.audit_log,
    ("hashicorp_vault", "kv_metadata"): vault.kv_metadata,
    ("aws", "cloudtrail"): aws.cloudtrail,
    ("aws", "credential_report"): aws.credential_report,
    ("okta", "system_log"): okta.system_log,
    ("okta", "users"): okta.users,
    ("jira", "issues"): jira.issues,
    ("github", "pull_requests"): github.pull_requests,
    ("github", "audit_log"): github.audit_log,
    ("hr", "employees"): hr.employees,
    ("generic", "accounts"): generic.accounts,
    ("generic", "credentials"): generic.credentials,
    ("generic", "events"): generic.events,
    ("generic", "entitlements"): generic.entitlements,
    ("generic", "review_decisions"): generic.review_decisions,
    ("generic", "tickets"): generic.tickets,
}


def unpacked(name: str, packed: bytes) -> bytes:
    """The content of a file that may be compressed, by its suffix."""
    if name.endswith(".gz"):
        return gzip.decompress(packed)
    if name.endswith(".zst"):
        return zstandard.ZstdDecompressor().decompress(packed)
    return packed


def packed(path: str, content: bytes, committed: Path) -> bytes:
    """Compress as the suffix of `path` says, or take the bytes that already hold this content."""
    if not path.endswith((".gz", ".zst")):
        return content
    before = committed / path
    if before.is_file():
        kept = before.read_bytes()
        if unpacked(path, kept) == content:
            return kept
    if path.endswith(".gz"):
        return gzip.compress(content, 9, mtime=0)
    return zstandard.ZstdCompressor(level=19).compress(content)


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def sidecar(export: Export, count: int, data: bytes) -> bytes:
    """What the collector declares: only what it knows."""
    declared: dict[str, object] = {"collected_at": _instant(export.collected_at), "collected_by": "collector-01"}
    if export.window:
        declared["window_start"], declared["window_end"] = map(_instant, export.window)
    declared["record_count"] = count
    if export.declares_sha256:
        declared["sha256"] = hashlib.sha256(data).hexdigest()
    if export.query:
        declared["query"] = export.query
    if export.filtered:
        declared["filtered"] = True
    if export.snapshot_id:
        declared["snapshot_id"] = export.snapshot_id
    return (json.dumps(declared, indent=2) + "\n").encode()


def landing_files(committed: Path = HERE / "landing") -> dict[str, bytes]:
    """Every file below `landing/` by its path. `committed` lends compressed bytes that are still right."""
    files: dict[str, bytes] = {}
    for export in all_exports():
        write = decisions.decisions if export.system == "decisions" else WRITERS[export.system, export.feed]
        content, count = write(export)
        folder = export.path.removesuffix(export.name)
        data = files[folder + export.same_bytes_as] if export.same_bytes_as else packed(export.path, content, committed)
        files[export.path] = data
        if export.sidecar:
            files[f"{export.path}.manifest.json"] = sidecar(export, count, data)
    return files


def all_files(committed: Path = HERE) -> dict[str, bytes]:
    """Everything that is made, by its path below this folder."""
    files = {f"landing/{path}": data for path, data in landing_files(committed / "landing").items()}
    files |= {f"bad_landing/{path}": data for path, data in bad_evidence.files().items()}
    files["expected_operations.csv"] = oracle.as_csv(oracle.expected_operations())
    return files


def write_into(folder: Path) -> int:
    """Write everything into `folder`; what is no longer made there goes. Returns the number of files."""
    files = all_files()
    for made in ("landing", "bad_landing"):
        for old in sorted((folder / made).rglob("*")):
            if old.is_file() and old.relative_to(folder).as_posix() not in files:
                old.unlink()
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != data:
            target.write_bytes(data)
    return len(files)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    sys.stdout.write(f"{write_into(target)} files in {target}\n")
