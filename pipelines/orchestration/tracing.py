"""`upheld trace`: one operation, the rule it was judged by, and its evidence. Plain Python; needs no warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from pipelines.evidence.trace import Trace, trace
from pipelines.home import Home
from pipelines.ingest.descriptions import load_descriptions
from pipelines.ingest.masking import shown
from pipelines.settings import DBT_PROJECT


def trace_operation(home: Home, operation_id: str) -> Trace:
    """The operation's row and its evidence records, masked as their feeds demand.

    Raises UserMistake when no report holds the operation.
    """
    descriptions = load_descriptions()
    return trace(
        home,
        operation_id,
        shown=lambda system, feed, record: shown(descriptions[system, feed], record),
        reading=lambda system, feed: (descriptions[system, feed].signs, descriptions[system, feed].shapes),
    )


def rule_of(control_id: str) -> Iterator[str]:
    """The rule of a control in its own description's words, line by line."""
    for path in sorted((DBT_PROJECT / "models" / "controls").glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            control: dict[str, Any] = model.get("config", {}).get("meta", {}).get("control", {})
            if control.get("id") == control_id:
                yield f"Rule {control_id}: {control.get('title', '')}"
                for key in ("objective", "operation_is", "operated_when"):
                    if control.get(key):
                        yield f"  {key.replace('_', ' '):<16} {' '.join(str(control[key]).split())}"
