"""Is a bundle still what its manifest says? Needs nothing but the bundle's folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pipelines.errors import UserMistake
from pipelines.evidence.findings import Finding

MANIFEST_NAME = "manifest.json"
# Beside the manifest, not in it: what signs the manifest can't be part of what it signs.
_SIGNATURES = (".dsse.json", ".sig", ".intoto.jsonl")


def is_bundle(folder: Path) -> bool:
    """Whether `folder` holds a bundle's manifest."""
    return (folder / MANIFEST_NAME).is_file()


def verify_bundle(folder: Path) -> list[Finding]:
    """Every file that is missing, was altered or isn't in the manifest, sorted; an empty list means all is as written.

    Raises UserMistake where the manifest can't be read as one.
    """
    told = {
        str(subject["name"]): str(subject["digest"]["sha256"])
        for subject in _manifest(folder).get("subject", [])
    }
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if (path.is_file() or path.is_symlink())
        and path != folder / MANIFEST_NAME
        and not (path.parent == folder and path.name.endswith(_SIGNATURES))
    }
    findings = [
        Finding("missing", name, "is in the manifest but not there.") for name in told.keys() - found.keys()
    ]
    findings += [Finding("extra", name, "is not in the manifest.") for name in found.keys() - told.keys()]
    for name in told.keys() & found.keys():
        with found[name].open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != told[name]:
            findings.append(Finding("altered", name, f"was altered: its SHA-256 is {digest} now."))
    return sorted(findings)


def noted_ledger_head(folder: Path) -> str | None:
    """The hash of the ledger's last entry when the bundle was written; None where no evidence was there."""
    head = _manifest(folder).get("predicate", {}).get("ledger_head")
    return head["entry_hash"] if head else None


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["_type"] != "https://in-toto.io/Statement/v1":
            raise ValueError(f"its _type is {manifest['_type']!r}")
        return manifest
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UserMistake(f"{path} is not a bundle's manifest ({problem}).") from None
