"""What verification finds wrong, one finding per fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal[
    "chain", "torn", "head", "missing", "altered", "extra", "writable", "sidecar", "signature", "form", "figures"
]


@dataclass(frozen=True, order=True)
class Finding:
    """One fault. `where` is a ledger line (`ledger.jsonl line 17`) or an original's SHA-256."""

    kind: FindingKind
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}"
