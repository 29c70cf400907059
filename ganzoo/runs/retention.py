"""Retention: which files of runs can be removed to free space, and their removal.

The policy, for a run that is not training: keep the latest intact checkpoint, the best one, and those of `keep_every`.
Remove other checkpoints, damaged ones and remains of interrupted writes. Keep all else: figures, samples, logs. A whole
run is removed only on request, and only if it failed before its first checkpoint.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.base.io import parse_json
from ganzoo.errors import RunFolderError
from ganzoo.runs import checkpoint
from ganzoo.runs.checkpoint import STATE, checkpoints, is_left_over
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.listing import FoundRun, inspect_run, size_of

DAMAGED = re.compile(r"damaged-\d+")
"""Name of a damaged checkpoint that was set aside."""


@dataclass(frozen=True)
class Rule:
    """Retention policy."""

    keep: int = 1
    """Number of latest intact checkpoints to keep."""
    milestones: bool = True
    """Whether to keep the checkpoints of the run's own keep_every."""
    failed: bool = True
    """Whether to keep runs that failed before their first checkpoint."""


@dataclass(frozen=True)
class Prunable:
    """Removable files of one run."""

    run: Path
    paths: tuple[Path, ...] = ()
    size: int = 0
    wholly: bool = False
    note: str = ""
    """Reason for keeping a run unchanged."""

    @property
    def what(self) -> str:
        """Description: `checkpoints 1000, 2000`."""
        if self.wholly:
            return "the whole run"
        named = [str(int(path.name)) for path in self.paths if path.name.isdecimal()]
        parts = [f"checkpoint{'s' * (len(named) > 1)} {', '.join(named)}"] if named else []
        rest = len(self.paths) - len(named)
        return " and ".join([*parts, *([f"{rest} damaged or half-written"] if rest else [])])


@dataclass(frozen=True)
class _Stays:
    """Arguments of `ganzoo.runs.checkpoint.prune`."""

    keep: int
    keep_every: int | None
    best: int | None


def plan(found: FoundRun, rule: Rule) -> Prunable:
    """Return the removable files of a run. Writes nothing."""
    if found.state in ("running", "broken"):
        return Prunable(found.path, note=found.note or "it is running")
    folder = RunFolder(found.path)
    try:
        if found.state == "failed" and not rule.failed and not checkpoints(folder.checkpoints):
            return _whole(folder, found.size)
        stays = _stays(folder, rule)
        paths = tuple(_superfluous(folder, stays))
        return Prunable(found.path, paths, sum(map(size_of, paths)))
    except (OSError, RunFolderError) as error:
        return Prunable(found.path, note=str(error))


def carry_out(planned: Prunable, rule: Rule) -> None:
    """Remove the planned files of a run, if it is still not training.

    Raises:
        RunFolderError: the run has resumed or changed since, or is not writable.
    """
    folder, found = RunFolder(planned.run), inspect_run(planned.run)
    if folder.is_locked:
        raise RunFolderError(f"{planned.run} is being trained by now; nothing of it was removed")
    with folder.locked():
        if plan(found, rule).paths != planned.paths:
            raise RunFolderError(f"{planned.run} has changed by now; nothing of it was removed")
        try:
            if planned.wholly:
                _remove_all((*planned.paths, folder.lock))
                return
            for path in planned.paths:
                if DAMAGED.fullmatch(path.name):
                    shutil.rmtree(path)
            stays = _stays(folder, rule)
            checkpoint.remove_drafts(folder.checkpoints)
            if stays:
                checkpoint.prune(folder.checkpoints, stays.keep, stays.keep_every, stays.best)
        except OSError as error:
            raise RunFolderError(f"{planned.run} cannot be pruned: {error.strerror or error}") from error


def _stays(folder: RunFolder, rule: Rule) -> _Stays | None:
    """Return which checkpoints of a run to keep; None if it has none.

    Raises:
        RunFolderError: none is intact, the best one is unknown, or there are links.
    """
    saved = checkpoints(folder.checkpoints)
    for path in (folder.checkpoints, *(folder.checkpoints.iterdir() if folder.checkpoints.is_dir() else ())):
        if path.is_symlink():
            raise RunFolderError(f"{path} is a link, and nothing of the run is touched")
    if not saved:
        return None
    every = folder.read(folder.config).get("keep_every") if rule.milestones else None
    keep_every = every if type(every) is int and every > 0 else None
    if len(saved) == 1:
        return _Stays(1, keep_every, None)
    whole = 0
    best: int | None = None
    for keep, path in enumerate(reversed(saved), 1):
        try:
            files = checkpoint.read(path)
        except checkpoint.DamagedCheckpoint:
            continue
        best = best if whole else _best(files, path)
        whole += 1
        if whole == rule.keep:
            return _Stays(keep, keep_every, best)
    if not whole:
        raise RunFolderError(f"no checkpoint in {folder.checkpoints} is whole, and none of them is removed")
    return _Stays(len(saved), keep_every, best)


def _best(files: dict[str, bytes], path: Path) -> int | None:
    try:
        best: Any = parse_json(files[STATE])["best"]
        return None if best is None else int(best[0])
    except (LookupError, TypeError, ValueError) as error:
        raise RunFolderError(f"{path / STATE} does not say which checkpoint is the best") from error


def _superfluous(folder: RunFolder, stays: _Stays | None) -> list[Path]:
    """Return what to remove from the folder of checkpoints; their shared files go too, but are not counted."""
    old = checkpoint.superfluous(folder.checkpoints, stays.keep, stays.keep_every, stays.best) if stays else []
    rest = sorted(folder.checkpoints.iterdir()) if folder.checkpoints.is_dir() else []
    return [*old, *(path for path in rest if DAMAGED.fullmatch(path.name) or is_left_over(path))]


def _whole(folder: RunFolder, size: int) -> Prunable:
    """Plan the removal of a whole run, if it holds only files of runs; those that identify it as a run go last."""
    own = (folder.samples, folder.checkpoints, folder.data, folder.environment, folder.metrics, folder.evaluations)
    last = (folder.log, folder.config, folder.status)
    paths = sorted(path for path in folder.path.iterdir() if path not in (*last, folder.lock))
    drafts = tuple(f".{path.name}." for path in (*own, *last))
    for path in paths:
        if path not in own and not path.name.startswith(drafts):
            return Prunable(
                folder.path, note=f"it is not removed, as it holds '{path.name}', which is not ganzoo's own"
            )
    return Prunable(folder.path, (*paths, *(path for path in last if path.exists())), size, wholly=True)


def _remove_all(paths: tuple[Path, ...]) -> None:
    """Remove the contents of a folder, in this order, and the folder."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    paths[0].parent.rmdir()
