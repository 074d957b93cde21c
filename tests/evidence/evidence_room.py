"""A home to test with: files land, and are taken in by the room's own functions in the order a run uses them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.evidence.collection_time import collected_at
from pipelines.evidence.landing import LandedFile, scan
from pipelines.evidence.landing_index import LandingIndex
from pipelines.evidence.ledger import DeliveryRecord, Ledger
from pipelines.evidence.originals import keep
from pipelines.evidence.sidecar import Sidecar, read_sidecar
from pipelines.home import Home

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class EvidenceRoom:
    def __init__(self, root: Path) -> None:
        self.home = Home.at(root)

    def land(
        self,
        place: str,
        content: bytes = b"{}\n",
        *,
        sidecar: dict[str, Any] | None = None,
        mtime: datetime = NOON,
    ) -> Path:
        """Put a file at `landing/<place>`, dated `mtime`."""
        path = self.home.landing / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (mtime.timestamp(), mtime.timestamp()))
        if sidecar is not None:
            self.land(f"{place}.manifest.json", json.dumps(sidecar).encode(), mtime=mtime)
        return path

    def take_in(self, records_parsed: int = 1) -> int:
        """One run over landing without reading records. Returns how many entries it added."""
        ledger = Ledger.open(self.home.ledger)
        index = LandingIndex.open(self.home)
        landing = scan(self.home)
        before = len(ledger.entries)
        for landed in landing:
            if index.knows(landed):
                continue
            fingerprint = index.fingerprint(landed)
            record = self.delivery(landed, records_parsed)
            if ledger.needs(record):
                ledger.append(record, NOON)
            index.note(landed, fingerprint)
        index.save(landing)
        return len(ledger.entries) - before

    def delivery(self, landed: LandedFile, records_parsed: int = 1) -> DeliveryRecord:
        original = keep(self.home, landed.path)
        sidecar, sidecar_sha256 = Sidecar(), None
        if landed.sidecar is not None:
            kept_sidecar = keep(self.home, landed.sidecar)
            sidecar, sidecar_sha256 = read_sidecar(kept_sidecar.path), kept_sidecar.sha256
        at, source = collected_at(sidecar, landed.name, original.mtime)
        return DeliveryRecord(
            sha256=original.sha256,
            system=landed.system,
            feed=landed.feed,
            instance=landed.instance,
            original_name=landed.name,
            size_bytes=original.size_bytes,
            collected_at=at,
            collected_at_source=source,
            window_start=sidecar.window_start,
            window_end=sidecar.window_end,
            window_source="sidecar" if sidecar.window_start else None,
            declared_record_count=sidecar.record_count,
            declared_sha256=sidecar.sha256,
            query=sidecar.query,
            filtered=sidecar.filtered,
            snapshot_id=sidecar.snapshot_id,
            collected_by=sidecar.collected_by,
            sidecar_sha256=sidecar_sha256,
            status="accepted",
            records_parsed=records_parsed,
        )
