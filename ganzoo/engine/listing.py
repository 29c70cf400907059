"""The runs under a folder, as their files tell. Nothing is imported that trains, and nothing is written."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganzoo.engine.checkpoint import STATE, checkpoints
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.status import Status
from ganzoo.errors import RunFolderError
from ganzoo.files import number, parse_json

DEEPEST = 4
"""Levels of folders in which runs are looked for."""
TAIL = 2**16
"""Bytes at the end of a file in which its last line is looked for."""


@dataclass(frozen=True)
class Worth:
    """What a run's images were worth, by the first figure of the evaluation that leads (see `leading`)."""

    metric: str
    last: float
    iteration: int
    best: float | None
    """Of the weights that were judged best as it trained, if any were."""


@dataclass(frozen=True)
class FoundRun:
    """What can be said of a folder that holds, or held, a run."""

    path: Path
    state: str
    """running, finished, stopped or failed; export: it is none, but what was made of one; broken: it cannot be told."""
    note: str = ""
    """Why it failed, stopped or is broken."""
    gan: str = ""
    data: str = ""
    iteration: int = 0
    """How many were made, as far as it is logged or saved."""
    iterations: int | None = None
    """How many the whole run has."""
    epoch: float | None = 0
    """None: it cannot be told."""
    epochs: int | None = None
    checkpoint: int | None = None
    """The iteration of the newest checkpoint."""
    measured: Worth | None = None
    size: int = 0
    """Bytes of all its files."""
    changed: datetime | None = None
    """When a file of it was written last."""


def find_runs(folder: Path) -> list[FoundRun]:
    """Find the runs in a folder and below it, the latest first. Links are named, and not followed.

    Raises:
        RunFolderError: there is no such folder.
    """
    if not folder.is_dir():
        raise RunFolderError(f"there is no folder '{folder}'; name the one that holds your runs: ganzoo runs FOLDER")
    found = [inspect_run(path) for path in _run_folders(folder, DEEPEST)]
    return sorted(found, key=lambda run: (-run.changed.timestamp() if run.changed else 0, str(run.path)))


def inspect_run(path: Path) -> FoundRun:
    """Inspect the files of a run folder; what cannot be read is noted in the result, and raises nothing."""
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
    """Bytes of a file, or of all files of a folder; links count for nothing."""
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
    """Whether a run has left something in it, though not what it was told."""
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
    done = max(int(iteration or 0), newest or 0)  # what was logged may be gone
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
        if folder.locked_now:  # whatever was said before it went on
            state, note = "running", ""
        elif state == "running" and not folder.is_locked:
            state, note = "failed", f"it was killed; `ganzoo resume {folder.path}` goes on"
        done = max(done, status.iteration)
        return {**told, "state": state, "note": note, "iteration": done, "iterations": status.iterations}
    # Of a version that wrote no status: its last line of metrics is of the last iteration if it finished.
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
    """The evaluation to show first: of the newest iteration that was measured, that with most samples.

    Where several have as many, it is the last. A quick look at ten samples does not put a thousand out of sight.

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
    """The iteration that a checkpoint says was judged best."""
    with suppress(OSError, ValueError, LookupError, TypeError):
        return parse_json((checkpoint / STATE).read_bytes())["best"][0]
    return None


def last_line(file: Path) -> dict[str, Any]:
    """The last JSON object of a file with one on each line; an empty one if there is none."""
    with suppress(OSError), file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL))
        for line in reversed(stream.read().splitlines()):
            with suppress(ValueError):
                row = parse_json(line)
                if isinstance(row, dict):
                    return row
    return {}


def _name(value: object) -> str:
    """What a config.json calls a GAN or a data set, with its path."""
    table = value if isinstance(value, dict) else {"name": value}
    name, path = table.get("name"), table.get("path")
    return (f"{name}:{path}" if isinstance(path, str) else name) if isinstance(name, str) else ""


def _size(folder: Path) -> tuple[int, float]:
    """Bytes of all files of a folder, and when the latest was written."""
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
