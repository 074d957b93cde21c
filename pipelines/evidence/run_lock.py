"""One run at a time per home."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UserMistake
from pipelines.evidence.originals import remove_unfinished_copies
from pipelines.home import Home

_TRIES = 20
_held: dict[Path, _Hold] = {}
_guard = threading.Lock()


@dataclass
class _Hold:
    descriptor: int
    times: int


@contextmanager
def run_lock(home: Home) -> Iterator[None]:
    """Hold the home for one run. A process that already holds it may take it again (a command and a step in it).

    Raises UserMistake, naming the process that holds it, when another run is at work. The lock is the kernel's:
    it ends with its process, so a crash leaves nothing to clean up but half copies, which are removed here.
    """
    with _guard:
        hold = _held.get(home.lock)
        if hold is None:
            hold = _held[home.lock] = _Hold(_locked(home), 0)
            remove_unfinished_copies(home)
        hold.times += 1
    try:
        yield
    finally:
        with _guard:
            hold.times -= 1
            if not hold.times:
                del _held[home.lock]
                os.ftruncate(hold.descriptor, 0)
                os.close(hold.descriptor)


def another_run_is_at_work(home: Home) -> bool:
    """Whether another process holds the home now."""
    if home.lock in _held:
        return False
    try:
        descriptor = os.open(home.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _locked(home: Home) -> int:
    home.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            if holder:
                break
            # No name in it: either that run is just starting, or someone is only looking whether one is at work.
            time.sleep(0.01)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
            return descriptor
    os.close(descriptor)
    raise UserMistake(
        f"Another run (process {holder or 'unknown'}) is at work in {home.root}; wait until it is done."
    )
