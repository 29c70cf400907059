"""Rows of benchmarks/results: how a GAN was trained, and what was measured of it."""

import json
import shlex
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image
from pytest_benchmark.utils import get_commit_info

from benchmarks.proofs import Figures, Proof, untrained
from ganzoo.base.environment import environment
from ganzoo.config import NamedConfig, cli_name
from ganzoo.options.run import HEADINGS, RunOptions, resolve
from ganzoo.runs.folder import RunFolder
from ganzoo.training.trainer import Trainer

Row: TypeAlias = Mapping[str, Any]

RESULTS = Path(__file__).parent / "results"
PICTURES = Path(__file__).parents[1] / "docs" / "images" / "zoo"
SAMPLES = 10_000
"""Samples at most, and images of the split that is measured on."""
COLUMNS = ("three minutes", "trained")
"""Columns of the tables: what a default recipe learns on the spot, and the weights that ship."""
INCIDENTAL = {"device", "threads", *HEADINGS["Checkpoints"].model_fields}
"""Options that no weight depends on, but for rounding."""
COLORS = 256
"""Of a picture that is kept: as many as a PNG can index."""


@dataclass(frozen=True)
class Effort:
    """How long a run trained, samples, evaluations and checkpoints not counted."""

    seconds: float
    iterations: int
    images: int

    @classmethod
    def of(cls, folder: Path) -> "Effort":
        """Sum the lines of a run's metrics, those of a resumed run included."""
        seconds, iterations, images = 0.0, 0, 0
        for line in RunFolder(folder).metrics.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            seconds += (entry["images"] - images) / entry["images_per_second"]
            iterations, images = entry["iteration"], entry["images"]
        return cls(round(seconds, 1), iterations, images)


@dataclass(frozen=True)
class Trial:
    """One training, and its figures."""

    options: RunOptions
    effort: Effort
    machine: Mapping[str, str]
    """Versions and devices, as environment.json has them."""
    figures: Figures

    @classmethod
    def of(cls, folder: Path, options: RunOptions, figures: Figures) -> "Trial":
        """Read a run folder."""
        return cls(options, Effort.of(folder), machine_of(folder), figures)


def machine_of(folder: Path) -> dict[str, str]:
    """Versions and devices that a run was trained with; no command, path or name of a machine."""
    files = RunFolder(folder)
    known = environment().keys()
    found = files.read(files.environment)
    return {name: str(value) for name, value in found.items() if name in known or name.startswith("cuda:")}


def precision_of(options: RunOptions, machine: Mapping[str, str]) -> str:
    """Arithmetic of the networks, as `--precision` calls it; "auto" resolved for the machine that trained."""
    if options.precision != "auto":
        return options.precision
    on_gpu = options.device != "cpu" and any(name.startswith("cuda:") for name in machine)
    return "bf16" if on_gpu or "avx512_bf16" in machine["cpu bf16"] else "fp32"


def make_row(name: str, column: str, proof: Proof, fresh: Trainer, trials: Sequence[Trial]) -> dict[str, Any]:
    """Describe trainings that differ by their seed, and what was measured of them.

    Args:
        name: of the row and of its picture.
        column: of the tables, one of `COLUMNS`.
        proof: what measured them.
        fresh: the run of the first before its first iteration.
        trials: the trainings; figures are medians, `spread` has the least and the greatest.
    """
    first = trials[0]
    names = first.figures.keys()
    several = {figure: [trial.figures[figure] for trial in trials] for figure in names}
    return {
        "gan": first.options.gan.name,
        "name": name,
        "picture": f"{name}{'-trained' if column == 'trained' else ''}.png",
        "column": column,
        "recipe": first.options.recipe,
        "default_recipe": first.options.recipe == next(iter(first.options.gan.recipes), None),
        "command": command(first.options),
        "shows": proof.shows,
        "example": proof.example(name),
        "language": proof.language,
        "seeds": [trial.options.seed for trial in trials],
        "seconds": statistics.median(trial.effort.seconds for trial in trials),
        "iterations": round(statistics.median(trial.effort.iterations for trial in trials)),
        "images": round(statistics.median(trial.effort.images for trial in trials)),
        "trained": {figure: statistics.median(values) for figure, values in several.items()},
        "spread": {figure: [min(values), max(values)] for figure, values in several.items()} if trials[1:] else {},
        "untrained": proof.measure(untrained(fresh)),
        "beside": proof.beside(fresh),
        "protocol": proof.protocol(),
        "headline": proof.headline,
        "precision": precision_of(first.options, first.machine),
        "options": first.options.model_dump(mode="json"),
        "machine": dict(first.machine),
        "commit": commit(),
    }


def command(options: RunOptions) -> str:
    """Shortest command line of a run: what differs from the GAN's own defaults."""
    gan = type(options.gan)
    recipe = {"recipe": options.recipe} if options.recipe else {}
    default = resolve(gan, recipe)
    usual, told = _flags(default) | _of_choices(default, options), _flags(options)
    words = ["--recipe", str(options.recipe)] if options.recipe != next(iter(gan.recipes), None) else []
    for name, value in told.items():
        if usual.get(name) != value:
            words += _typed(name, value)
    return shlex.join(["ganzoo", "run", gan.name, *words])


def _flags(options: RunOptions) -> dict[str, Any]:
    """Values by the names of flags, but for the GAN, its recipe, and what no weight depends on."""
    found = {}
    for name, value in options.flat().items():
        *path, last = name.removeprefix("gan.").split(".")
        if path and last in ("kind", "name") and path[0] != "player":
            last = path.pop()  # what a choice has chosen
        if name not in ("gan.name", "recipe") and (path or last not in INCIDENTAL):
            found[".".join([*path, last])] = value
    return found


def _of_choices(default: RunOptions, options: RunOptions) -> dict[str, Any]:
    """Default values of what a choice holds that was made otherwise: `--as edges` has fields that no default has."""
    pairs = [(default, options), (default.gan, options.gan)]
    found = {}
    for theirs, mine in pairs:
        for name in type(mine).model_fields:
            chosen = getattr(mine, name)
            if isinstance(chosen, NamedConfig) and type(chosen) is not type(getattr(theirs, name)):
                for field, about in type(chosen).model_fields.items():
                    found[cli_name(f"{name}.{field}")] = about.default
    return found


def _typed(name: str, value: Any) -> list[str]:
    """One option as it is typed."""
    if name.startswith("player."):
        return ["--player", f"{name.removeprefix('player.')}={value}"]
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if name == "image_size" and len(sides := set(value.split("x"))) == 1:
        (value,) = sides
    return [f"--{flag}", ",".join(map(str, value)) if isinstance(value, list) else str(value)]


def commit() -> str:
    """Commit that was measured, and whether files were changed since."""
    info = get_commit_info("ganzoo")
    return f"{info['id']}{' and changes' if info['dirty'] else ''}"


def keep_row(row: Row, results: Path) -> None:
    """Write a row into a folder of results."""
    results.mkdir(parents=True, exist_ok=True)
    prefix = "quality-trained" if row["column"] == "trained" else "quality"
    (results / f"{prefix}-{row['name']}.json").write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")


def read_rows(files: Iterable[Path]) -> list[Row]:
    """Rows of files."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def keep_picture(picture: Image.Image, file: Path) -> None:
    """Write a picture in few bytes: colors are reduced to 256."""
    small = picture if picture.mode == "L" else picture.convert("RGB").quantize(COLORS)
    file.parent.mkdir(parents=True, exist_ok=True)
    small.save(file, optimize=True)


def brief(figures: Figures) -> str:
    """Figures in one line."""
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
