"""Whether a compressed export is whole: read to its end, checksums verified, in bounded memory.

Readers downstream stop quietly at a cut, and none of them checks the CRC; so this happens before any reading.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO, Literal

from pipelines.errors import UnreadableFile

Compression = Literal["gzip", "zstd"]

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Small: zlib copies what it has not used yet at the end of every member, and logs can hold a member per line.
_READ = 32 << 10
_INFLATED_AT_ONCE = 1 << 20
# A zstd block of 4 bytes can unfold to 128 KiB and the decoder returns all of it at once, so the input is cut small.
_ZSTD_INPUT_AT_ONCE = 1 << 10


def compression_of(name: str) -> Compression | None:
    """How a file of this name is compressed, by its last suffix."""
    lower = name.lower()
    if lower.endswith(".gz"):
        return "gzip"
    if lower.endswith((".zst", ".zstd")):
        return "zstd"
    return None


def check_compression(path: Path, name: str) -> None:
    """Read a compressed file to its end. `name` is the original name: its suffix says how it is compressed.

    Raises UnreadableFile when it is cut short, corrupt, followed by anything but more of the same, not compressed
    as its name says, or compressed although its name does not say so.
    """
    compression = compression_of(name)
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if compression is None:
            _refuse_unnamed_compression(start, name)
        elif not start:
            raise UnreadableFile(f"{name}: the file is empty; expected {compression} data.")
        elif compression == "gzip":
            _check_gzip(file, name, start)
        else:
            _check_zstd(file, name)


def _refuse_unnamed_compression(start: bytes, name: str) -> None:
    for magic, suffix in ((_GZIP_MAGIC, ".gz"), (_ZSTD_MAGIC, ".zst")):
        if start.startswith(magic):
            raise UnreadableFile(
                f"{name}: the content is compressed but the name does not end in {suffix}; rename it."
            )


def _check_gzip(file: BinaryIO, name: str, start: bytes) -> None:
    if not start.startswith(_GZIP_MAGIC[: len(start)]):
        raise UnreadableFile(
            f"{name}: expected gzip data, found something else at the first byte; "
            "if a download tool unpacked it, drop .gz from its name."
        )
    members = 0
    pending = b""
    position = 0
    while True:
        if not pending:
            pending = file.read(_READ)
            position += len(pending)
        if members:
            if not pending:
                return
            # Padding with zero bytes up to a block's end is usual on tape, and harmless.
            pending = pending.lstrip(b"\0")
            if not pending:
                continue
        member = zlib.decompressobj(wbits=31)
        try:
            while not member.eof:
                if not pending:
                    pending = file.read(_READ)
                    position += len(pending)
                    if not pending:
                        raise UnreadableFile(
                            f"{name}: truncated: the gzip data ends in the middle, after {position} bytes."
                        )
                member.decompress(pending, _INFLATED_AT_ONCE)
                pending = member.unused_data if member.eof else member.unconsumed_tail
        except zlib.error as problem:
            if members and "incorrect header check" in str(problem):
                raise UnreadableFile(_after_the_end(name, members)) from problem
            raise UnreadableFile(f"{name}: corrupt gzip data ({problem}).") from problem
        members += 1


def _after_the_end(name: str, members: int) -> str:
    return (
        f"{name}: corrupt: bytes that are no gzip data follow its {members} gzip member{'s'[: members > 1]}."
    )


def _check_zstd(file: BinaryIO, name: str) -> None:
    # Imported here: the room must load quickly where nothing is zstd.
    import zstandard

    decoder = zstandard.ZstdDecompressor()
    frame = decoder.decompressobj()
    whole = False
    while chunk := file.read(_READ):
        pending = memoryview(chunk)
        while pending:
            if frame.eof:
                frame = decoder.decompressobj()
            try:
                frame.decompress(pending[:_ZSTD_INPUT_AT_ONCE])
            except zstandard.ZstdError as problem:
                raise UnreadableFile(f"{name}: corrupt zstd data ({problem}).") from problem
            taken = min(_ZSTD_INPUT_AT_ONCE, len(pending)) - (len(frame.unused_data) if frame.eof else 0)
            pending = pending[taken:]
        whole = frame.eof
    if not whole:
        raise UnreadableFile(
            f"{name}: truncated: the zstd data ends in the middle, after {file.tell()} bytes."
        )
