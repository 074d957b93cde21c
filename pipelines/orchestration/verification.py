"""`upheld verify`: what a path is, and whether it is still what it was. Plain Python."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.errors import UserMistake
from pipelines.evidence.findings import Finding
from pipelines.evidence.ledger import entries_of, verify_chain
from pipelines.evidence.verify import verify_home
from pipelines.home import Home
from pipelines.reports.data_files import rows_of
from pipelines.reports.digests import sha256_of
from pipelines.reports.revisions import MANIFEST_NAME
from pipelines.reports.signature import key_id, trusted_key
from pipelines.reports.verify import (
    Anchor,
    CheckedBundle,
    LedgerPlace,
    Manifest,
    check_bundle,
    is_bundle,
    read_manifest,
)


@dataclass(frozen=True)
class Verification:
    """What was verified, in words; every fault; and what could not be told from what was given."""

    what: str
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_plain(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "verified": self.what,
            "faults": [vars(finding) for finding in self.findings],
            "notes": self.notes,
        }


def verify(
    path: Path, key_file: Path | None = None, manifest_sha256: str | None = None, ledger: Path | None = None
) -> Verification:
    """Verify a bundle or a home, against a public key or the noted SHA-256 of the bundle's manifest, where given.

    A bundle is held against the ledger of the home it lies in, or against `ledger` (a ledger's file, or a home).
    Raises UserMistake where `path` is neither a bundle nor a home, or an anchor can't be used.
    """
    anchor = Anchor(trusted_key(key_file) if key_file else None, _noted(manifest_sha256))
    if is_bundle(path):
        return _verified_bundle(path, anchor, ledger)
    home = Home.at(path)
    if not home.evidence.is_dir():
        raise UserMistake(f"{path} is neither a home with evidence nor a bundle.")
    if anchor.manifest_sha256:
        raise UserMistake("--manifest-sha256 is for one bundle: name its folder, not the home.")
    return _verified_home(home, anchor)


def _verified_bundle(folder: Path, anchor: Anchor, ledger: Path | None) -> Verification:
    checked = check_bundle(folder, anchor)
    found = Verification("Bundle", checked.findings, list(_notes(checked, anchor, folder.name)))
    home = Home.at(folder.resolve().parent.parent)
    lies_in_home = home.ledger.exists() and home.report(folder.resolve().name) == folder.resolve()
    if ledger is not None:
        path = Home.at(ledger).ledger if ledger.is_dir() else ledger
        if not path.is_file():
            raise UserMistake(f"{ledger} is neither a ledger nor a home with one.")
        entries = _Entries(path)
        return replace(
            found,
            what="Bundle and ledger",
            findings=[*found.findings, *verify_chain(path), *_in_ledger(folder, checked.manifest, entries)],
        )
    if not lies_in_home:
        found.notes.append(
            "Without the ledger (--ledger HOME) it can't be told whether the evidence it names was ever registered."
        )
        return found
    entries = _Entries(home.ledger)
    return replace(
        found,
        what="Bundle, ledger and originals",
        findings=[
            *found.findings,
            *_in_ledger(folder, checked.manifest, entries),
            *_as_sealed(home, folder.resolve().name),
            *verify_home(home),
        ],
    )


def _verified_home(home: Home, anchor: Anchor) -> Verification:
    findings = verify_home(home)
    notes: list[str] = []
    entries = _Entries(home.ledger)
    folders = {path.name: path for path in _visible(home.reports) if is_bundle(path)}
    for name, folder in sorted(folders.items()):
        checked = check_bundle(folder, anchor)
        faults = [*checked.findings, *_in_ledger(folder, checked.manifest, entries)]
        findings += [replace(fault, where=_below(name, fault)) for fault in faults]
        notes += _notes(checked, anchor, name)
    sealed = {path.name for path in _visible(home.sealed)}
    for name in sorted({*folders, *sealed}):
        findings += _as_sealed(home, name)
    bundles = f", {len(folders)} bundle{'' if len(folders) == 1 else 's'}" if folders else ""
    what = f"Ledger and originals{bundles}"
    return Verification(what, sorted(findings), notes)


def _below(name: str, fault: Finding) -> str:
    return fault.where if fault.where.startswith("ledger.jsonl") else f"reports/{name}/{fault.where}"


def _notes(checked: CheckedBundle, anchor: Anchor, name: str) -> Iterator[str]:
    if anchor.key is not None:
        yield f"{name}: held against the key {key_id(anchor.key)}."
    elif anchor.manifest_sha256 is not None:
        yield f"{name}: held against the noted SHA-256 of its manifest."
    else:
        signed = (
            f"It names the key {checked.signer}; that signature was not checked. " if checked.signer else ""
        )
        yield (
            f"{name}: whether somebody rewrote the whole bundle, manifest included, can't be told without a key you "
            f"trust (--trusted-key FILE) or the manifest's SHA-256 as you noted it (--manifest-sha256 HEX). {signed}"
        ).strip()


# -- the ledger -----------------------------------------------------------------------------------------------------


class _Entries:
    """What a ledger registers, by place, and where each entry hash stands."""

    def __init__(self, path: Path) -> None:
        self.number_of: dict[str, int] = {}
        self.first_of: dict[tuple[str, str, str, str], int] = {}
        for entry in entries_of(path):
            self.number_of[entry.entry_hash] = entry.entry
            self.first_of.setdefault(entry.place, entry.entry)


def _in_ledger(folder: Path, manifest: Manifest | None, entries: _Entries) -> Iterator[Finding]:
    """Whether the ledger still holds the entry that was its last when the bundle was made, and all the bundle names."""
    if manifest is None:
        return
    place = manifest.ledger_place or LedgerPlace(0, "0" * 64)
    if manifest.ledger_place and entries.number_of.get(place.entry_hash) != place.entry:
        yield Finding(
            "head",
            "ledger.jsonl",
            f"the noted head, entry {place.entry} {place.entry_hash}, is not there: entries were removed or replaced.",
        )
        return
    try:
        strangers = [
            row["original_name"] or row["sha256"]
            for row in rows_of(folder / "data" / "evidence_files.csv")
            if entries.first_of.get(
                (row["sha256"], row["system"], row["feed"], row["instance"]), place.entry + 1
            )
            > place.entry
        ]
    except (OSError, ValueError, KeyError, TypeError):
        # That the file is missing or altered is told already.
        return
    if strangers:
        yield Finding(
            "figures",
            "data/evidence_files.csv",
            f"names {len(strangers):,} files that were in no ledger entry, the first {strangers[0]}.",
        )


# -- sealed bundles -------------------------------------------------------------------------------------------------


def _as_sealed(home: Home, name: str) -> Iterator[Finding]:
    """Whether a sealed bundle of the home is the one that was sealed, and nobody can write to it by accident."""
    note = home.sealed_manifest(name)
    bundle = home.report(name)
    manifest = bundle / MANIFEST_NAME
    if not note.is_file():
        return
    if not bundle.is_dir():
        yield Finding("missing", f"reports/{name}", "was sealed and is not there.")
        return
    if not manifest.is_file() or manifest.read_bytes() != note.read_bytes():
        yield Finding(
            "altered", f"reports/{name}/{MANIFEST_NAME}", f"is not the one that was sealed (sealed/{name})."
        )
        return
    writable = [path for path in [bundle, *bundle.rglob("*")] if stat.S_IMODE(path.lstat().st_mode) & 0o222]
    if writable:
        where = f"reports/{writable[0].relative_to(home.reports)}"
        yield Finding("writable", where, f"is sealed and not read-only: chmod -R a-w reports/{name}.")
    yield from _sealed_warehouse(home, name, manifest)


def _sealed_warehouse(home: Home, name: str, manifest: Path) -> Iterator[Finding]:
    where = f"sealed/{name}/warehouse.duckdb"
    path = home.sealed_warehouse(name)
    try:
        noted = read_manifest(manifest.read_bytes()).sealed_warehouse
    except (ValueError, KeyError, TypeError, RecursionError):
        # That it is no manifest is told already.
        return
    if not path.is_file():
        yield Finding("missing", where, "was kept with the sealed bundle and is not there.")
    elif (found := sha256_of(path)) != noted:
        yield Finding("altered", where, f"was altered: its SHA-256 is {found} now.")


def _visible(folder: Path) -> list[Path]:
    return (
        [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
        if folder.is_dir()
        else []
    )


def _noted(text: str | None) -> str | None:
    if text is None:
        return None
    noted = text.strip().lower()
    if len(noted) != 64 or not set(noted) <= set("0123456789abcdef"):
        raise UserMistake(f"--manifest-sha256: expected 64 hexadecimal digits, found {text!r}.")
    return noted
