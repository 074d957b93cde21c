"""`upheld seal`: freeze a period, or say what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import UserMistake
from pipelines.evidence.run_lock import run_lock
from pipelines.home import Home
from pipelines.orchestration.progress import Progress
from pipelines.reports.digests import sha256_of
from pipelines.reports.revisions import MANIFEST_NAME, last_sealed
from pipelines.reports.signature import ENVELOPE_NAME, signer_of
from pipelines.settings import SIGNING_KEY_VARIABLE


@dataclass(frozen=True)
class Sealing:
    """What came of it. `blockers` not empty: nothing was sealed, and each line says what to do.

    `manifest_sha256` is what to note outside the home; `signer` the id of the key, None where none was configured.
    """

    blockers: list[str] = field(default_factory=list)
    path: Path | None = None
    manifest_sha256: str = ""
    signer: str | None = None
    was_sealed: bool = False

    def lines(self, period: str) -> list[str]:
        """What to tell a person."""
        if self.blockers:
            return [f"{period} can't be sealed yet:", *(f"  {line}" for line in self.blockers)]
        state = "was sealed already, and nothing has changed since" if self.was_sealed else "is sealed"
        signed = (
            f"signed with the key {self.signer}"
            if self.signer
            else f"not signed: {SIGNING_KEY_VARIABLE} is not set"
        )
        return [
            f"{period} {state}: {self.path}",
            f"  {signed}.",
            f"  Note outside this home, and hand over by another way than the bundle: manifest SHA-256 {self.manifest_sha256}",
        ]


def seal(home: Home, period: str, progress: Progress) -> Sealing:
    """Seal a period's bundle as the published warehouse has it. Raises UserMistake where there is none of that period."""
    if not home.warehouse.exists():
        raise UserMistake(f"Nothing is published in {home.root}. Run `upheld run` first.")
    from pipelines.reports.seal import blockers_of, seal_bundle

    with run_lock(home):
        progress.begin(f"Seal {period}")
        progress.update("checking evidence")
        blockers = blockers_of(home, period)
        if blockers:
            progress.end(f"{len(blockers)} open")
            return Sealing(blockers)
        before = last_sealed(home, period)
        progress.update("writing the bundle")
        bundle = seal_bundle(home, period, datetime.now(UTC))
        progress.end(str(bundle.path))
    signed = bundle.path / ENVELOPE_NAME
    return Sealing(
        path=bundle.path,
        manifest_sha256=sha256_of(bundle.path / MANIFEST_NAME),
        signer=signer_of(signed.read_bytes()) if signed.exists() else None,
        was_sealed=before is not None and before.path == bundle.path,
    )
