"""How fast ingest takes in the big logs, plain and packed, and in how much memory, beside the floor.

The floor is what nobody can undercut by much: one DuckDB query that projects the same named fields of the same files
to Parquet, in parallel, beside a SHA-256 of each file, and checks nothing. Ours is everything: copy, hash, read, count, judge, write, ledger. `MB` are
bytes before packing.

    python bench/ingest.py --megabytes 1000 --rounds 3
    python bench/ingest.py --feed okta/system_log --form gz
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import made_up_logs

PROJECT = Path(__file__).resolve().parent.parent

LOGS = {
    "hashicorp_vault/audit_log": (made_up_logs.write_lines, made_up_logs.vault),
    "aws/cloudtrail": (made_up_logs.write_record_files, made_up_logs.cloudtrail),
    "okta/system_log": (made_up_logs.write_lines, made_up_logs.okta),
    "entra/sign_ins": (made_up_logs.write_lines, made_up_logs.entra_sign_ins),
    "kubernetes/audit_log": (made_up_logs.write_lines, made_up_logs.kubernetes),
}
FORMS = ("plain", "gz", "gz, small files")
RECORDS_PER_FILE = {"gz, small files": 100}
"""Where a log is many files; otherwise some thousand."""


def forms(feed: str) -> tuple[str, ...]:
    """In which forms a log is measured."""
    return FORMS if LOGS[feed][0] is made_up_logs.write_record_files else FORMS[:2]


def write_log(root: Path, feed: str, size: int, form: str) -> int:
    """Put a log of about `size` bytes into the landing folder; returns its number of records."""
    packed = form != "plain"
    folder = root / "landing" / feed
    folder.mkdir(parents=True)
    write, records = LOGS[feed]
    if write is made_up_logs.write_record_files:
        count = write(folder, records, size, packed, RECORDS_PER_FILE.get(form, 4000))
    else:
        count = write(folder / f"log.ndjson{'.gz' if packed else ''}", records, size, packed)
    for file in folder.iterdir():
        # Old enough for their dates to be trusted, as after an upload.
        os.utime(file, (time.time() - 60,) * 2)
    return count


# -- the two contestants, each in a process of its own ---------------------------------------------------------------


def floor_query(root: Path, feed: str) -> str:
    """The fields that the description names, under the first of their paths, to one Parquet file."""
    from pipelines.ingest.descriptions import load_descriptions

    columns = load_descriptions()[tuple(feed.split("/"))].columns  # type: ignore[index]
    tree: dict[str, Any] = {}
    selected = []
    for column in columns:
        if not column.paths:
            # CSV alone has it.
            continue
        path = column.paths[0]
        node = tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = column
        selected.append("r." + ".".join(f'"{key}"' for key in path) + f' AS "{column.name}"')
    struct = _type(tree)
    files = f"{root}/landing/{feed}/*"
    if LOGS[feed][0] is made_up_logs.write_record_files:
        read = f"read_json('{files}', columns = {{Records: '{struct}[]'}}, maximum_object_size = 100000000)"
        rows = f"(SELECT unnest(Records) AS r FROM {read})"
    else:
        keys = ", ".join(f"\"{key}\": '{_type(value)}'" for key, value in tree.items())
        rows = f"(SELECT r FROM read_json('{files}', format = 'newline_delimited', columns = {{{keys}}}) AS r)"
    return f"COPY (SELECT {', '.join(selected)} FROM {rows}) TO '{root}/floor.parquet' (FORMAT parquet)"


def _type(node: Any) -> str:
    if isinstance(node, dict):
        return "STRUCT(" + ", ".join(f'"{key}" {_type(value)}' for key, value in node.items()) + ")"
    if not node.fields:
        return "JSON" if node.type == "json" else "VARCHAR"
    return _type({item.paths[0][0]: _Text for item in node.fields.values()}) + "[]"


class _Text:
    fields = ()
    type = "text"


def run_floor(root: Path, feed: str) -> int:
    import duckdb

    with ThreadPoolExecutor(1) as hashing:
        hashed = hashing.submit(_hash_files, root / "landing" / feed)
        count = duckdb.connect().execute(floor_query(root, feed)).fetchall()[0][0]
        hashed.result()
    return count


def _hash_files(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found.append(hashlib.file_digest(file, "sha256").hexdigest())
    return found


def run_upheld(root: Path, feed: str) -> int:
    from pipelines.home import Home
    from pipelines.ingest.ingest import ingest_landing

    summary = ingest_landing(Home.at(root))
    assert not summary.problems, summary.problems
    return summary.records_parsed


CONTESTANTS = {"floor": run_floor, "upheld": run_upheld}


def contest(name: str, root: Path, feed: str) -> dict[str, float]:
    """Seconds of work (imports excluded) and peak memory of one contestant in a new process."""
    for leftover in ("evidence", "lake", "floor.parquet"):
        path = root / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    os.sync()
    child = subprocess.Popen(
        [sys.executable, __file__, "--contestant", name, "--work", str(root), "--feed", feed],
        stdout=subprocess.PIPE, cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{name} failed")
    return json.loads(said) | {"peak_mb": usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)}


def measure(feed: str, form: str, megabytes: int, rounds: int, work: Path | None) -> None:
    """Run both in turns on one log and print a line of the table."""
    root = Path(tempfile.mkdtemp(prefix="upheld-bench-", dir=work))
    try:
        count = write_log(root, feed, megabytes * 1_000_000, form)
        # Both find the files in the page cache.
        for file in (root / "landing" / feed).iterdir():
            # Piece by piece, or the whole would count as this process's memory, and as that of its children.
            with file.open("rb") as opened:
                while opened.read(1 << 20):
                    pass
        found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
        for _ in range(rounds):
            for name, runs in found.items():
                runs.append(contest(name, root, feed))
                assert runs[-1]["records"] == count, (name, runs[-1]["records"], count)
        seconds = {name: statistics.median(run["seconds"] for run in runs) for name, runs in found.items()}
        ratio = statistics.median(
            floor["seconds"] / ours["seconds"] for floor, ours in zip(found["floor"], found["upheld"], strict=True)
        )
        peaks = {name: max(run["peak_mb"] for run in runs) for name, runs in found.items()}
        print(
            f"| {feed} | {form} | {count:,} | {megabytes / seconds['floor']:,.0f} | {megabytes / seconds['upheld']:,.0f} "
            f"| {ratio:.2f} | {peaks['floor']:,.0f} | {peaks['upheld']:,.0f} |",
            flush=True,
        )
    finally:
        shutil.rmtree(root)


def machine() -> str:
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--feed", choices=LOGS, help="one feed only")
    parser.add_argument("--form", choices=FORMS, help="one form only")
    parser.add_argument("--work", type=Path, help="a folder on the disk to measure (default: a temporary one)")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()

    if options.contestant:
        if options.contestant == "upheld":
            import pipelines.ingest.ingest
            import pipelines.warehouse
        else:
            import duckdb  # noqa: F401

            import pipelines.ingest.descriptions  # noqa: F401
        begun = time.perf_counter()
        records = CONTESTANTS[options.contestant](options.work, options.feed)
        print(json.dumps({"seconds": time.perf_counter() - begun, "records": records}))
        return

    print(f"{machine()}; {options.megabytes:,} MB each, median of {options.rounds} rounds\n")
    print("| feed | form | records | floor, MB/s | upheld, MB/s | of the floor | floor, peak MB | upheld, peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    for feed in [options.feed] if options.feed else LOGS:
        for form in [options.form] if options.form else forms(feed):
            measure(feed, form, options.megabytes, options.rounds, options.work)


if __name__ == "__main__":
    main()
