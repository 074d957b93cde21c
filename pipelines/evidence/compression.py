"""Packed exports, unpacked as a stream and proved whole: read to their end, checksums verified, in bounded memory.

Readers downstream stop quietly at a cut, and none of them checks the CRC; so this happens before any reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipelines.errors import UnreadableFile

Compression = Literal["gzip", "zstd"]

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_PLAIN_READ = 1 << 18
# Small: the decoder copies what it has not used yet at the end of every member, and logs can hold a member per line.
_PACKED_READ = 32 << 10
_UNPACKED_AT_ONCE = 1 << 20
# A zstd block of 4 bytes can unfold to 128 KiB and the decoder returns all of it at once, so the input is cut small.
_ZSTD_AT_ONCE = 1 << 10


def compression_of(name: str) -> Compression | None:
    """How a file of this name says it is packed, by its last suffix."""
    lower = name.lower()
    if lower.endswith(".gz"):
        return "gzip"
    if lower.endswith((".zst", ".zstd")):
        return "zstd"
    return None


def compression_of_content(start: bytes) -> Compression | None:
    """How content that begins with these four bytes is packed."""
    if start.startswith(_GZIP_MAGIC):
        return "gzip"
    # The second is a frame to be skipped, which parallel packers put first.
    if start.startswith(_ZSTD_MAGIC) or (start[1:4] == b"\x2a\x4d\x18" and 0x50 <= start[0] <= 0x5F):
        return "zstd"
    return None


def check_compression(path: Path, name: str) -> None:
    """Read a packed file to its end. `name` is the original name; a file that neither is nor claims to be packed passes.

    Raises UnreadableFile when it is cut short, corrupt, followed by anything but more of the same, or not packed as
    its name says.
    """
    with path.open("rb") as file:
        start = file.read(4)
    claimed, found = compression_of(name), compression_of_content(start)
    if claimed is not None and claimed != found:
        raise UnreadableFile(_not_as_named(name, claimed, start))
    if found is not None:
        for _ in unpacked(path, name):
            pass


def unpacked(path: Path, name: str) -> Iterator[bytes]:
    """The content in pieces of about 1 MiB, unpacked when it is packed, whatever the name says.

    Raises UnreadableFile as soon as packed data turns out cut or corrupt; what came before is not to be relied on.
    """
    with path.open("rb") as file:
        compression = compression_of_content(file.read(4))
    if compression == "gzip":
        return _gunzipped(path, name)
    if compression == "zstd":
        return _unzstd(path, name)
    return _plain(path)


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_PLAIN_READ):
            yield chunk


def _gunzipped(path: Path, name: str) -> Iterator[bytes]:
    # Twice as fast as Python's own. Imported here: the room must load quickly where nothing is packed.
    from isal import isal_zlib

    members = 0
    member = None
    with path.open("rb", buffering=0) as file:
        while packed := file.read(_PACKED_READ):
            while packed:
                if member is None:
                    # Padding with zero bytes up to a block's end is usual on tape, and harmless.
                    packed = packed.lstrip(b"\0") if members else packed
                    if not packed:
                        break
                    if packed[:2] != _GZIP_MAGIC[: len(packed)]:
                        raise UnreadableFile(
                            f"{name}: corrupt: bytes that are no gzip data follow its {members} gzip "
                            f"member{'s'[: members > 1]}."
                        )
                    member = isal_zlib.decompressobj(wbits=31)
                try:
                    content = member.decompress(packed, _UNPACKED_AT_ONCE)
                except isal_zlib.error as problem:
                    raise UnreadableFile(f"{name}: corrupt gzip data ({problem}).") from problem
                packed = member.unconsumed_tail
                if member.eof:
                    packed = member.unused_data
                    members += 1
                    member = None
                if content:
                    yield content
        if member is not None:
            raise UnreadableFile(
                f"{name}: truncated: the gzip data ends in the middle, after {file.tell()} bytes."
            )


def _unzstd(path: Path, name: str) -> Iterator[bytes]:
    # Imported here: the room must load quickly where nothing is zstd.
    import zstandard

    decoder = zstandard.ZstdDecompressor()
    frame = decoder.decompressobj()
    with path.open("rb", buffering=0) as file:
        while packed := file.read(_PACKED_READ):
            left = memoryview(packed)
            while left:
                if frame.eof:
                    frame = decoder.decompressobj()
                piece = left[:_ZSTD_AT_ONCE]
                try:
                    content = frame.decompress(piece)
                except zstandard.ZstdError as problem:
                    raise UnreadableFile(f"{name}: corrupt zstd data ({problem}).") from problem
                left = left[len(piece) - (len(frame.unused_data) if frame.eof else 0) :]
                if content:
                    yield content
        if not frame.eof:
            raise UnreadableFile(
                f"{name}: truncated: the zstd data ends in the middle, after {file.tell()} bytes."
            )


def _not_as_named(name: str, claimed: Compression, start: bytes) -> str:
    if not start:
        return f"{name}: the file is empty; expected {claimed} data."
    if len(start) < 4:
        return f"{name}: truncated: {len(start)} bytes; expected {claimed} data."
    return (
        f"{name}: corrupt, or not packed: expected {claimed} data, found something else at the first byte. "
        "If a download tool unpacked it, drop the suffix from its name."
    )
