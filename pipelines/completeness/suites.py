"""The questions put to the evidence, read from `expectations/*.yml`: great_expectations' own words, plus `why`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.settings import EXPECTATIONS

_NEEDED = {"id", "why", "table", "expect"}
_KNOWN = _NEEDED | {"tell"}


class BrokenSuite(Exception):
    """A suite or the table it judges is not as it must be: our bug, never failed evidence."""


@dataclass(frozen=True)
class Expectation:
    """One question to one table. It holds when all its great_expectations expectations hold.

    `tell` names the columns whose values tell a person what is wrong with a row.
    """

    id: str
    suite: str
    why: str
    table: str
    expect: tuple[Mapping[str, Any], ...]
    tell: tuple[str, ...] = ("detail",)


def load_expectations(folder: Path = EXPECTATIONS) -> list[Expectation]:
    """Every expectation of every suite, sorted by suite and in the order written. Raises BrokenSuite."""
    found: list[Expectation] = []
    for path in sorted(folder.glob("*.yml")):
        found.extend(_read(path))
    ids = [one.id for one in found]
    if repeated := sorted({one for one in ids if ids.count(one) > 1}):
        raise BrokenSuite(f"{folder}: these ids are used more than once: {', '.join(repeated)}")
    return found


def _read(path: Path) -> list[Expectation]:
    suite = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = []
    for number, entry in enumerate(suite["expectations"], start=1):
        name = f"{path.name}, expectation {number} ({entry.get('id', 'without id')})"
        if missing := sorted(_NEEDED - set(entry)):
            raise BrokenSuite(f"{name} lacks {', '.join(missing)}")
        if unknown := sorted(set(entry) - _KNOWN):
            raise BrokenSuite(
                f"{name} has unknown keys: {', '.join(unknown)}. Known: {', '.join(sorted(_KNOWN))}"
            )
        for expected in entry["expect"]:
            if set(expected) - {"type", "kwargs"} or "type" not in expected:
                raise BrokenSuite(
                    f"{name}: each line of expect has a type and kwargs, found {sorted(expected)}"
                )
        found.append(
            Expectation(
                id=entry["id"],
                suite=path.stem,
                why=" ".join(entry["why"].split()),
                table=entry["table"],
                expect=tuple(entry["expect"]),
                tell=tuple(entry.get("tell", ("detail",))),
            )
        )
    return found
