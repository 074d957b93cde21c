"""What lies in `<home>/landing`: `<system>/<feed>/[<instance>/]<file>`, told from the place alone.

No file is opened here. What a feed means, and whether it is described at all, is not known here either.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.evidence.sidecar import SUFFIX as SIDECAR_SUFFIX
from pipelines.home import Home

DEFAULT_INSTANCE = "main"

# Names that upload tools give to files they have not finished; the finished file gets its own name by rename.
_UNFINISHED = (".part", ".tmp", ".partial", ".filepart", ".crdownload")


@dataclass(frozen=True)
class LandedFile:
    """One evidence file in landing. `sidecar` is the file beside it that declares things about it, if any."""

    path: Path
    system: str
    feed: str
    instance: str
    sidecar: Path | None

    @property
    def name(self) -> str:
        """The file's name as text that can be written; bytes that are no UTF-8 show as `\\udc..`."""
        return printable(self.path.name)


def printable(name: str) -> str:
    """A file name that can be written as UTF-8, whatever bytes the file system gave."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def scan(home: Home, problems: list[str] | None = None) -> list[LandedFile]:
    """Every evidence file in landing, ordered by system, feed, instance and path.

    Whatever can't be evidence where it lies (a file outside any feed, a folder too deep, a link that leaves
    landing, a pipe, a sidecar without its file) is left alone, and one line about it goes to `problems`.
    Hidden and unfinished files are passed over in silence. An absent landing folder is an empty one.
    """
    lines: list[str] = []
    found = list(_Scan(home.landing, lines).files())
    found.sort(key=lambda file: (file.system, file.feed, file.instance, file.path))
    if problems is not None:
        problems.extend(sorted(lines))
    return found


class _Scan:
    def __init__(self, landing: Path, problems: list[str]) -> None:
        self.landing = landing
        self.real_landing = Path(os.path.realpath(landing))
        self.problems = problems

    def files(self) -> Iterator[LandedFile]:
        for system in self._folders(self.landing, "it belongs in <system>/<feed>/"):
            for feed in self._folders(system, "it belongs in a feed's folder, <system>/<feed>/"):
                folders, files = self._look_into(feed)
                yield from self._evidence(files, system.name, feed.name, DEFAULT_INSTANCE)
                for instance in folders:
                    too_deep, files = self._look_into(instance)
                    yield from self._evidence(files, system.name, feed.name, instance.name)
                    for folder in too_deep:
                        self._report_too_deep(folder)

    def _folders(self, parent: Path, where_files_belong: str) -> list[Path]:
        folders, files = self._look_into(parent)
        for file in files:
            self._report(file, f"not taken in: {where_files_belong}")
        return folders

    def _look_into(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """The visible folders and regular files in one folder, links followed where they stay in landing."""
        folders: list[Path] = []
        files: list[Path] = []
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            return folders, files
        except OSError as problem:
            self._report(folder, f"can't be read ({problem.strerror})")
            return folders, files
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = folder / entry.name
            try:
                if entry.is_symlink() and not self._stays_in_landing(path):
                    self._report(path, "refused: the link leads out of landing; put the file itself there")
                elif entry.is_dir():
                    folders.append(path)
                elif entry.name.lower().endswith(_UNFINISHED):
                    continue
                elif entry.is_file():
                    files.append(path)
                elif entry.is_symlink():
                    self._report(path, "refused: the link leads nowhere")
                else:
                    self._report(path, f"refused: {_kind(path)} is no file")
            except OSError as problem:
                self._report(path, f"can't be read ({problem.strerror})")
        return folders, files

    def _stays_in_landing(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.real_landing)

    def _evidence(self, files: list[Path], system: str, feed: str, instance: str) -> Iterator[LandedFile]:
        names = {file.name for file in files}
        for file in files:
            if file.name.endswith(SIDECAR_SUFFIX):
                described = file.name.removesuffix(SIDECAR_SUFFIX)
                if described not in names:
                    self._report(
                        file, f"a sidecar without its file: no {printable(described)} lies beside it"
                    )
                continue
            sidecar = file.name + SIDECAR_SUFFIX
            yield LandedFile(
                path=file,
                system=printable(system),
                feed=printable(feed),
                instance=printable(instance),
                sidecar=file.with_name(sidecar) if sidecar in names else None,
            )

    def _report_too_deep(self, folder: Path) -> None:
        # One line per folder: a synchronised bucket can hold a hundred thousand files below it.
        count = sum(
            1
            for _, _, names in os.walk(folder)
            for name in names
            if not name.startswith(".") and not name.endswith(SIDECAR_SUFFIX)
        )
        if count:
            self._report(
                folder,
                f"{count} file{'' if count == 1 else 's'} not taken in: the folder lies deeper than "
                "<system>/<feed>/<instance>/; move the files up",
            )

    def _report(self, path: Path, fault: str) -> None:
        self.problems.append(f"landing/{printable(str(path.relative_to(self.landing)))}: {fault}.")


def _kind(path: Path) -> str:
    mode = path.stat().st_mode
    for is_kind, word in ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISBLK, "a device")):
        if is_kind(mode):
            return word
    return "a device" if stat.S_ISCHR(mode) else "this"
