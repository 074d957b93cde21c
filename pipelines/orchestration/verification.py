"""`upheld verify`: what a path is, and whether it is still what it was. Plain Python."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import UserMistake
from pipelines.evidence.findings import Finding
from pipelines.evidence.verify import verify_home
from pipelines.home import Home
from pipelines.reports.verify import is_bundle, noted_ledger_head, verify_bundle


def verify(path: Path) -> tuple[str, list[Finding]]:
    """What was verified, in words, and its faults.

    A bundle that still lies in its home is held against the home's ledger too: it noted the ledger's head.
    Raises UserMistake where `path` is neither a bundle nor a home.
    """
    if is_bundle(path):
        home = Home.at(path.resolve().parent.parent)
        findings = verify_bundle(path)
        if home.ledger.exists() and home.report(path.resolve().name) == path.resolve():
            findings += verify_home(home, noted_ledger_head(path))
            return "Bundle, ledger and originals", findings
        return "Bundle", findings
    home = Home.at(path)
    if not home.evidence.is_dir():
        raise UserMistake(f"{path} is neither a home with evidence nor a bundle.")
    return "Ledger and originals", verify_home(home)
