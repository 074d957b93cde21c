"""Which bundles of a period there are. The first is `reports/<period>/`; what comes after a sealed one stands beside it.

An unsealed bundle is replaced by every run. A sealed one never changes: the next run that finds other figures writes
`reports/<period>.r2/`, then `.r3`, and so on. At most one revision is unsealed, the last.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UserMistake
from pipelines.home import Home

MANIFEST_NAME = "manifest.json"
_PERIOD = re.compile(r"[^\W_][\w .+-]{0,99}")
_REVISION = re.compile(r"(?P<period>.+)\.r(?P<number>[1-9][0-9]*)", re.DOTALL)


@dataclass(frozen=True)
class Revision:
    """One bundle of a period. `name` is its folder's name in reports/."""

    number: int
    name: str
    path: Path
    is_sealed: bool


def name_of(period_id: str, number: int) -> str:
    """The folder of a revision. A period id comes from a file that somebody delivered: it must not choose a place.

    Raises UserMistake where it can't name a folder, or would name another period's revision.
    """
    if not _PERIOD.fullmatch(period_id) or period_id.endswith((" ", ".")) or _REVISION.fullmatch(period_id):
        raise UserMistake(
            f"Period {period_id!r} cannot name a folder. Use letters, digits, '-', '_', '.' in decisions/periods, "
            "and no .r2 or the like at its end: that marks a revision."
        )
    return period_id if number == 1 else f"{period_id}.r{number}"


def revisions_of(home: Home, period_id: str) -> list[Revision]:
    """The revisions there are or have been sealed, oldest first."""
    numbers = {1}
    for folder in (home.reports, home.sealed):
        for path in folder.glob("*.r*") if folder.is_dir() else ():
            found = _REVISION.fullmatch(path.name)
            if found and found["period"] == period_id:
                numbers.add(int(found["number"]))
    found = [_revision(home, name_of(period_id, number), number) for number in sorted(numbers)]
    return [revision for revision in found if revision.is_sealed or revision.path.is_dir()]


def last_sealed(home: Home, period_id: str) -> Revision | None:
    """The newest sealed revision of a period."""
    return next((each for each in reversed(revisions_of(home, period_id)) if each.is_sealed), None)


def newest(home: Home, period_id: str) -> Revision:
    """The newest revision there is; the first, where there is none yet."""
    there = [each for each in revisions_of(home, period_id) if each.path.is_dir()]
    return there[-1] if there else _revision(home, name_of(period_id, 1), 1)


def says_sealed(bundle: Path) -> bool:
    """Whether a bundle's manifest says that it is sealed."""
    try:
        manifest = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
        return bool(manifest["predicate"].get("seal"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _revision(home: Home, name: str, number: int) -> Revision:
    path = home.report(name)
    return Revision(number, name, path, home.sealed_manifest(name).exists() or says_sealed(path))
