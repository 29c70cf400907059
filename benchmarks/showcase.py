"""Trains what ships with ganzoo: the GANs of `showcase.toml`, in phases that can be run apart and again.

`python -m benchmarks.showcase train [NAME ...]` trains in run folders, and continues those that were stopped;
`measure` measures what is there on the test split, and keeps rows and pictures; `ship` exports the weights, with the
figures of `ganzoo evaluate`, to where the package takes them from.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ganzoo_export.exporting import Exported, export
from pydantic import BaseModel, ConfigDict, Field

import ganzoo
from benchmarks.proofs import Proof, proofs
from benchmarks.quality import length_of
from benchmarks.rows import PICTURES, RESULTS, SAMPLES, Trial, brief, keep_picture, keep_row, make_row
from ganzoo.errors import Diverged, RunFolderError, UnknownName, UserError
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.status import Status
from ganzoo.sampling.trained import TrainedGAN
from ganzoo.training import run as runs
from ganzoo.training.resume import options_of
from ganzoo.training.trainer import Trainer

PLAN = Path(__file__).parent / "showcase.toml"
RUNS = Path("runs") / "showcase"
SHIPPED = Path(__file__).parents[1] / "plugins" / "ganzoo_pretrained"
DEFAULTS: Mapping[str, Any] = {"threads": 1, "sample_every": 2000, "checkpoint_every": 2000}
"""Options of every training, unless the plan says otherwise."""
LENGTH = ("epochs", "limit")
"""Options that follow from `minutes` when a training begins."""


class Entry(BaseModel):
    """One table of the plan; what it does not know are options of the run."""

    model_config = ConfigDict(frozen=True, extra="allow")

    gan: str | None = None
    minutes: float | None = Field(None, gt=0)
    weights: Literal["newest", "best"] = "newest"
    licence: str = "cc-by-sa-4.0"
    """License of the weights: that of the data sets which ship with ganzoo, whose licenses ask for it."""


@dataclass(frozen=True)
class Training:
    """One training of the plan."""

    name: str
    entry: Entry

    @property
    def options(self) -> RunOptions:
        """Its configuration; where it lasts minutes, without its length."""
        gan = zoo().gan(self.entry.gan or self.name)
        return resolve(gan, {**DEFAULTS, **(self.entry.model_extra or {})})

    def proofs(self) -> list[type[Proof]]:
        """Proofs of its GAN on the data that it is trained on."""
        options = self.options
        kinds = proofs(type(options.gan))
        return [kind for kind in kinds if kind.options.get("data", options.data.name) == options.data.name]

    def train(self, folder: Path) -> None:
        """Train, or continue a training, to its end.

        Raises:
            RunFolderError: the folder holds another run, or another process trains in it.
        """
        files = RunFolder(folder)
        if not files.holds_run:
            options = self.options
            if self.entry.minutes:
                options = options.model_copy(update=length_of(Trainer.setup(options), 60 * self.entry.minutes))
        elif finished(files):
            self.check(folder)
            return
        else:
            self.check(folder)
            options = options_of(files, {})
        runs.run(options, folder)

    def check(self, folder: Path) -> None:
        """Refuse a folder that holds another run than the plan's.

        Raises:
            RunFolderError: it does.
        """
        kept = RunFolder(folder).read(RunFolder(folder).config)
        length = {name: kept.get(name) for name in LENGTH} if self.entry.minutes else {}
        if different := self.options.model_copy(update=length).differences(kept):
            raise RunFolderError(
                f"{folder} holds another run than the plan: its {'; its '.join(different)}. "
                "Move it away to train anew, or change the plan"
            )

    def load(self, folder: Path) -> TrainedGAN:
        """The weights that ship.

        Raises:
            RunFolderError: there are none yet.
        """
        return ganzoo.load(folder, device="cpu", checkpoint=self.entry.weights)

    def measure(self, folder: Path, samples: int, results: Path, pictures: Path) -> None:
        """Measure its weights, and keep a row and a picture for each proof.

        Raises:
            RunFolderError: there are no weights yet.
        """
        trained = self.load(folder)
        options = options_of(RunFolder(folder), {"device": "cpu"})
        kinds = self.proofs()
        for kind in kinds:
            name = self.name if kind is kinds[0] else f"{self.name}-{kind.name.replace(' ', '-')}"
            proof = kind(options, samples)
            trial = Trial.of(folder, options, proof.measure(trained))
            row = make_row(name, "trained", proof, Trainer.setup(options), [trial])
            keep_picture(proof.picture(trained), pictures / row["picture"])
            keep_row(row, results)
            say(f"{name}: {row['seconds'] / 60:.0f} min, {brief(row['untrained'])} -> {brief(row['trained'])}")

    def ship(self, folder: Path, shipped: Path) -> Exported:
        """Export its weights in half precision, discriminators included; what was shipped before is replaced.

        Raises:
            UserError: there are no weights yet, or they cannot be measured or written.
        """
        trained = self.load(folder)
        files = RunFolder(folder)
        lines = files.evaluations.read_text(encoding="utf-8").splitlines() if files.evaluations.is_file() else []
        measured = [json.loads(line) for line in lines]
        if not any(line["iteration"] == trained.iteration and line["protocol"]["split"] == "test" for line in measured):
            ganzoo.evaluate(trained)
        place = shipped / self.name
        kept, licence = self.entry.weights, self.entry.licence
        return export(folder, out=place, checkpoint=kept, licence=licence, half=True, all_networks=True)


def finished(files: RunFolder) -> bool:
    """Whether a run came to its end."""
    return files.status.is_file() and files.load(files.status, Status).state == "finished"


def read_plan(file: Path, names: Iterable[str] = ()) -> list[Training]:
    """Trainings of a plan, those of the names or all.

    Raises:
        UnknownName: it has none of that name.
    """
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    for name in names:
        if name not in tables:
            raise UnknownName("training", name, tables)
    return [Training(name, Entry.model_validate(tables[name])) for name in names or tables]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description="Train, measure and export what ships with ganzoo.")
    parser.add_argument("phase", choices=("train", "measure", "ship"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="trainings of the plan (default: all)")
    parser.add_argument("--plan", type=Path, default=PLAN, metavar="FILE", help="default: showcase.toml")
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="FOLDER", help="run folders (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="samples, and test images at most")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="FOLDER")
    parser.add_argument("--shipped", type=Path, default=SHIPPED, metavar="FOLDER", help="where weights are shipped")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a phase for each training; what cannot be done is said, and the others go on.

    Returns:
        How many could not be done.
    """
    given, failures = parser().parse_args(words), 0
    for training in read_plan(given.plan, given.names):
        folder = given.runs / training.name
        try:
            if given.phase == "train":
                training.train(folder)
                say(f"{training.name}: trained in {folder}")
            elif given.phase == "ship":
                made = training.ship(folder, given.shipped)
                say(f"{training.name}: {made.model.stat().st_size / 1e6:.2f} MB in {made.folder}")
            else:
                training.measure(folder, given.samples, given.results, given.pictures)
        except (UserError, Diverged) as error:
            failures += 1
            say(f"{training.name}: {error}")
    return failures


if __name__ == "__main__":
    sys.exit(min(1, main()))
