"""Is a bundle still what was written, and does it say what its own rows say? Needs nothing but the bundle's folder.

Plain Python, offline, without the warehouse: an auditor runs this on a machine that has never seen the company.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import UserMistake
from pipelines.evidence.findings import Finding
from pipelines.reports.canonical import read_canonical_json
from pipelines.reports.data_files import faults_of_form, rows_of
from pipelines.reports.digests import data_digest, sha256_of
from pipelines.reports.recomputation import faults_of_coverage, faults_of_deviations, faults_of_operations
from pipelines.reports.revisions import MANIFEST_NAME
from pipelines.reports.sampling import faults_of_samples, plan_of
from pipelines.reports.signature import ENVELOPE_NAME, faults_of_envelope, signer_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:upheld:audit-report:1"

# Without these nothing can be computed again.
_NEEDED = (
    "data/control_coverage.csv",
    "data/control_operations.csv",
    "data/deviations.csv",
    "data/evidence_files.csv",
    "data/expectations.csv",
    "data/samples.csv",
)
_TOLD_FAULTS = 5


@dataclass(frozen=True)
class Anchor:
    """What the reader trusts and did not find in the bundle: a public key, or the manifest's SHA-256 noted elsewhere."""

    key: Ed25519PublicKey | None = None
    manifest_sha256: str | None = None

    def __bool__(self) -> bool:
        return self.key is not None or self.manifest_sha256 is not None


@dataclass(frozen=True)
class LedgerPlace:
    """The place in the ledger that a bundle noted: how many entries there were, and the hash of the last."""

    entry: int
    entry_hash: str


@dataclass(frozen=True)
class Manifest:
    """What a manifest says, as far as it can be held against something."""

    period_id: str
    files: dict[str, str]
    data_digest: str
    conclusions: dict[str, str]
    sampling: dict[str, Any]
    ledger_place: LedgerPlace | None
    sealed_warehouse: str | None


@dataclass
class CheckedBundle:
    """A bundle's faults, and its manifest where that could be read."""

    findings: list[Finding] = field(default_factory=list)
    manifest: Manifest | None = None
    signer: str | None = None


def is_bundle(folder: Path) -> bool:
    """Whether `folder` is, or was, a bundle: whoever takes the manifest away does not make it something else."""
    told = (MANIFEST_NAME, ENVELOPE_NAME, "data/control_operations.csv", "data/control_coverage.csv")
    return any((folder / name).is_file() for name in told)


def check_bundle(folder: Path, anchor: Anchor) -> CheckedBundle:
    """Hold a bundle against its manifest, the manifest against the anchor, and the figures against the rows.

    Every fault names a file of the bundle. Where data files are not the written ones, their contents are not looked at.
    """
    checked = CheckedBundle()
    raw = _bytes(folder / MANIFEST_NAME)
    if raw is None:
        checked.findings.append(
            Finding("missing", MANIFEST_NAME, "is not there: nothing says what belongs here.")
        )
        return checked
    checked.findings += _anchored(folder, raw, anchor)
    sealed_with = _bytes(folder / ENVELOPE_NAME)
    checked.signer = signer_of(sealed_with) if sealed_with is not None else None
    try:
        manifest = checked.manifest = read_manifest(raw)
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        detail = f"is no manifest of a bundle ({type(problem).__name__}: {problem})."
        checked.findings.append(Finding("altered", MANIFEST_NAME, detail))
        return checked
    checked.findings += _files(folder, manifest)
    if not any(finding.where.startswith("data/") for finding in checked.findings):
        checked.findings += _contents(folder, manifest)
    checked.findings.sort()
    return checked


def _anchored(folder: Path, raw: bytes, anchor: Anchor) -> Iterator[Finding]:
    """Whether the manifest is the one that the anchor vouches for."""
    found = hashlib.sha256(raw).hexdigest()
    if anchor.manifest_sha256 not in (None, found):
        detail = f"is not the noted one: its SHA-256 is {found}, noted was {anchor.manifest_sha256}."
        yield Finding("altered", MANIFEST_NAME, detail)
    signed = _bytes(folder / ENVELOPE_NAME)
    if signed is not None:
        for fault in faults_of_envelope(signed, raw, anchor.key):
            yield Finding("signature", ENVELOPE_NAME, fault)
            if "manifest" in fault:
                yield Finding("altered", MANIFEST_NAME, f"is not what was signed; {ENVELOPE_NAME} {fault}")
    elif anchor.key is not None:
        yield Finding("signature", ENVELOPE_NAME, f"is not there: nothing vouches for {MANIFEST_NAME}.")


def read_manifest(raw: bytes) -> Manifest:
    """What a manifest says. Raises ValueError, KeyError, TypeError or RecursionError where it is none."""
    content = read_canonical_json(raw)
    if (content["_type"], content["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError(f"it is a {content['_type']} about {content['predicateType']}")
    predicate = content["predicate"]
    files = {str(each["name"]): str(each["digest"]["sha256"]) for each in content["subject"]}
    if len(files) != len(content["subject"]):
        raise ValueError("it names a file twice")
    head, seal = predicate["ledger_head"], predicate["seal"]
    return Manifest(
        period_id=str(predicate["period"]["period_id"]),
        files=files,
        data_digest=str(predicate["data_digest"]["sha256"]),
        conclusions={str(key): str(value) for key, value in predicate["conclusions"].items()},
        sampling=dict(predicate["sampling"]),
        ledger_place=LedgerPlace(int(head["entry"]), str(head["entry_hash"])) if head else None,
        sealed_warehouse=str(seal["warehouse"]["digest"]["sha256"]) if seal else None,
    )


# -- the files ----------------------------------------------------------------------------------------------------


def _files(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    own = {MANIFEST_NAME, ENVELOPE_NAME}
    folders = {
        parent.as_posix()
        for name in manifest.files
        for parent in Path(name).parents
        if parent.as_posix() != "."
    }
    for name in sorted({*manifest.files, *_NEEDED} - there.keys()):
        named = (
            "is in the manifest but not there."
            if name in manifest.files
            else "is not there; no bundle is without it."
        )
        yield Finding("missing", name, named)
    for name, path in sorted(there.items()):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            if name not in folders:
                yield Finding("extra", name, "is not in the manifest.")
        elif name not in manifest.files:
            if name not in own:
                yield Finding("extra", name, "is not in the manifest.")
        elif not stat.S_ISREG(mode):
            yield Finding("altered", name, "is no regular file.")
        elif (found := sha256_of(path)) != manifest.files[name]:
            yield Finding("altered", name, f"was altered: its SHA-256 is {found} now.")


# -- what the files say ---------------------------------------------------------------------------------------------


def _contents(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """Form and figures of files that are as the manifest has them: whoever wrote both is held to the rules, too."""
    digest = data_digest(manifest.files)
    if digest != manifest.data_digest:
        yield Finding(
            "figures", MANIFEST_NAME, f"data_digest is {manifest.data_digest}; its files give {digest}."
        )
    yield from _rendered(folder, manifest.files, digest)
    malformed = [
        Finding("form", name, fault)
        for name in sorted(manifest.files)
        if name.endswith(".csv")
        for fault in _few(faults_of_form(folder / name))
    ]
    yield from malformed
    if not malformed:
        yield from _figures(folder, manifest)


def _figures(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    def rows(name: str) -> Iterator[dict[str, str]]:
        return rows_of(folder / "data" / f"{name}.csv")

    def conclusions() -> Iterator[str]:
        told = {row["control_id"]: row["conclusion"] for row in rows("control_coverage")}
        if told != manifest.conclusions:
            yield "conclusions are not those of data/control_coverage.csv."

    checks: dict[str, Callable[[], Iterator[str]]] = {
        "data/control_coverage.csv": lambda: faults_of_coverage(
            rows("control_coverage"), rows("control_operations"), rows("expectations")
        ),
        "data/control_operations.csv": lambda: faults_of_operations(
            rows("control_operations"), rows("evidence_files"), manifest.period_id
        ),
        "data/deviations.csv": lambda: faults_of_deviations(rows("deviations"), rows("control_operations")),
        "data/samples.csv": lambda: faults_of_samples(
            rows("samples"),
            folder / "data" / "control_operations.csv",
            plan_of(manifest.sampling, "sampling"),
        ),
        MANIFEST_NAME: conclusions,
    }
    for name, faults in checks.items():
        try:
            yield from (Finding("figures", name, fault) for fault in _few(faults()))
        except (KeyError, ValueError, TypeError, UserMistake) as problem:
            yield Finding("form", name, f"can't be computed again ({type(problem).__name__}: {problem}).")


def _rendered(folder: Path, names: dict[str, str], digest: str) -> Iterator[Finding]:
    """Whether the pages name the data they were made from."""
    for name in sorted(names):
        says = _SAYS.get(Path(name).suffix)
        if says is None or name.startswith("data/"):
            continue
        if not says(folder / name, digest.encode()):
            yield Finding("figures", name, f"does not name the data it was made from: {digest}.")


def _says_plainly(path: Path, digest: bytes) -> bool:
    return digest in path.read_bytes()


def _says_zipped(path: Path, digest: bytes) -> bool:
    try:
        with zipfile.ZipFile(path) as parts:
            return any(digest in parts.read(part) for part in parts.namelist())
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError):
        return False


_SAYS = {".html": _says_plainly, ".json": _says_plainly, ".pdf": _says_plainly, ".xlsx": _says_zipped}


def _few(faults: Iterator[str]) -> Iterator[str]:
    """The first few; a file that is wrong throughout need not say so in each line."""
    more = 0
    for number, fault in enumerate(faults):
        if number < _TOLD_FAULTS:
            yield fault
        else:
            more += 1
    if more:
        yield f"and {more:,} more faults of this kind."


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
