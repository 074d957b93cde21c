"""Which landing files were taken in already, so that a run with nothing new only looks at their dates.

A cache and nothing more: without it, every landing file is hashed again and the ledger finds nothing new. It is
believed only while the ledger still holds the entry that stood last when it was written.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from pipelines.evidence.landing import LandedFile, printable
from pipelines.evidence.ledger import LedgerMark, mark_of, still_holds
from pipelines.evidence.originals import make_folder
from pipelines.home import Home

_VERSION = 1

# A file changed within one tick of its file system's clock shows no new date (2 s on the coarsest), so files this
# fresh are looked at again in the next run.
_TICK_NANOSECONDS = 2_000_000_000

Fingerprint = tuple[int, ...]


class LandingIndex:
    """What is known of landing. Use: `knows`, else `fingerprint` before the file is read and `note` after."""

    def __init__(self, home: Home, known: dict[str, Fingerprint]) -> None:
        self._home = home
        self._known = known
        self._changed = False

    @classmethod
    def open(cls, home: Home) -> LandingIndex:
        """Read the index. One that is absent, broken, or of another ledger is empty; nothing is raised for it."""
        try:
            stored = json.loads(home.landing_index.read_bytes())
            if stored["version"] == _VERSION and still_holds(home.ledger, LedgerMark(*stored["ledger"])):
                return cls(home, {path: tuple(found) for path, found in stored["files"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return cls(home, {})

    def knows(self, landed: LandedFile) -> bool:
        """Whether the file and its sidecar are those that were noted. Costs two stat calls at most."""
        noted = self._known.get(self._name(landed))
        return noted is not None and noted == self.fingerprint(landed)

    def fingerprint(self, landed: LandedFile) -> Fingerprint | None:
        """Size and dates of the file and its sidecar now, or None when one of them is gone.

        Take it *before* the file is read: what changes while it is read must not look known afterwards.
        """
        try:
            found = _state(landed.path)
            return found if landed.sidecar is None else found + _state(landed.sidecar)
        except OSError:
            return None

    def note(self, landed: LandedFile, fingerprint: Fingerprint | None) -> None:
        """Remember a file as taken in, after its ledger entry is written (or was found not to be needed)."""
        name = self._name(landed)
        if fingerprint is None or time.time_ns() - max(fingerprint) < _TICK_NANOSECONDS:
            self._changed |= self._known.pop(name, None) is not None
        elif self._known.get(name) != fingerprint:
            self._known[name] = fingerprint
            self._changed = True

    def save(self, landing: Iterable[LandedFile] | None = None) -> None:
        """Write the index if it changed. With the whole `landing` given, files no longer there are forgotten."""
        if landing is not None:
            there = {self._name(landed) for landed in landing}
            gone = self._known.keys() - there
            for name in gone:
                del self._known[name]
            self._changed |= bool(gone)
        if not self._changed:
            return
        content = {"version": _VERSION, "ledger": mark_of(self._home.ledger), "files": self._known}
        target = self._home.landing_index
        make_folder(target.parent)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
        os.replace(unfinished, target)
        self._changed = False

    def _name(self, landed: LandedFile) -> str:
        return printable(str(landed.path.relative_to(self._home.landing)))


def _state(path: Path) -> Fingerprint:
    # ctime, too: a copy that keeps dates (rsync -t) can bring other bytes under the same size and mtime.
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
