"""Run folder: all results of a run, in human-readable files.

config.json        resolved options: enough to repeat the run
data.json          shapes of the data, so that sampling needs no data set
environment.json   versions, devices and the command
status.json        state of the run, its progress and its end
metrics.jsonl      one line per log of the losses
evaluations.jsonl  one line per evaluation: figures and their protocol
log.txt            start, resumption and end of the run, and every warning
samples/           sample grids during training, from fixed noise or inputs
checkpoints/       weights and training state, one folder each

`ganzoo export` writes a folder of the same form for sampling only; in place of the files for training, it has

export.json        kind of export, iteration, and the checksums of its files
samples.png        sample grid of that iteration, or the last before it
model.safetensors  weights of the networks used in sampling (or the same as a graph: model.onnx, model.pt2)
"""

import errno
import itertools
import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ganzoo.base.io import append_line, iteration_of, parse_json, row_of, write_atomically, write_json
from ganzoo.config import AnyConfig, validate
from ganzoo.errors import OptionError, RunFolderError
from ganzoo.runs.checkpoint import checkpoints
from ganzoo.runs.locks import is_held

log = logging.getLogger(__name__)

MODEL = "model.safetensors"
"""The weights of an export: those networks that make images, as they make them."""
PATIENCE = 10
"""Seconds to wait for a lock."""


class RunFolder:
    """Files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.data = path / "data.json"
        self.environment = path / "environment.json"
        self.status = path / "status.json"
        self.metrics = path / "metrics.jsonl"
        self.evaluations = path / "evaluations.jsonl"
        self.nearest = path / "nearest.png"
        self.log = path / "log.txt"
        self.samples = path / "samples"
        self.picture = path / "samples.png"
        self.checkpoints = path / "checkpoints"
        self.lock = path / ".lock"
        self.export = path / "export.json"
        self.model = path / MODEL
        self.card = path / "README.md"

    @classmethod
    def new(cls, parent: Path, stem: str) -> "RunFolder":
        """Create the first free folder of parent/stem-001, parent/stem-002, ..., safe against concurrent runs."""
        cls(parent).create()
        for number in itertools.count(1):
            folder = cls(parent / f"{stem}-{number:03}")
            try:
                folder.path.mkdir()
            except FileExistsError:
                continue
            except OSError as error:
                raise _unwritable(folder.path, error) from error
            break
        return folder

    @classmethod
    def of_launch(cls, parent: Path, stem: str, launch: str) -> "RunFolder | None":
        """Return the latest parent/stem-NNN that this launch created, for restarted processes to resume.

        Args:
            parent: folder of run folders.
            stem: beginning of their names.
            launch: identifier of the launch, as in environment.json.
        """
        for path in sorted(parent.glob(f"{stem}-*"), reverse=True):
            folder = cls(path)
            with suppress(RunFolderError):  # another program's folder
                if folder.holds_run and folder.read(folder.environment).get("launch") == launch:
                    return folder
        return None

    def create(self) -> None:
        """Create the folder if it is missing.

        Raises:
            RunFolderError: it cannot be created.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Context in which no other process can train in this folder. The lock of a dead process has no effect.

        Raises:
            RunFolderError: another process trains in the folder.
        """
        lock = FileLock(self.lock)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:  # a killed run may have left helper processes that are about to exit
                log.warning("another process holds %s; waiting up to %d s for it", self.path, PATIENCE)
                lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise RunFolderError(
                f"another run is training in {self.path}; wait until it ends, stop it, or train in another folder"
            ) from None
        except OSError as error:
            is_folder = f"{self.lock} is a folder, where a run keeps its lock; remove it"
            unwritable = f"{self.path} cannot be written to ({error.strerror or error})"
            raise RunFolderError(is_folder if self.lock.is_dir() else unwritable) from error
        except NotImplementedError:
            log.warning("the file system of %s has no locks: see to it that no two runs train in it", self.path)
        try:
            yield
        finally:
            lock.release()

    @property
    def is_locked(self) -> bool:
        """Whether a process trains in this folder; True if the file system has no locks."""
        return self.locked_now is not False

    @property
    def locked_now(self) -> bool | None:
        """Whether a process trains in this folder; None if the file system has no locks.

        The check shares the lock for a moment; a run that starts just then waits for it.
        """
        if self.lock.is_symlink() or not self.lock.is_file():
            return False
        try:
            return is_held(self.lock)
        except OSError as error:
            return None if error.errno in (errno.ENOSYS, errno.ENOTSUP) else False

    @property
    def holds_run(self) -> bool:
        """Whether a run was started here."""
        return self.config.is_file()

    @property
    def is_export(self) -> bool:
        """Whether this is an export, which supports sampling but no training."""
        return self.export.is_file()

    def check_trains(self, advice: str = "") -> None:
        """Check that this is not an export; `advice` is appended to the message.

        Raises:
            RunFolderError: it is one.
        """
        if self.is_export:
            raise RunFolderError(
                f"{self.path} is an export, which makes images and cannot be trained further; go on with the run that "
                f"it was made from{advice}"
            )

    def check_own(self) -> None:
        """Check that no file is a link, through which the sender of a folder could make a run write elsewhere.

        Raises:
            RunFolderError: names a link.
        """
        for path in sorted(self.path.iterdir()) if self.path.is_dir() else ():  # including files of callbacks
            if path.is_symlink():
                raise RunFolderError(
                    f"{path} is a link, and a run writes into its own folder only; replace it by a copy"
                )

    @property
    def is_free(self) -> bool:
        """Whether a run can be started here: there are no visible files."""
        return self.path.is_dir() and all(path.name.startswith(".") for path in self.path.iterdir())

    def grids(self) -> list[Path]:
        """Return the sample grids by iteration, which is their name; without links, which may lead anywhere."""
        files = [file for file in self.samples.glob("*.png") if file.stem.isascii() and file.stem.isdecimal()]
        own = (file for file in files if len(file.stem) < 19 and not file.is_symlink())
        return sorted(own, key=lambda file: int(file.stem))

    def read(self, file: Path) -> dict[str, Any]:
        """Read a JSON object of this folder.

        Raises:
            RunFolderError: the file is missing or not JSON.
        """
        try:
            content = parse_json(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            kind = "" if self.holds_run and file != self.config else "is no run folder: it "
            raise RunFolderError(f"{self.path} {kind}has no {file.name}") from None
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{file} cannot be read: {error}") from error
        if not isinstance(content, dict):
            raise RunFolderError(f"{file} cannot be read: it holds no JSON object")
        return content

    def write(self, file: Path, content: Mapping[str, object] | str) -> None:
        """Write a file of this folder atomically: text, or a JSON object for `read`.

        Raises:
            OSError: the file is not writable.
        """
        if isinstance(content, str):
            write_atomically(file, content)
        else:
            write_json(file, content)

    def load(self, file: Path, kind: type[AnyConfig]) -> AnyConfig:
        """Read a configuration from a JSON file of this folder.

        Raises:
            RunFolderError: the file is missing or invalid.
        """
        try:
            return validate(kind, self.read(file))
        except OptionError as error:
            raise RunFolderError(f"{file} cannot be used: {error}") from error

    @contextmanager
    def written(self) -> Iterator[None]:
        """Context in which write errors are explained in terms of the run.

        Raises:
            RunFolderError: replaces the OSError.
        """
        try:
            yield
        except OSError as error:
            saved = checkpoints(self.checkpoints)
            last = f"the last checkpoint is of iteration {int(saved[-1].name)}" if saved else "it has no checkpoint"
            again = f"`ganzoo resume {self.path}` goes on" if self.config.is_file() else "type the same command again"
            raise RunFolderError(
                f"{self.path} cannot be written to ({error.strerror or error}); {last}: mend that, then {again}"
            ) from error

    def lines(self, file: Path) -> list[dict[str, Any]]:
        """Return the JSON objects of a file with one per line, without invalid lines, which a crash may leave.

        Raises:
            RunFolderError: the file is not readable.
        """
        try:
            text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        except OSError as error:
            raise RunFolderError(f"{file} cannot be read: {error}") from error
        return [row for row in map(row_of, text.splitlines()) if row is not None]

    def append_metrics(self, row: Mapping[str, float]) -> None:
        """Append one row of metrics."""
        # JSON has no NaN and no infinity.
        append_line(self.metrics, {name: value if math.isfinite(value) else None for name, value in row.items()})

    def flush_metrics(self) -> None:
        """Flush appended rows to disk."""
        for file in (self.metrics, self.evaluations):
            if file.is_file():
                with file.open("a", encoding="utf-8") as stream:
                    os.fsync(stream.fileno())

    def drop_metrics_after(self, iteration: int) -> None:
        """Remove metrics and evaluations after the checkpoint from which a run resumes."""
        for file in (self.metrics, self.evaluations):
            if file.is_file():
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
                write_atomically(file, "".join(line for line in lines if iteration_of(line) <= iteration))


def _unwritable(path: Path, error: OSError) -> RunFolderError:
    return RunFolderError(f"'{path}' cannot be made a run folder ({error.strerror}); give another --out")
