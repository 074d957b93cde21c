import json
from datetime import UTC, datetime

import pytest

from pipelines.errors import UnreadableFile
from pipelines.evidence.sidecar import Sidecar, read_sidecar


def read(tmp_path, content):
    path = tmp_path / "users.csv.manifest.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_sidecar(path)


def test_every_declaration_is_read_with_its_type(tmp_path):
    declared = {
        "collected_at": "2026-03-02T13:00:00+01:00",
        "window_start": "2026-02-23T00:00:00Z",
        "window_end": "2026-03-02T00:00:00Z",
        "record_count": 12,
        "sha256": "AB" * 32,
        "query": "status eq ACTIVE",
        "filtered": True,
        "snapshot_id": "s-1",
        "collected_by": "export job",
    }
    assert read(tmp_path, declared) == Sidecar(
        collected_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        window_start=datetime(2026, 2, 23, tzinfo=UTC),
        window_end=datetime(2026, 3, 2, tzinfo=UTC),
        record_count=12,
        sha256="ab" * 32,
        query="status eq ACTIVE",
        filtered=True,
        snapshot_id="s-1",
        collected_by="export job",
    )


def test_everything_is_optional_and_null_declares_nothing(tmp_path):
    assert read(tmp_path, {}) == Sidecar()
    assert read(tmp_path, {"collected_at": None, "filtered": None}) == Sidecar()
    assert read(tmp_path, b"\xef\xbb\xbf{}") == Sidecar()


def test_a_key_that_means_nothing_is_named_because_it_may_be_a_misspelt_one(tmp_path):
    assert read(tmp_path, {"filterd": True}).unknown_keys == ("filterd",)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("collected_at", "2026-03-02"),
        ("collected_at", 1772451900),
        ("window_end", "tomorrow"),
        ("record_count", -1),
        ("record_count", True),
        ("record_count", 12.0),
        ("record_count", "12"),
        ("record_count", 1 << 63),
        ("sha256", "ab"),
        ("filtered", "yes"),
        ("filtered", 1),
        ("query", {"status": "ACTIVE"}),
        ("snapshot_id", 7),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_the_name_of_its_key(tmp_path, key, value):
    with pytest.raises(UnreadableFile, match=f"^users.csv.manifest.json: {key}: "):
        read(tmp_path, {key: value})


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(UnreadableFile, match=r"record_count: .*; filtered: "):
        read(tmp_path, {"record_count": "many", "filtered": "no"})


def test_a_window_that_ends_before_it_starts_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="window_end"):
        read(tmp_path, {"window_start": "2026-03-02T00:00:00Z", "window_end": "2026-03-01T00:00:00Z"})


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b'{"filtered": true', b"\xff\xfe{}", b"[" * 100_000, b" " * (1 << 20) + b"{} ",
     b'{"filtered": true, "filtered": false}', b'{"record_count": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_no_small_json_object_is_refused_in_one_line(tmp_path, content):
    with pytest.raises(UnreadableFile) as refusal:
        read(tmp_path, content)
    assert "\n" not in str(refusal.value)
