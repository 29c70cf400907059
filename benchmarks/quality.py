"""What each GAN learns in three minutes: its default recipe is trained, measured, and kept as a row and a picture.

`python -m benchmarks.quality [GAN[:RECIPE] ...]`, then `python -m benchmarks.quality_table`: see README.md. Long
trainings, whose weights ship with ganzoo, are `showcase.py`'s.
"""

import argparse
import logging
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import ganzoo
from benchmarks.proofs import Proof, proofs
from benchmarks.rows import PICTURES, RESULTS, SAMPLES, Trial, brief, keep_picture, keep_row, make_row
from ganzoo.contract.gan import GAN
from ganzoo.data.dataset import Part
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.training.dry_run import stopwatch, warm_up
from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)

SECONDS = 180.0
SELDOM = 10**9
"""Iterations between samples and checkpoints: more than a run has, so that only the last one makes them."""
CHOOSE = "hold images out of training and measure on them, not on the test split; keep nothing unless a folder is given"
WHOLE = 5
"""Epochs from which a run's length is rounded to whole ones, rather than to a part of the data in each."""


@dataclass(frozen=True)
class Work:
    """A GAN to train and to measure."""

    gan: type[GAN]
    proof: type[Proof]
    recipe: str | None = None
    seconds: float = SECONDS
    """Of training, on the wall clock; samples and checkpoints not counted."""
    seeds: tuple[int, ...] = (0,)
    threads: int | None = None
    """None: all cores."""
    samples: int = SAMPLES
    split: Part = "test"

    @property
    def name(self) -> str:
        """Name of its row and of its picture."""
        kinds = proofs(self.gan)
        words = [self.gan.name, self.recipe, self.proof.name if self.proof is not kinds[0] else None]
        return "-".join(word.replace(" ", "-") for word in words if word)

    def options(self, seed: int) -> dict[str, Any]:
        """Options of a run, but for its length."""
        recipe = {"recipe": self.recipe} if self.recipe else {}
        threads = {"threads": self.threads} if self.threads else {}
        hold_out = {"hold_out": self.proof.hold_out} if self.split == "held-out" else {}
        return {**recipe, **self.proof.options, **threads, **hold_out, "seed": seed}


def measure(work: Work, folder: Path) -> dict[str, Any]:
    """Train with each seed in a folder of its own, and measure.

    The picture is of the first seed, and stays in its run folder as `picture.png`.

    Returns:
        The row.
    """
    threads = torch.get_num_threads()
    try:
        return _measure(work, folder)
    finally:
        torch.set_num_threads(threads)


def _measure(work: Work, folder: Path) -> dict[str, Any]:
    fresh = Trainer.setup(resolve(work.gan, work.options(work.seeds[0])))
    proof = work.proof(fresh.options, work.samples, work.split)
    length = length_of(Trainer.setup(fresh.options), work.seconds)  # another one, as measuring the speed trains it
    trials = []
    for seed in work.seeds:
        place = folder / f"seed-{seed}"
        options = {**work.options(seed), **length}
        seldom: dict[str, Any] = {"sample_every": SELDOM, "checkpoint_every": SELDOM}
        trained = ganzoo.run(work.gan, out=place, display=False, **options, **seldom)
        trials.append(Trial.of(place, resolve(work.gan, options), proof.measure(trained)))
        if seed == work.seeds[0]:
            keep_picture(proof.picture(trained), folder / "picture.png")
    return make_row(work.name, "three minutes", proof, fresh, trials) | {"seconds_asked": work.seconds}


def length_of(trainer: Trainer, seconds: float) -> dict[str, int]:
    """Epochs, and images of each, in which a run trains for about so long: a schedule must know its end beforehand."""
    warm_up(trainer)
    made, cycle = 0, trainer.engine.cycle
    with stopwatch(trainer.engine.device) as spent:
        while spent() < max(3.0, seconds / 20) or made % min(cycle, 64):
            trainer.step()
            made += 1
    iterations, per_epoch = max(1, round(seconds * made / spent())), trainer.batches.per_epoch
    if iterations >= WHOLE * per_epoch:
        return {"epochs": round(iterations / per_epoch)}
    epochs = math.ceil(iterations / per_epoch)
    return {"epochs": epochs, "limit": max(1, round(iterations / epochs)) * trainer.options.batch_size}


def planned(given: argparse.Namespace) -> Iterator[Work]:
    """What the command line asks for."""
    for name, _, recipe in (text.partition(":") for text in given.gans or sorted(zoo().gans)):
        gan = zoo().gan(name)
        for proof in proofs(gan):
            seeds = tuple(given.seeds)
            yield Work(gan, proof, recipe or None, given.seconds, seeds, given.threads, given.samples, given.split)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description="Train each GAN for three minutes and measure what it learned.")
    parser.add_argument("gans", nargs="*", metavar="GAN[:RECIPE]", help="default: the default recipe of every GAN")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each training (default: %(default).0f)")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="one training for each")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="samples and real images, at most")
    parser.add_argument("--choose", action="store_const", const="held-out", default="test", dest="split", help=CHOOSE)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="of rows (default: benchmarks/results)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="default: docs/images/zoo")
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="keep run folders here (default: nowhere)")
    return parser


def main(words: Sequence[str] | None = None) -> None:
    given = parser().parse_args(words)
    for work in planned(given):
        with place(given.runs, work.name) as folder:
            row = measure(work, folder)
            reports = given.split == "test"
            if results := given.results or (RESULTS if reports else None):
                keep_row(row, results)
            if pictures := given.pictures or (PICTURES if reports else None):
                pictures.mkdir(parents=True, exist_ok=True)
                (pictures / row["picture"]).write_bytes((folder / "picture.png").read_bytes())
        sys.stdout.write(f"{work.name}: {row['seconds']:.0f} s, {brief(row['untrained'])} -> {brief(row['trained'])}\n")
        sys.stdout.flush()


@contextmanager
def place(kept: Path | None, name: str) -> Iterator[Path]:
    """A folder for the run folders of one row."""
    if kept:
        yield kept / name
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()
