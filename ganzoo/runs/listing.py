"""Listing of the runs under a folder, from their files alone. Imports nothing for training, and writes nothing."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganzoo.base.io import number, parse_json
from ganzoo.errors import RunFolderError
from ganzoo.runs.checkpoint import STATE, checkpoints
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.status import Status

DEEPEST = 4
"""Maximum depth of the search for runs."""
TAIL = 2**16
"""Bytes at the end of a file to search for its last line."""


@dataclass(frozen=True)
class Worth:
    """Quality of a run's images: the first figure of the leading evaluation (see `leading`)."""

    metric: str
    last: float
    iteration: int
    best: float | None
    """Figure of the best weights, if training was evaluated."""


@dataclass(frozen=True)
class FoundRun:
    """Description of a folder that holds, or held, a run."""

    path: Path
    state: str
    """running, finished, stopped or failed; export: not a run, but an export of one; broken: unknown."""
    note: str = ""
    """Reason for failed, stopped or broken."""
    gan: str = ""
    data: str = ""
    iteration: int = 0
    """Number of completed iterations, as far as logged or saved."""
    iterations: int | None = None
    """Number of iterations of the whole run."""
    epoch: float | None = 0
    """Number of completed epochs; None if unknown."""
    epochs: int | None = None
    checkpoint: int | None = None
    """Iteration of the latest checkpoint."""
    measured: Worth | None = None
    size: int = 0
    """Size of all its files in bytes."""
    changed: datetime | None = None
    """Time of the last write to its files."""


def find_runs(folder: Path) -> list[FoundRun]:
    """Return the runs in a folder and below it, the latest first. Links are listed, but not followed.

    Raises:
        RunFolderError: the folder does not exist.
    """
    if not folder.is_dir():
        raise RunFolderError(f"there is no folder '{folder}'; name the one that holds your runs: ganzoo runs FOLDER")
    found = [inspect_run(path) for path in _run_folders(folder, DEEPEST)]
    return sorted(found, key=lambda run: (-run.changed.timestamp() if run.changed else 0, str(run.path)))


def inspect_run(path: Path) -> FoundRun:
    """Describe a run folder from its files. Does not raise: unreadable files are described as well."""
    if path.is_symlink():
        return FoundRun(path, "broken", f"a link to {path.readlink()}, which is not followed")
    size, changed = _size(path)
    when = datetime.fromtimestamp(changed, UTC) if changed else None
    folder = RunFolder(path)
    try:
        folder.check_own()
        told = _told(folder)
    except (OSError, RunFolderError) as error:
        return FoundRun(path, "broken", str(error), size=size, changed=when)
    return FoundRun(path, **told, size=size, changed=when)


def size_of(path: Path) -> int:
    """Return the size in bytes of a file, or of all files of a folder, without links."""
    return _size(path)[0] if path.is_dir() else path.lstat().st_size


def _run_folders(folder: Path, levels: int) -> Iterator[Path]:
    if RunFolder(folder).config.exists() or _was_begun(folder):
        yield folder
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith(".") or not entry.is_dir():
                continue
            if not entry.is_symlink():
                if levels:
                    yield from _run_folders(Path(entry.path), levels - 1)
            elif RunFolder(Path(entry.path)).holds_run:
                yield Path(entry.path)


def _was_begun(folder: Path) -> bool:
    """Whether a run has left files in a folder, though no configuration."""
    run = RunFolder(folder)
    return any(file.exists() for file in (run.lock, run.metrics, run.status, run.checkpoints))


def _told(folder: RunFolder) -> dict[str, Any]:
    if not folder.holds_run:
        raise RunFolderError(f"it has no {folder.config.name}: a run that ended before it began, or is no run")
    config = folder.read(folder.config)
    row = last_line(folder.metrics)
    saved = checkpoints(folder.checkpoints)
    iteration, epoch, epochs = number(row.get("iteration")), number(row.get("epoch")), number(config.get("epochs"))
    newest = int(saved[-1].name) if saved else None
    done = max(int(iteration or 0), newest or 0)  # the log may be missing
    told: dict[str, Any] = {
        "gan": _name(config.get("gan")),
        "data": _name(config.get("data")),
        "epoch": epoch if epoch is not None or done else 0,
        "epochs": epochs and int(epochs),
        "checkpoint": newest,
        "measured": _measured(folder, saved[-1] if saved else None),
    }
    if not told["gan"]:
        raise RunFolderError(f"{folder.config.name} does not say which GAN was trained")
    if folder.is_export:
        about = folder.read(folder.export)
        of, whole = number(about.get("iteration")), number(about.get("iterations"))
        told |= {"epoch": None, "epochs": None, "iterations": whole and int(whole)}
        return {**told, "state": "export", "iteration": int(of or 0)}
    if folder.status.exists():
        status = folder.load(folder.status, Status)
        state, note = status.state, status.reason
        if folder.locked_now:  # the status predates a resumption
            state, note = "running", ""
        elif state == "running" and not folder.is_locked:
            state, note = "failed", f"it was killed; `ganzoo resume {folder.path}` goes on"
        done = max(done, status.iteration)
        return {**told, "state": state, "note": note, "iteration": done, "iterations": status.iterations}
    # A version without status: its last row of metrics is of the last iteration if it finished.
    whole = number(iteration / epoch * epochs) if iteration and epoch and epochs else None
    state = "finished" if epoch and epochs and epoch >= epochs else "running" if folder.is_locked else "stopped"
    state = "running" if folder.locked_now else state
    return {**told, "state": state, "iteration": done, "iterations": whole and round(whole)}


def _measured(folder: RunFolder, checkpoint: Path | None) -> Worth | None:
    rows = [row for row in folder.lines(folder.evaluations) if _figures(row)]
    if not rows:
        return None
    last = leading(rows)
    metric, value = next(iter(_figures(last).items()))
    alike = [row for row in rows if row.get("protocol") == last.get("protocol") and metric in _figures(row)]
    judged = _judged(checkpoint) if checkpoint else None
    best = [_figures(row)[metric] for row in alike if row.get("iteration") == judged]
    return Worth(metric, value, int(number(last.get("iteration")) or 0), best[-1] if best else None)


def leading(evaluations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the evaluation to show first: of the latest evaluated iteration, the one with most samples.

    Among equals, the last. A quick evaluation of ten samples thus does not hide one of a thousand.

    Args:
        evaluations: lines of evaluations.jsonl, at least one.
    """

    def weight(row: Mapping[str, Any]) -> tuple[float, float]:
        protocol = row.get("protocol")
        samples = number(protocol.get("samples")) if isinstance(protocol, Mapping) else None
        return number(row.get("iteration")) or 0.0, samples or 0.0

    return max(reversed(evaluations), key=weight)


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    figures = row.get("figures")
    return (
        {name: value for name, value in figures.items() if number(value) is not None}
        if isinstance(figures, dict)
        else {}
    )


def _judged(checkpoint: Path) -> object:
    """Return the iteration of the best weights, according to a checkpoint."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return parse_json((checkpoint / STATE).read_bytes())["best"][0]
    return None


def last_line(file: Path) -> dict[str, Any]:
    """Return the last JSON object of a file with one per line; an empty one if there is none."""
    with suppress(OSError), file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL))
        for line in reversed(stream.read().splitlines()):
            with suppress(ValueError):
                row = parse_json(line)
                if isinstance(row, dict):
                    return row
    return {}


def _name(value: object) -> str:
    """Return the name of a GAN or a data set in a config.json, with its path."""
    table = value if isinstance(value, dict) else {"name": value}
    name, path = table.get("name"), table.get("path")
    return (f"{name}:{path}" if isinstance(path, str) else name) if isinstance(name, str) else ""


def _size(folder: Path) -> tuple[int, float]:
    """Return the size of all files of a folder in bytes, and the time of the last write."""
    size, changed = 0, 0.0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inner, latest = _size(Path(entry.path))
            else:
                status = entry.stat(follow_symlinks=False)
                inner, latest = (0 if entry.is_symlink() else status.st_size), status.st_mtime
            size, changed = size + inner, max(changed, latest)
    return size, changed
