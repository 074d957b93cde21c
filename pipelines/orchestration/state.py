"""What the last build and the last run of a home were made of. Small JSON files, replaced whole."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.home import Home


@dataclass(frozen=True)
class BuildState:
    """The build database's origin: `models` is their fingerprint, `as_of` the knowledge cut-off (RFC 3339 UTC)."""

    models: str
    as_of: str

    @classmethod
    def read(cls, home: Home) -> BuildState | None:
        """None where no build finished, or the build database is gone."""
        found = _read(home.build_state)
        return cls(**found) if found and home.build_database.exists() else None

    def write(self, home: Home) -> None:
        _write(home.build_state, asdict(self))

    @staticmethod
    def forget(home: Home) -> None:
        home.build_state.unlink(missing_ok=True)


@dataclass(frozen=True)
class RunInputs:
    """Everything that the outcome of a run depends on, but the time at which it runs.

    `asked_as_of` and `asked_period` are what the command line said; None for nothing.
    """

    code: str
    landing: str
    ledger_head: str
    asked_as_of: str | None
    asked_period: str | None


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `as_of` is RFC 3339 UTC with microseconds.

    `rows` are the conclusions as shown, one per control and period; `outputs` the paths that the run left behind.
    """

    as_of: str
    status: int
    outputs: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LastRun:
    """The last finished `upheld run`. Instants are RFC 3339 UTC with microseconds.

    `settled_at` is the end of the last period: from then on time alone changes nothing. `last_collected_at` is the
    latest collection of any delivery.
    """

    inputs: RunInputs
    outcome: Outcome
    settled_at: str
    last_collected_at: str

    @classmethod
    def read(cls, home: Home) -> LastRun | None:
        """None where no run finished, or its outcome was written by another version."""
        found = _read(home.last_run)
        try:
            return (
                cls(
                    **{
                        **found,
                        "inputs": RunInputs(**found["inputs"]),
                        "outcome": Outcome(**found["outcome"]),
                    }
                )
                if found
                else None
            )
        except (TypeError, KeyError):
            return None

    def write(self, home: Home) -> None:
        _write(home.last_run, asdict(self))

    @staticmethod
    def forget(home: Home) -> None:
        home.last_run.unlink(missing_ok=True)

    def still_stands(self, inputs: RunInputs) -> bool:
        """True when a run with these inputs would come to the same outcome, and what it wrote is still there."""
        if inputs != self.inputs or not all(Path(path).exists() for path in self.outcome.outputs):
            return False
        if inputs.asked_as_of is not None:
            return True
        # Without a cut-off of its own a run looks up to now. A later look sees the same when every period had ended
        # at the last look and no delivery waited behind it.
        return max(self.settled_at, self.last_collected_at) <= self.outcome.as_of


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(unfinished, path)
