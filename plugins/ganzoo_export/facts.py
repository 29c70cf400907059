"""What is known of a trained GAN: what its card says, and what goes with its weights."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from ganzoo import Dataset, RunFolder, TrainedGAN
from ganzoo.base.environment import DATA_FROM
from ganzoo.run_folders import inspect_run, leading

PRIVATE = ("launch",)
"""Of environment.json: what is nobody's business."""
NAMED = r"(?:[\w.-]+[:=])"
"""What may stand before a place: `--out=`, `folder:`, the `csv:file=` of a callback."""
SCHEME = r"[A-Za-z][\w+.-]+://"
PATH = r"(?:[A-Za-z]:[\\/]|~[^\s,/\\]*[\\/]|[\\/]{1,2}(?=[^\s\\/])|(?:[^\s,;\"':=]*[\\/])?\.\.[\\/])"
"""How the path of a place begins: with a drive, a home, a root; or it leads out of where it begins."""
END = rf"(?=[,;\s\"'\[({{]{NAMED}*?(?:{SCHEME}|{PATH})|[,;]{NAMED}|[\"'](?=[,;:\s\])}}]|\Z)|\Z)"
"""Where a place ends: before another, or another option; spaces and commas may be part of it."""
PLACE = re.compile(
    rf"(?P<before>(?:\A|(?<=[,;\s\"'\[({{])){NAMED}*?)(?:"
    rf"(?P<scheme>{SCHEME})(?:[^\s\"'/]*@)?(?P<rest>[^\s\"'?#]*?)(?=[?#\s\"']|{END})(?:[?#][^\s\"']*)?"
    rf"|(?P<path>{PATH}.*?){END})",
    re.DOTALL,
)
"""An address or a path; what follows the `?` or `#` of an address may be a key, and is no part of its name."""


@dataclass(frozen=True)
class Facts:
    """What is known of a trained GAN and its run."""

    trained: TrainedGAN
    config: Mapping[str, Any]
    """config.json, without the places of files on the machine that it was trained on."""
    environment: Mapping[str, Any]
    """environment.json, likewise."""
    evaluations: tuple[Mapping[str, Any], ...]
    whole: int | None
    """Iterations of the whole training, where that is known."""

    @property
    def at_end(self) -> bool:
        """Whether the weights are from the end of the training, as far as is known."""
        return self.whole is None or self.trained.iteration >= self.whole

    @property
    def dataset(self) -> str:
        """The name of the data set, as config.json has it."""
        data = self.config.get("data")
        name = data.get(Dataset.key) if isinstance(data, dict) else None
        return name if isinstance(name, str) else self.trained.data.dataset

    @property
    def data_licence(self) -> str:
        """Under which licence the data is, as its plugin says."""
        found = Dataset.choices().get(self.dataset)
        if found is not None:
            return found.licence
        origin = self.environment.get(DATA_FROM)
        return f"unknown: the plugin of '{self.dataset}' is not installed here{f' ({origin})' if origin else ''}"

    @property
    def evaluation(self) -> Mapping[str, Any] | None:
        """That with most samples of these very weights, else of the last ones before them that were measured."""
        before = [row for row in self.evaluations if row["iteration"] <= self.trained.iteration]
        return leading(before) if before else None


def facts_of(trained: TrainedGAN) -> Facts:
    """What the folder of a trained GAN says of it.

    Raises:
        RunFolderError: a file in it cannot be read.
    """
    files = RunFolder(trained.folder)
    config = files.read(files.config)
    environment = files.read(files.environment) if files.environment.is_file() else {}
    command = environment.get("command")
    about = {name: unplaced(value) for name, value in environment.items() if name not in (*PRIVATE, "command")}
    if isinstance(command, str):
        about = {"command": unplaced_command(command), **about}
    rows = tuple(unplaced(row) for row in files.lines(files.evaluations) if _is_evaluation(row))
    return Facts(trained, unplaced(config), about, rows, inspect_run(trained.folder.resolve()).iterations)


def unplaced(value: Any) -> Any:
    """JSON values in which paths have become the names of what they lead to, and addresses hold no keys."""
    if isinstance(value, dict):
        return {name: unplaced(part) for name, part in value.items()}
    if isinstance(value, list):
        return [unplaced(part) for part in value]
    return _name(value) if isinstance(value, str) else value


def unplaced_command(command: str) -> str:
    """The same of the words of a command line."""
    try:
        words = shlex.split(command)
    except ValueError:  # somebody else's
        words = command.split()
    return shlex.join(map(_name, words))


def _name(words: str) -> str:
    """`/home/me/cats` is `cats`, and `folder:/home/me/cats` is `folder:cats`; addresses lose logins and queries."""
    return PLACE.sub(_short, words)


def _short(found: re.Match[str]) -> str:
    before, path = found["before"], found["path"]
    if path is None and found["scheme"].lower() != "file://" and found["rest"][:1] not in ("", "/", "\\"):
        return f"{before}{found['scheme']}{found['rest']}"
    return before + PurePath((path or found["rest"]).replace("\\", "/")).name


def _is_evaluation(row: Mapping[str, Any]) -> bool:
    return type(row.get("iteration")) is int and all(
        isinstance(row.get(name), dict) for name in ("protocol", "figures")
    )


def samples_of(folder: Path, iteration: int) -> Path | None:
    """The sample grid of that iteration of a run, or the last one before it; or that of an export."""
    files = RunFolder(folder)
    grids = [file for file in files.grids() if int(file.stem) <= iteration]
    return next((file for file in (*reversed(grids), files.picture) if file.is_file() and not file.is_symlink()), None)
