"""What a run folder tells, as far as it can be read; anybody may have written it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganzoo import GAN, DataSpec, RunFolder
from ganzoo.base.io import number
from ganzoo.errors import RunFolderError, UserError
from ganzoo.options import RunOptions
from ganzoo.run_folders import gan_of, locate, shipped

TROUBLE = (" WARNING ", " ERROR ", " CRITICAL ")
"""How lines of log.txt are marked that a person should see."""


@dataclass(frozen=True)
class Record:
    """A run as its folder has it."""

    folder: RunFolder
    name: str
    """The folder's, with as much of what is above it as tells it from the others."""
    config: dict[str, Any]
    data: DataSpec | None
    environment: dict[str, str]
    rows: list[dict[str, Any]]
    """The lines of metrics.jsonl that have an iteration."""
    evaluations: list[dict[str, Any]]
    log: list[str]
    gan: GAN | None
    """None: its plugin is not installed, or no longer takes that configuration."""
    options: RunOptions | None
    notes: list[str] = field(default_factory=list)
    """What cannot be told of it, and why, in sentences."""

    @property
    def gan_name(self) -> str:
        """The name of the GAN, installed or not."""
        return str(self.config["gan"][GAN.key])

    @property
    def data_name(self) -> str:
        """The name of the data set."""
        data = self.config.get("data")
        return str(data.get("name", "unknown data")) if isinstance(data, dict) else "unknown data"

    @property
    def iteration(self) -> int:
        """The last that was logged."""
        return int(max((row["iteration"] for row in self.rows), default=0))

    @property
    def is_export(self) -> bool:
        """Whether it is what was made of a run, without the run's past."""
        return self.folder.is_export

    @property
    def epoch(self) -> float:
        """How many passes through the data were made when that was."""
        return max((number(row.get("epoch")) or 0.0 for row in self.rows), default=0.0)

    @property
    def epochs(self) -> float | None:
        """How many there are to be."""
        return number(self.config.get("epochs"))

    @property
    def per_epoch(self) -> float | None:
        """Iterations of one pass."""
        return self.iteration / self.epoch if self.epoch and self.iteration else None

    @property
    def batch_size(self) -> float | None:
        """Images of one iteration."""
        return number(self.config.get("batch_size"))

    @property
    def warnings(self) -> list[str]:
        """The lines of its log that a person should see."""
        return [line for line in self.log if any(mark in line for mark in TROUBLE)]

    @property
    def translates(self) -> bool:
        """Whether it makes images from images, as far as its data tells."""
        return self.data is not None and "source" in self.data.shapes


def records(paths: Sequence[Path]) -> list[Record]:
    """What the folders tell, each once.

    Raises:
        RunFolderError: one is no run folder, or cannot be read.
    """
    folders = list(dict.fromkeys(map(locate, paths)))
    places = dict(zip(folders, (folder.resolve() for folder in folders), strict=True))
    once = {place: folder for folder, place in reversed(places.items())}
    folders = [folder for folder in folders if once[places[folder]] == folder]
    names = _names([places[folder] for folder in folders])
    return [_record(RunFolder(folder), name) for folder, name in zip(folders, names, strict=True)]


def _record(folder: RunFolder, name: str) -> Record:
    if shipped(folder.path) is None:
        folder.check_own()  # what a link leads to is no part of the run, and the page may go to anybody
    config = folder.read(folder.config)
    table = config.get("gan")
    if not isinstance(table, dict) or not isinstance(table.get(GAN.key), str):
        raise RunFolderError(f"{folder.config} does not say which GAN was trained; is it from a run?")
    notes: list[str] = []
    gan = options = data = None
    try:
        gan = gan_of(folder)
        options = folder.load(folder.config, RunOptions)
    except UserError as error:
        notes.append(str(error))
    try:
        data = folder.load(folder.data, DataSpec)
    except UserError as error:
        notes.append(str(error))
    environment: dict[str, str] = {}
    try:
        environment = {str(key): str(value) for key, value in folder.read(folder.environment).items()}
    except UserError as error:
        notes.append(str(error))
    rows = [row for row in folder.lines(folder.metrics) if _is_made(row.get("iteration"))]
    evaluations = [row for row in folder.lines(folder.evaluations) if number(row.get("iteration")) is not None]
    return Record(
        folder,
        name,
        config,
        data,
        environment,
        rows,
        evaluations,
        _log(folder),
        gan,
        options,
        list(dict.fromkeys(notes)),
    )


def _is_made(iteration: object) -> bool:
    found = number(iteration)
    return found is not None and found >= 0


def _log(folder: RunFolder) -> list[str]:
    try:
        return folder.log.read_text(encoding="utf-8", errors="replace").splitlines() if folder.log.is_file() else []
    except OSError as error:
        raise RunFolderError(f"{folder.log} cannot be read: {error}") from error


def _names(places: Sequence[Path]) -> list[str]:
    """The shortest end of each path that no other has."""
    return [_name(place, [other for other in places if other != place]) for place in places]


def _name(place: Path, others: Sequence[Path]) -> str:
    for length in range(1, len(place.parts)):
        tail = place.parts[-length:]
        if all(other.parts[-length:] != tail for other in others):
            return "/".join(tail)
    return str(place)
