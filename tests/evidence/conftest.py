import pytest
from evidence_room import EvidenceRoom


@pytest.fixture
def room(tmp_path):
    return EvidenceRoom(tmp_path / "home")
