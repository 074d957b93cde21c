import gzip
import itertools
import random
import resource
import subprocess
import sys

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import UnreadableFile
from pipelines.evidence.compression import check_compression, compression_of, unpacked

_draw = random.Random(1)
# The same in every process that collects tests.
LINES = b"".join(b'{"n": %d, "noise": "%s"}\n' % (n, _draw.randbytes(8).hex().encode()) for n in range(3000))
GZ = gzip.compress(LINES, mtime=0)
ZST = zstandard.ZstdCompressor(write_checksum=True).compress(LINES)
SKIPPABLE = (0x184D2A50).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"


def check(tmp_path, content, name):
    path = tmp_path / "content"
    path.write_bytes(content)
    check_compression(path, name)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (LINES, "a.ndjson"),
        (b"", "a.ndjson"),
        (GZ, "a.ndjson.gz"),
        (GZ, "A.NDJSON.GZ"),
        (GZ + GZ, "two members.gz"),
        (GZ + b"\0" * 70_000, "padded.gz"),
        (gzip.compress(b"", mtime=0), "empty member.gz"),
        (
            b"".join(gzip.compress(line, mtime=0) for line in LINES.splitlines(keepends=True)),
            "one member per line.gz",
        ),
        (ZST, "a.zst"),
        (ZST + ZST, "two frames.zst"),
        (SKIPPABLE + ZST, "pzstd.zst"),
        (GZ, "packed though its name does not say so.json"),
        (ZST, "packed though its name does not say so.json"),
        (zstandard.ZstdCompressor().compress(b""), "empty frame.zst"),
    ],
    ids=itertools.count(),
)
def test_whole_files_pass(tmp_path, content, name):
    check(tmp_path, content, name)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "a.gz", "empty"),
        (b"", "a.zst", "empty"),
        (GZ[:-1], "a.gz", "truncated"),
        (GZ[: len(GZ) // 2], "a.gz", "truncated"),
        (GZ[:1], "a.gz", "truncated"),
        (GZ + GZ[:-5], "a.gz", "truncated"),
        (GZ + GZ[:3], "a.gz", "truncated"),
        (GZ + b"not gzip", "a.gz", "follow its 1 gzip member"),
        (GZ + GZ + b"x", "a.gz", "follow its 2 gzip members"),
        (LINES, "a.gz", "drop the suffix from its name"),
        (ZST, "a.gz", "drop the suffix from its name"),
        (GZ[:-1], "a.json", "truncated"),
        (ZST[:-1], "a.json", "truncated"),
        (ZST[:-1], "a.zst", "truncated"),
        (ZST[: len(ZST) // 2], "a.zst", "truncated"),
        (ZST + ZST[:-5], "a.zst", "truncated"),
        (ZST + b"not zstd", "a.zst", "corrupt"),
        (LINES, "a.zst", "corrupt"),
    ],
    ids=itertools.count(),
)
def test_cut_and_foreign_files_are_refused_in_one_line_that_says_why(tmp_path, content, name, says):
    with pytest.raises(UnreadableFile, match=says) as refusal:
        check(tmp_path, content, name)
    assert str(refusal.value).startswith(f"{name}: ")
    assert "\n" not in str(refusal.value)


WHOLE = {"a.gz": GZ, "a.zst": ZST}


def independently_unpacked(content, name):
    return gzip.decompress(content) if name == "a.gz" else zstandard.ZstdDecompressor().decompress(content)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_a_changed_bit_is_found_unless_it_means_nothing_to_the_content(tmp_path_factory, name, where, bit):
    damaged = bytearray(WHOLE[name])
    damaged[int(where * len(damaged))] ^= 1 << bit
    try:
        check(tmp_path_factory.getbasetemp(), bytes(damaged), name)
    except UnreadableFile:
        return
    # Dates and idle flags of the headers are covered by no checksum.
    assert independently_unpacked(bytes(damaged), name) == LINES


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.floats(0, 1, exclude_max=True))
def test_any_cut_is_found(tmp_path_factory, name, where):
    with pytest.raises(UnreadableFile):
        check(tmp_path_factory.getbasetemp(), WHOLE[name][: int(where * len(WHOLE[name]))], name)


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_file_that_unfolds_to_much_more_than_memory_is_checked_in_bounded_memory(tmp_path, kind):
    bomb = tmp_path / f"bomb.{kind}"
    zeros = b"\0" * (1 << 20)
    if kind == "gz":
        with gzip.open(bomb, "wb", compresslevel=9) as file:
            for _ in range(400):
                file.write(zeros)
    else:
        with bomb.open("wb") as raw, zstandard.ZstdCompressor(level=3).stream_writer(raw) as file:
            for _ in range(400):
                file.write(zeros)
    script = (
        "import sys; from pathlib import Path; from pipelines.evidence.compression import check_compression\n"
        "check_compression(Path(sys.argv[1]), sys.argv[1])"
    )
    limit = 300 << 20
    done = subprocess.run(
        [sys.executable, "-c", script, str(bomb)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("content", [LINES, b"", GZ, GZ + GZ + b"\0" * 999, ZST, SKIPPABLE + ZST + ZST], ids=itertools.count())
def test_unpacking_goes_by_content_whatever_the_name(tmp_path, content):
    path = tmp_path / "content"
    path.write_bytes(content)
    found = b"".join(unpacked(path, "a.txt"))
    assert found == LINES * (len(found) // len(LINES))
    assert (len(found) == 0) == (content == b"")


def test_the_last_suffix_says_how_a_file_is_compressed():
    assert [compression_of(name) for name in ("a.json.gz", "a.GZ", "a.zst", "a.zstd", "a.json", "gz", "a.gz.json")] == [
        "gzip", "gzip", "zstd", "zstd", None, None, None,
    ]  # fmt: skip
