"""What assets share: the knowledge cut-off of their run, and who is told what happens."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from pipelines.evidence import instants

WRITERS = "home"
"""The pool of everything that writes to the home: one run at a time."""


class KnowledgeCutOff(dg.ConfigurableResource):
    """Evidence collected after `as_of` (RFC 3339) isn't used. Empty: the instant at which the run was created."""

    as_of: str | None = None

    def instant(self, context: dg.AssetExecutionContext) -> str:
        """The cut-off as RFC 3339 UTC with microseconds; the same for every step of one run."""
        if self.as_of:
            return instants.written(instants.read(self.as_of))
        record = context.instance.get_run_record_by_id(context.run.run_id)
        return instants.written(record.create_timestamp if record else datetime.now(UTC))
