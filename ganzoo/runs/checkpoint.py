"""Checkpoints: folders of files with checksums, written atomically. Reading one never executes code from it.

The name of a checkpoint is its iteration. It is written under another name, flushed to disk and renamed, so that a
crash leaves the previous one intact. SHA256SUMS has the format of `sha256sum --check`. Files that never change (frozen
weights) are stored once, next to the checkpoints, under a name with their checksum.
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
"""File with the progress of the run and the best checkpoint: training/resume.py."""
LINE = re.compile(r"([0-9a-f]{64})  (?:\.\./)?((\w[\w-]*)(?:\.[0-9a-f]{64})?(\.\w+))")
"""Line of SHA256SUMS: checksum, file, and its name without the checksum of a shared file."""

SHARED = re.compile(r"\w[\w-]*\.[0-9a-f]{64}\.\w+")
"""Name of a file shared by several checkpoints."""
DRAFT = re.compile(rf"\.(\d{{8,}}|{SHARED.pattern})\.(\d+|old)")
"""Name of a file or folder left by an interrupted write or removal."""


class DamagedCheckpoint(GanzooError):  # noqa: N818 - reads as what it is
    """Damaged checkpoint; the message names the file and the reason."""


def write(folder: Path, iteration: int, files: Mapping[str, bytes], shared: Mapping[str, bytes]) -> Path:
    """Write a checkpoint below `folder`.

    Args:
        folder: folder of checkpoints; created if missing.
        iteration: name of the checkpoint.
        files: contents by file name.
        shared: contents by file name that are written once for all checkpoints.

    Returns:
        Path of the checkpoint.

    Raises:
        OSError: the folder is not writable; nothing is left behind.
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
        if final.exists():  # a non-empty folder cannot be replaced in one step
            final.replace(folder / f".{final.name}.old")
        draft.replace(final)
        _flush_folder(folder)
    finally:
        remove_drafts(folder)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints below `folder`, oldest first."""
    found = [path for path in folder.glob("*") if path.name.isdecimal()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name))


def read(checkpoint: Path, names: Collection[str] = ()) -> dict[str, bytes]:
    """Return the files of a checkpoint by name, with verified checksums.

    Args:
        checkpoint: path of the checkpoint.
        names: files to read, if present (default: all).

    Raises:
        DamagedCheckpoint: a file is missing, or its checksum differs.
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
    """Return the latest intact checkpoint below `folder` and its files; None if there are no checkpoints.

    Skips damaged ones, with a warning that gives the reason.

    Args:
        folder: folder of checkpoints.
        names: files to read, if present (default: all).
        advice: what to do if all are damaged (default: that for a run to be resumed).

    Raises:
        RunFolderError: all checkpoints are damaged.
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
    """Rename the damaged checkpoints after the iteration from which a run resumes."""
    for checkpoint in checkpoints(folder):
        if int(checkpoint.name) > iteration:
            aside = checkpoint.with_name(f"damaged-{checkpoint.name}")
            shutil.rmtree(aside, ignore_errors=True)
            checkpoint.replace(aside)


def remove(checkpoint: Path) -> None:
    """Remove a checkpoint.

    It is first renamed in one step, so that a folder named by a number is always a complete checkpoint.
    """
    draft = checkpoint.with_name(f".{checkpoint.name}.0")
    checkpoint.replace(draft)
    shutil.rmtree(draft)


def superfluous(folder: Path, keep: int, keep_every: int | None, best: int | None) -> list[Path]:
    """Return the checkpoints that `prune` removes, oldest first."""
    old = [(int(path.name), path) for path in checkpoints(folder)[:-keep]]
    return [path for iteration, path in old if iteration != best and not (keep_every and iteration % keep_every == 0)]


def prune(folder: Path, keep: int, keep_every: int | None, best: int | None) -> None:
    """Remove old checkpoints, and files that only they shared.

    Args:
        folder: folder of checkpoints.
        keep: number of latest checkpoints to keep.
        keep_every: divisor of the iterations of older checkpoints to keep.
        best: iteration of the best checkpoint, which is kept.
    """
    for old in superfluous(folder, keep, keep_every, best):
        remove(old)
    kept = [path for checkpoint in folder.glob("*[0-9]") for path in _named(checkpoint)]
    for file in folder.iterdir():
        if SHARED.fullmatch(file.name) and file.resolve() not in kept:
            file.unlink()


def remove_drafts(folder: Path) -> None:
    """Remove the remains of interrupted writes, and nothing else.

    An old checkpoint moved out of the way of a new one is restored if the new one is missing.
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
    """Whether a path next to checkpoints is removed by `remove_drafts`."""
    match = DRAFT.fullmatch(path.name)
    return match is not None and (match[2] != "old" or path.with_name(match[1]).exists())


def _sums(checkpoint: Path) -> list[tuple[str, Path, str]]:
    """Return checksum, path and name of each file."""
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
    """Flush new names in a folder to disk; not needed on Windows."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
