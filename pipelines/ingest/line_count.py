"""Counts the lines of a file while its bytes pass by, to hold the number of its rows against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_LONG_LINE = 100


class LineCount:
    """How many rows a file of lines must have if each line is one: all but blank lines after the last record."""

    def __init__(self) -> None:
        self._ended = 0
        self._tail = b""
        self._has_long_lines = False

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, counted on their way."""
        for chunk in chunks:
            self.add(chunk)
            yield chunk

    def add(self, chunk: bytes) -> None:
        """Count what comes next."""
        ended = _removed(chunk) if self._has_long_lines else chunk.count(b"\n")
        self._has_long_lines = len(chunk) > _LONG_LINE * ended
        self._ended += ended
        self._tail = chunk if len(chunk) >= 64 else self._tail[-64:] + chunk

    @property
    def lines_to_expect(self) -> int:
        """Of what was counted so far."""
        tail = self._tail
        blank_end = tail[len(tail.rstrip()) :]
        unended = 0 if tail.endswith(b"\n") or not tail else 1
        # Of the line ends after the last record, the first is its own; what follows are blank lines.
        return self._ended + unended - max(0, blank_end.count(b"\n") + unended - 1 if blank_end else 0)


def _removed(chunk: bytes) -> int:
    """How many line feeds there are. count() looks at every byte; where lines are long, to leave them out takes a fifth."""
    return len(chunk) - len(chunk.replace(b"\n", b""))
