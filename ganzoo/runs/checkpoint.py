"""Checkpoints: folders of files with a checksum each, written whole or not at all. Reading one runs no code from it.

A checkpoint is named after its iteration. It is written under another name, flushed to the disk and renamed, so that a
crash leaves the one before it. SHA256SUMS has the form that `sha256sum --check` reads. Files that never change (frozen
weights) lie once beside the checkpoints and are named after their content.
"""

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from ganzoo.errors import GanzooError, RunFolderError

log = logging.getLogger(__name__)

SUMS = "SHA256SUMS"
STATE = "state.json"
"""What says how far the run was, and which checkpoint was judged best: training/state.py."""
LINE = re.compile(r"([0-9a-f]{64})  (?:\.\./)?((\w[\w-]*)(?:\.[0-9a-f]{64})?(\.\w+))")
"""Of SHA256SUMS: digest, file, and its name without what says that it is shared."""

SHARED = re.compile(r"\w[\w-]*\.[0-9a-f]{64}\.\w+")
"""What a file is called that several checkpoints share."""
DRAFT = re.compile(rf"\.(\d{{8,}}|{SHARED.pattern})\.(\d+|old)")
"""What is called so was being written, or removed, when something ended that."""


class DamagedCheckpoint(GanzooError):  # noqa: N818 - reads as what it is
    """A checkpoint that is not what was written; the message says which file, and why."""


def write(folder: Path, iteration: int, files: Mapping[str, bytes], shared: Mapping[str, bytes]) -> Path:
    """Writes a checkpoint below `folder`.

    Args:
        folder: takes it; created if missing.
        iteration: its name.
        files: contents by name.
        shared: contents by name that are written once for all checkpoints.

    Returns:
        Where it is.

    Raises:
        OSError: it cannot be written; nothing of it stays.
    """
    final = folder / f"{iteration:08}"
    draft = folder / f".{final.name}.{os.getpid()}"
    remove_drafts(folder)
    try:
        draft.mkdir(parents=True)
        sums = []
        for name, content in files.items():
            _flush(draft / name, content)
            sums.append(f"{_digest(content)}  {name}")
        for name, content in shared.items():
            digest = _digest(content)
            file = folder / f"{Path(name).stem}.{digest}{Path(name).suffix}"
            if not (file.is_file() and file.read_bytes() == content):
                _flush(half := folder / f".{file.name}.{os.getpid()}", content)
                half.replace(file)
            sums.append(f"{digest}  ../{file.name}")
        _flush(draft / SUMS, "".join(f"{line}\n" for line in sums).encode())
        _flush_folder(draft)
        if final.exists():  # a folder with files in it cannot be replaced in one step
            final.replace(folder / f".{final.name}.old")
        draft.replace(final)
        _flush_folder(folder)
    finally:
        remove_drafts(folder)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints below `folder`, oldest first."""
    found = [path for path in folder.glob("*") if path.name.isdecimal()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name))


def read(checkpoint: Path, names: Collection[str] = ()) -> dict[str, bytes]:
    """The files of a checkpoint by name, each compared with its checksum.

    Args:
        checkpoint: where it is.
        names: read these only, where there are such; none given: all.

    Raises:
        DamagedCheckpoint: a file is missing or not what was written.
    """
    files: dict[str, bytes] = {}
    for digest, path, name in _sums(checkpoint):
        if names and name not in names:
            continue
        try:
            content = path.read_bytes()
        except (OSError, MemoryError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is larger than what memory is free"
            raise DamagedCheckpoint(f"{path} cannot be read ({reason})") from error
        if _digest(content) != digest:
            raise DamagedCheckpoint(f"{path} is not what was written: its checksum differs")
        files[name] = content
    return files


def newest(folder: Path, names: Collection[str] = (), advice: str = "") -> tuple[Path, dict[str, bytes]] | None:
    """The newest whole checkpoint below `folder` and its files; None if there is no checkpoint at all.

    One that is damaged is passed over, and the log says which and why.

    Args:
        folder: holds them.
        names: read these files only, where there are such; none given: all.
        advice: what to do if all are damaged; none given: what helps a run that was to go on.

    Raises:
        RunFolderError: there are checkpoints, and all of them are damaged.
    """
    saved = checkpoints(folder)
    reason = ""
    for checkpoint in reversed(saved):
        try:
            files = read(checkpoint, names)
        except DamagedCheckpoint as error:
            log.warning("the checkpoint %s is damaged: %s", checkpoint.name, error)
            reason = reason or str(error)
            continue
        if reason:
            log.warning("the checkpoint %s is taken instead", checkpoint.name)
        return checkpoint, files
    if saved:
        advice = advice or f"remove {folder} to begin the run anew"
        raise RunFolderError(f"no checkpoint in {folder} is whole: {reason}; {advice}")
    return None


def quarantine_after(folder: Path, iteration: int) -> None:
    """Renames what comes after an iteration that a run goes on from: it was found damaged, and counts no longer."""
    for checkpoint in checkpoints(folder):
        if int(checkpoint.name) > iteration:
            aside = checkpoint.with_name(f"damaged-{checkpoint.name}")
            shutil.rmtree(aside, ignore_errors=True)
            checkpoint.replace(aside)


def remove(checkpoint: Path) -> None:
    """Removes a checkpoint.

    It is first renamed in one step, so that a folder named by a number is always a whole checkpoint.
    """
    draft = checkpoint.with_name(f".{checkpoint.name}.0")
    checkpoint.replace(draft)
    shutil.rmtree(draft)


def superfluous(folder: Path, keep: int, keep_every: int | None, best: int | None) -> list[Path]:
    """The checkpoints that `prune` removes, oldest first."""
    old = [(int(path.name), path) for path in checkpoints(folder)[:-keep]]
    return [path for iteration, path in old if iteration != best and not (keep_every and iteration % keep_every == 0)]


def prune(folder: Path, keep: int, keep_every: int | None, best: int | None) -> None:
    """Removes old checkpoints, and what only they shared.

    Args:
        folder: holds them.
        keep: so many of the latest stay.
        keep_every: of the others, those stay whose iteration is a multiple of it.
        best: the iteration of the one that stays because it is the best.
    """
    for old in superfluous(folder, keep, keep_every, best):
        remove(old)
    kept = [path for checkpoint in folder.glob("*[0-9]") for path in _named(checkpoint)]
    for file in folder.iterdir():
        if SHARED.fullmatch(file.name) and file.resolve() not in kept:
            file.unlink()


def remove_drafts(folder: Path) -> None:
    """Removes what a run that was killed while it wrote left, and nothing else that may be there.

    A checkpoint that was moved out of the way of another of its iteration is put back if that one never came.
    """
    for path in folder.glob(".*"):
        match = DRAFT.fullmatch(path.name)
        if match and not is_left_over(path):
            path.replace(folder / match[1])
        elif match and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif match:
            with suppress(OSError):
                path.unlink()


def is_left_over(path: Path) -> bool:
    """Whether something beside checkpoints is what `remove_drafts` removes."""
    match = DRAFT.fullmatch(path.name)
    return match is not None and (match[2] != "old" or path.with_name(match[1]).exists())


def _sums(checkpoint: Path) -> list[tuple[str, Path, str]]:
    """Digest, path and name of each file."""
    file = checkpoint / SUMS
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedCheckpoint(f"{file} cannot be read ({error})") from error
    found = [LINE.fullmatch(line) for line in lines]
    if not found or None in found:
        raise DamagedCheckpoint(f"{file} is no list of checksums")
    return [(match[1], checkpoint / match[0].partition("  ")[2], f"{match[3]}{match[4]}") for match in found if match]


def _named(checkpoint: Path) -> list[Path]:
    with suppress(DamagedCheckpoint):
        return [path.resolve() for _, path, _ in _sums(checkpoint)]
    return []


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _flush(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Makes names last that were given in it; Windows does so by itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
