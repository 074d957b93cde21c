"""What a run tells a person while it works and at its end."""

from __future__ import annotations


class Progress:
    """Collects problems and says nothing. The command line has one that shows what happens."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def begin(self, stage: str) -> None:
        """A stage of the run starts; `stage` names it in a word or two."""

    def update(self, detail: str) -> None:
        """What the stage is doing right now."""

    def end(self, summary: str) -> None:
        """The stage is done."""

    def problem(self, line: str) -> None:
        """Something a person should know about the evidence, in one line."""
        self.problems.append(line)
