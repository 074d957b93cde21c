"""What several report tests share: the period, where approved output lies, where a browser is.

Not in conftest.py: a second conftest.py in the same run would hide it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PERIOD = "2026-H1"
FORMATS = Path(__file__).parents[2] / "pipelines" / "reports" / "formats"


def find_chromium() -> str | None:
    """Where a Chromium is, or None. UPHELD_CHROMIUM names one outside the usual places."""
    wanted = (os.environ.get("UPHELD_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in wanted if name and (found := shutil.which(name))), None)


def compare_with_approved(written: Path, approved: Path) -> None:
    """Fail on the first line that differs. `UPHELD_APPROVE=1 pytest tests/reports` approves what is written now."""
    if os.environ.get("UPHELD_APPROVE") == "1":
        approved.parent.mkdir(parents=True, exist_ok=True)
        approved.write_bytes(written.read_bytes())
    assert approved.exists(), (
        f"{approved} is missing; look at {written}, then run UPHELD_APPROVE=1 pytest tests/reports"
    )
    found, expected = written.read_bytes(), approved.read_bytes()
    if found == expected:
        return
    pairs = zip(found.split(b"\n"), expected.split(b"\n"), strict=False)
    number, (new, old) = next(
        ((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1]), (0, (b"(lengths differ)", b""))
    )
    at = next((i for i, (a, b) in enumerate(zip(new, old, strict=False)) if a != b), 0)
    around = slice(max(0, at - 60), at + 120)
    pytest.fail(
        f"{approved.name} is not the approved one, line {number}, byte {at}:\n  approved {old[around]!r}\n"
        f"  written  {new[around]!r}\nIf the change is wanted: UPHELD_APPROVE=1 pytest tests/reports"
    )
