import subprocess
import sys

HEAVY = {"duckdb", "dbt", "dagster", "great_expectations", "pandas", "polars", "pyarrow", "yaml", "zstandard", "isal"}


def test_the_room_loads_nothing_heavy():
    script = (
        "import sys, pipelines.evidence.trace, pipelines.evidence.verify, pipelines.evidence.landing_index\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())


def test_the_room_knows_no_other_room():
    script = (
        "import sys, pipelines.evidence.trace, pipelines.evidence.verify, pipelines.evidence.landing_index\n"
        "print(*sorted(name for name in sys.modules if name.startswith('pipelines.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    others = {name for name in loaded.split() if not name.startswith("pipelines.evidence")}
    assert others == {"pipelines.errors", "pipelines.home"}
