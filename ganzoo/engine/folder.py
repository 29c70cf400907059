"""The run folder: all that a run leaves behind, in files that a person can read.

config.json        what was asked, resolved: enough to run it again
data.json          the shape of the data, so that generating needs no data set
environment.json   versions, devices and the command
status.json        whether it trains, how far it is to go, and how it ended
metrics.jsonl      one line each time losses are logged
evaluations.jsonl  one line each time its images are measured: figures, and the protocol they were measured by
log.txt            when it was begun, continued and stopped, and every warning
samples/           what the same noise or inputs give as training goes on
checkpoints/       weights and training state, a folder for each

What `ganzoo export` makes is such a folder without a past: in place of all that training needs, it has

export.json        what it is, of which iteration, and the checksums of its files
samples.png        the sample grid of that iteration, or the last before it
model.safetensors  the weights of the networks that make images (or the same as a graph: model.onnx, model.pt2)
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

from ganzoo.config import AnyConfig, build
from ganzoo.engine.checkpoint import checkpoints
from ganzoo.engine.locks import is_held
from ganzoo.errors import OptionError, RunFolderError
from ganzoo.files import append_line, iteration_of, parse_json, row_of, write_atomically, write_json

log = logging.getLogger(__name__)

MODEL = "model.safetensors"
"""The weights of an export: those networks that make images, as they make them."""
PATIENCE = 10
"""Seconds for which a lock is waited for."""


class RunFolder:
    """The files of one run."""

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
        """The first free one of parent/stem-001, parent/stem-002, ..., created so that no other run takes it."""
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
        """The latest parent/stem-NNN that this launch of processes began: what those that are started again go on with.

        Args:
            parent: where run folders are.
            stem: how their names begin.
            launch: as environment.json has it.
        """
        for path in sorted(parent.glob(f"{stem}-*"), reverse=True):
            folder = cls(path)
            with suppress(RunFolderError):  # not one of ours, then
                if folder.holds_run and folder.read(folder.environment).get("launch") == launch:
                    return folder
        return None

    def create(self) -> None:
        """Makes the folder, if it is not there.

        Raises:
            RunFolderError: it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within, no other process can train in this folder. The lock of a process that died is no lock.

        Raises:
            RunFolderError: another process trains in it.
        """
        lock = FileLock(self.lock)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:  # a run that was killed may have left helpers behind that are about to end
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
        """Whether a process trains in this folder; where there are no locks, that is taken for granted."""
        return self.locked_now is not False

    @property
    def locked_now(self) -> bool | None:
        """Whether a process trains in this folder; None: nobody can tell, as there are no locks.

        To look is to share the lock for a moment, which a run that begins just then waits for.
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
        """Whether this is an export: it makes images, and cannot be trained further."""
        return self.export.is_file()

    def check_trains(self, advice: str = "") -> None:
        """Refuses an export; `advice` is what else can be done.

        Raises:
            RunFolderError: it is one.
        """
        if self.is_export:
            raise RunFolderError(
                f"{self.path} is an export, which makes images and cannot be trained further; go on with the run that "
                f"it was made from{advice}"
            )

    def check_own(self) -> None:
        """Refuses links in the place of its files: whoever sent the folder would choose where a run writes.

        Raises:
            RunFolderError: naming one.
        """
        for path in sorted(self.path.iterdir()) if self.path.is_dir() else ():  # what callbacks write, too
            if path.is_symlink():
                raise RunFolderError(
                    f"{path} is a link, and a run writes into its own folder only; replace it by a copy"
                )

    @property
    def is_free(self) -> bool:
        """Whether a run can be started here: there is nothing in it that can be seen."""
        return self.path.is_dir() and all(path.name.startswith(".") for path in self.path.iterdir())

    def grids(self) -> list[Path]:
        """The sample grids, by iteration, which is their name; links are left out: they may lead to anything."""
        files = [file for file in self.samples.glob("*.png") if file.stem.isascii() and file.stem.isdecimal()]
        own = (file for file in files if len(file.stem) < 19 and not file.is_symlink())
        return sorted(own, key=lambda file: int(file.stem))

    def read(self, file: Path) -> dict[str, Any]:
        """A JSON object of this folder.

        Raises:
            RunFolderError: it is missing or not JSON.
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
        """Writes a file of this folder, whole or not at all: text, or a JSON object, as `read` gives it back.

        Raises:
            OSError: it cannot be written.
        """
        if isinstance(content, str):
            write_atomically(file, content)
        else:
            write_json(file, content)

    def load(self, file: Path, kind: type[AnyConfig]) -> AnyConfig:
        """A JSON object of this folder as what it was written from.

        Raises:
            RunFolderError: it is missing, or something else.
        """
        try:
            return build(kind, self.read(file))
        except OptionError as error:
            raise RunFolderError(f"{file} cannot be used: {error}") from error

    @contextmanager
    def written(self) -> Iterator[None]:
        """Within, says what it means for the run that something cannot be written.

        Raises:
            RunFolderError: in place of the system's own error.
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
        """The JSON objects of a file with one on each line; what is no such line, as a crash may leave it, is left out.

        Raises:
            RunFolderError: it cannot be read.
        """
        try:
            text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        except OSError as error:
            raise RunFolderError(f"{file} cannot be read: {error}") from error
        return [row for row in map(row_of, text.splitlines()) if row is not None]

    def append_metrics(self, row: Mapping[str, float]) -> None:
        """Adds one line of measurements."""
        # JSON has no word for what is not a finite number.
        append_line(self.metrics, {name: value if math.isfinite(value) else None for name, value in row.items()})

    def flush_metrics(self) -> None:
        """Has what was appended reach the disk."""
        for file in (self.metrics, self.evaluations):
            if file.is_file():
                with file.open("a", encoding="utf-8") as stream:
                    os.fsync(stream.fileno())

    def drop_metrics_after(self, iteration: int) -> None:
        """Removes what was logged and measured after the checkpoint that a resumed run starts from."""
        for file in (self.metrics, self.evaluations):
            if file.is_file():
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
                write_atomically(file, "".join(line for line in lines if iteration_of(line) <= iteration))


def _unwritable(path: Path, error: OSError) -> RunFolderError:
    return RunFolderError(f"'{path}' cannot be made a run folder ({error.strerror}); give another --out")
