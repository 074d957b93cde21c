"""`python -m pipelines.orchestration.ui`: Dagster's web interface for one home, on this machine only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines.orchestration.instance import prepare
from pipelines.settings import HOME_VARIABLE, PROJECT, home_in_environment, keep_quiet


def main() -> None:
    """Become `dagster dev`, with the home's own records. Further arguments go to it as they are."""
    keep_quiet()
    home = home_in_environment()
    prepare(home)
    os.environ[HOME_VARIABLE] = str(home.root)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    dagster = Path(sys.executable).with_name("dagster")
    os.chdir(PROJECT)
    os.execv(dagster, [str(dagster), "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", *sys.argv[1:]])


if __name__ == "__main__":
    main()
