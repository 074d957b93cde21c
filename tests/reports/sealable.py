"""A home whose made-up warehouse rests on real originals and a real ledger, so that it can be sealed and verified."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from made_up_warehouse import make_home

from pipelines.evidence.ledger import DeliveryRecord, Ledger
from pipelines.home import Home

SEALED_AT = datetime(2026, 7, 16, 9, tzinfo=UTC)

GAP = ("required_log_covers_the_period", "hashicorp_vault/audit_log/main", "2026-04-08", "2026-04-09")


@dataclass(frozen=True)
class Keys:
    """A key pair as files, made with openssl."""

    private: Path
    public: Path


def make_keys(folder: Path, name: str) -> Keys:
    """A new Ed25519 pair: what an operator does once."""
    keys = Keys(folder / f"{name}.pem", folder / f"{name}.pub.pem")
    run = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", keys.private]
    subprocess.run(run, check=True, capture_output=True)
    run = ["openssl", "pkey", "-in", keys.private, "-pubout", "-out", keys.public]
    subprocess.run(run, check=True, capture_output=True)
    return keys


def make_sealable(root: Path, size: int = 1, accepted_by: str | None = "ciso@acme.example") -> Home:
    """A home with a published warehouse, every evidence file it names, and one gap, accepted or not."""
    home = make_home(root, size=size)
    home.ledger.unlink()
    with duckdb.connect(str(home.warehouse)) as warehouse:
        rows = warehouse.execute("select * from rpt_evidence_files order by all").fetchall()
        names = [column[0] for column in warehouse.description]
        warehouse.execute(
            "create table rpt_gaps (period_id varchar, expectation varchar, subject varchar, first_day date,"
            " last_day date, detail varchar, accepted_by varchar, acceptances varchar)"
        )
        if accepted_by != "no gap":
            warehouse.execute(
                "insert into rpt_gaps values ('2026-H1', ?, ?, ?, ?, 'Nothing covers 8 and 9 April.', ?, null)",
                [*GAP, accepted_by],
            )
    deliver(home, (dict(zip(names, row, strict=True)) for row in rows))
    return home


def deliver(home: Home, files: Iterable[dict]) -> None:
    """Keep the bytes that the made-up hashes are of, and register each."""
    records = []
    for file in files:
        place = f"{file['system']}/{file['feed']}/{file['original_name']}"
        content = b"hostile" if file["original_name"].startswith("=") else place.encode()
        original = home.original(file["sha256"])
        original.parent.mkdir(parents=True, exist_ok=True)
        original.write_bytes(content)
        original.chmod(0o444)
        records.append(
            DeliveryRecord(
                sha256=file["sha256"],
                system=file["system"],
                feed=file["feed"],
                instance=file["instance"],
                original_name=file["original_name"],
                size_bytes=len(content),
                collected_at=file["collected_at"].replace(tzinfo=UTC),
                collected_at_source="name",
                status=file["status"],
                records_parsed=file["records_parsed"],
            )
        )
    Ledger.open(home.ledger).append_all(records, SEALED_AT)
