"""The hashes a bundle is known by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path


def file_digests(folder: Path) -> dict[str, str]:
    """Path below `folder`, with `/` -> SHA-256 in hex, sorted by path."""
    paths = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: path.relative_to(folder).as_posix(),
    )
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_digest(digests: Mapping[str, str]) -> str:
    """SHA-256 over the sorted `sha256  path` lines of the files in data/: what `sha256sum data/* | sort` prints."""
    lines = sorted(f"{digest}  {path}\n" for path, digest in digests.items() if path.startswith("data/"))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
