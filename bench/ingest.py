"""How fast ingest takes in one large Vault audit log, and in how much memory, beside the floor.

The floor is what nobody can undercut by much: one hand-written DuckDB query that projects the same fields of the same
file to Parquet and checks nothing. Ours is everything: copy, hash, read, count, judge, write, ledger.

    python bench/ingest.py --megabytes 2000 --rounds 5
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLACE = Path("landing", "hashicorp_vault", "audit_log", "audit.ndjson")

_FLOOR = """
COPY (
    SELECT time, type, request.id AS request_id, request.operation, request.path, request.mount_type,
        request.mount_point, request.namespace.path AS namespace_path, error AS has_error,
        auth.display_name AS auth_display_name, auth.entity_id AS auth_entity_id,
        auth.metadata.role_name AS auth_role_name,
        auth.metadata.service_account_name AS auth_service_account_name, response.data.version AS response_version,
        response.data.metadata.version AS response_read_version, request.data.versions AS request_versions
    FROM read_json('{source}', format = 'newline_delimited', columns = {{
        time: 'VARCHAR', type: 'VARCHAR', error: 'VARCHAR',
        request: 'STRUCT(id VARCHAR, operation VARCHAR, path VARCHAR, mount_type VARCHAR, mount_point VARCHAR,
            namespace STRUCT(path VARCHAR), data STRUCT(versions BIGINT[]))',
        auth: 'STRUCT(display_name VARCHAR, entity_id VARCHAR,
            metadata STRUCT(role_name VARCHAR, service_account_name VARCHAR))',
        response: 'STRUCT(data STRUCT(version BIGINT, metadata STRUCT(version BIGINT)))'
    }})
) TO '{target}' (FORMAT parquet)
"""


def write_log(target: Path, size: int, seed: int = 7) -> int:
    """Write a Vault audit log of about `size` bytes, the same for the same seed; returns its number of lines."""
    draw = random.Random(seed)

    def hexadecimal(digits: int) -> str:
        return f"{draw.getrandbits(4 * digits):0{digits}x}"

    callers = [
        (f"app{n:03d}", *(hexadecimal(digits) for digits in (64, 64, 32))) for n in range(200)
    ]
    paths = [f"kv/data/team{n % 17}/service{n:04d}" for n in range(1500)]
    operations = ["read"] * 80 + ["update"] * 8 + ["create"] * 2 + ["list"] * 8 + ["delete"] * 2
    start, micros, written, count = datetime(2026, 1, 1), 0, 0, 0
    with target.open("wb") as file:
        while written < size:
            block = []
            for _ in range(2000):
                name, token, accessor, entity = draw.choice(callers)
                operation = draw.choice(operations)
                micros += draw.randrange(2000, 900_000)
                when = (start + timedelta(microseconds=micros)).isoformat(timespec="microseconds")
                auth = (
                    f'{{"accessor":"hmac-sha256:{accessor}","client_token":"hmac-sha256:{token}","display_name":'
                    f'"approle-{name}","entity_id":"{entity}","metadata":{{"role_name":"{name}"}},"policies":["default",'
                    '"app"],"policy_results":{"allowed":true,"granting_policies":[{"name":"app","namespace_id":"root",'
                    '"type":"acl"}]},"token_issue_time":"2026-01-01T00:00:00Z","token_ttl":3600,"token_type":"service"}'
                )
                request = (
                    f'{{"client_id":"{entity}","client_token":"hmac-sha256:{token}","client_token_accessor":'
                    f'"hmac-sha256:{accessor}","id":"{hexadecimal(32)}","mount_accessor":"kv_1a2b","mount_class":"secret",'
                    '"mount_point":"kv/","mount_running_version":"v0.21.0+builtin","mount_type":"kv","namespace":{"id":'
                    f'"root"}},"operation":"{operation}","path":"{draw.choice(paths)}","remote_address":'
                    f'"10.2.{draw.randrange(256)}.{draw.randrange(256)}","remote_port":{draw.randrange(1024, 65535)}}}'
                )
                response = _response(operation, token, accessor, draw.randrange(1, 40))
                block.append(f'{{"auth":{auth},"request":{request},"time":"{when}Z","type":"request"}}\n')
                block.append(
                    f'{{"auth":{auth},"request":{request},"response":{response},"time":"{when[:-1]}9Z","type":"response"}}\n'
                )
            text = "".join(block).encode()
            file.write(text)
            written += len(text)
            count += len(block)
    return count


def _response(operation: str, token: str, accessor: str, version: int) -> str:
    mount = '"mount_point":"kv/","mount_type":"kv"'
    metadata = (
        f'{{"created_time":"hmac-sha256:{accessor}","custom_metadata":null,"deletion_time":"","destroyed":false,'
        f'"version":{version}}}'
    )
    if operation == "read":
        return f'{{"data":{{"data":{{"password":"hmac-sha256:{token}"}},"metadata":{metadata}}},{mount}}}'
    if operation in ("update", "create"):
        return f'{{"data":{metadata},{mount}}}'
    return f"{{{mount}}}"


# -- the two contestants, each in a process of its own ---------------------------------------------------------------


def run_floor(root: Path) -> int:
    import duckdb

    connection = duckdb.connect()
    statement = _FLOOR.format(source=root / PLACE, target=root / "floor.parquet")
    return connection.execute(statement).fetchall()[0][0]


def run_upheld(root: Path) -> int:
    from pipelines.home import Home
    from pipelines.ingest.ingest import ingest_landing

    summary = ingest_landing(Home.at(root))
    assert not summary.problems, summary.problems
    return summary.records_parsed


CONTESTANTS = {"floor": run_floor, "upheld": run_upheld}


def contest(name: str, root: Path) -> dict[str, float]:
    """Seconds of work (imports excluded) and peak memory of one contestant in a new process."""
    for leftover in ("evidence", "lake", "floor.parquet"):
        path = root / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    os.sync()
    child = subprocess.Popen(
        [sys.executable, __file__, "--contestant", name, "--work", str(root)],
        stdout=subprocess.PIPE, cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name} failed")
    return json.loads(said) | {
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10),
    }


def _machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="a folder on the disk to measure (default: a temporary one)")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()

    if options.contestant:
        if options.contestant == "upheld":
            import pipelines.ingest.ingest
            import pipelines.warehouse  # noqa: F401
        else:
            import duckdb  # noqa: F401
        begun = time.perf_counter()
        records = CONTESTANTS[options.contestant](options.work)
        print(json.dumps({"seconds": time.perf_counter() - begun, "records": records}))
        return

    root = Path(tempfile.mkdtemp(prefix="upheld-bench-", dir=options.work))
    try:
        log = root / PLACE
        log.parent.mkdir(parents=True)
        count = write_log(log, options.megabytes * 1_000_000)
        size = log.stat().st_size
        # The log is old enough for its dates to be trusted, and in the page cache, as after an upload.
        os.utime(log, (time.time() - 60,) * 2)
        time.sleep(2.5)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
        for _ in range(options.rounds):
            for name, runs in found.items():
                runs.append(contest(name, root))
                assert runs[-1]["records"] == count
        print(f"{_machine()}; {size / 1e6:,.0f} MB, {count:,} records; median of {options.rounds} rounds\n")
        print("| | seconds | MB/s | processor seconds | peak memory, MB |\n|---|---|---|---|---|")
        medians = {}
        for name, runs in found.items():
            medians[name] = statistics.median(run["seconds"] for run in runs)
            print(
                f"| {name} | {medians[name]:.2f} | {size / medians[name] / 1e6:,.0f} | "
                f"{statistics.median(run['cpu'] for run in runs):.2f} | {max(run['peak_mb'] for run in runs):,.0f} |"
            )
        ratios = [
            floor["seconds"] / ours["seconds"] for floor, ours in zip(found["floor"], found["upheld"], strict=True)
        ]
        print(f"\nupheld reaches {statistics.median(ratios):.2f} of the floor's speed (rounds: "
              f"{', '.join(f'{ratio:.2f}' for ratio in ratios)})")  # fmt: skip
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
