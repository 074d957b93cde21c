"""The notebook reads the same made-up warehouse as the report tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "reports"))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from made_up_warehouse import make_home

    return make_home(tmp_path_factory.mktemp("home")).root
