"""Shows that each GAN learns: trains it for a stated time, measures it, keeps a row and a picture.

`python -m benchmarks.quality [GAN[:RECIPE] ...]`, then `python -m benchmarks.quality_table`: see README.md.
"""

import argparse
import json
import logging
import math
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from pytest_benchmark.utils import get_commit_info

import ganzoo
from benchmarks.proofs import Figures, Proof, proofs, untrained
from ganzoo import pictures
from ganzoo.engine.callback import Callback
from ganzoo.engine.training import Training, prepare
from ganzoo.engine.trial import stopwatch, warm_up
from ganzoo.environment import environment
from ganzoo.gan import GAN
from ganzoo.options import resolve
from ganzoo.plugins import zoo

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PICTURES = HERE.parent / "docs" / "images" / "zoo"
SAMPLES = 10_000
RIVALS = ("dcgan:chapter", "dcgan:quick", "lsgan", "wgan-gp:quick", "wgan-gp", "r3gan", "stylegan2")
"""What is compared after equal time; the first is what the others are compared with."""
RARELY = 10**9
"""Iterations between samples and checkpoints, for none but the last."""


@dataclass(frozen=True)
class Work:
    """A GAN to train and to measure."""

    gan: type[GAN]
    proof: type[Proof]
    recipe: str | None
    seconds: float
    """That training should take, on the clock of the wall, samples and checkpoints not counted."""
    seed: int = 0
    threads: int | None = None
    samples: int = SAMPLES
    equal_time: bool = False

    @property
    def stem(self) -> str:
        """How its files are called."""
        kinds = proofs(self.gan)
        words = [self.gan.name, self.recipe, self.proof.name if self.proof is not kinds[0] else None]
        return "-".join(word.replace(" ", "-") for word in words if word)

    @property
    def given(self) -> dict[str, Any]:
        """What a run is told, but for its length."""
        recipe = {"recipe": self.recipe} if self.recipe else {}
        threads = {"threads": self.threads} if self.threads else {}
        return {**recipe, **self.proof.options, **threads, "seed": self.seed}


@dataclass
class Clock(Callback):
    """How long iterations took: what is logged says it, samples and checkpoints not counted."""

    seconds: float = 0.0
    images: int = 0
    iterations: int = 0

    def logged(self, training: Training, row: dict[str, float]) -> None:
        made = int(row["iteration"]) - self.iterations
        self.seconds += made * training.options.batch_size / row["images_per_second"]
        self.iterations, self.images = int(row["iteration"]), int(row["images"])


def show(work: Work, results: Path, folder: Path) -> dict[str, Any]:
    """Trains, measures, and keeps the row; the picture stays in the run's folder as `picture.png`.

    Returns:
        The row.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(work.threads or threads)
    try:
        return _shown(work, results, folder)
    finally:
        torch.set_num_threads(threads)


def _shown(work: Work, results: Path, folder: Path) -> dict[str, Any]:
    fresh = prepare(resolve(work.gan, work.given))
    proof = work.proof(fresh.options, work.samples)
    before, beside = proof.measure(untrained(fresh)), proof.beside(fresh)
    length = lasting(prepare(fresh.options), work.seconds)
    clock = Clock()
    given: dict[str, Any] = {**work.given, **length}
    rarely: dict[str, Any] = {"sample_every": RARELY, "checkpoint_every": RARELY}
    trained = ganzoo.run(work.gan, out=folder, callback=clock, **given, **rarely)
    after = proof.measure(trained)
    pictures.save(proof.picture(trained), folder / "picture.png")
    row = {
        "gan": work.gan.name,
        "picture": f"{work.stem}.png",
        "recipe": resolve(work.gan, given).recipe,
        "equal_time": work.equal_time,
        "command": command(work.gan, given),
        "seed": work.seed,
        "seconds_asked": work.seconds,
        "seconds": round(clock.seconds, 1),
        "iterations": clock.iterations,
        "images": clock.images,
        "trained": after,
        "untrained": before,
        "beside": beside,
        "protocol": proof.protocol(),
        "headline": proof.headline,
        "options": resolve(work.gan, given).model_dump(mode="json"),
        "machine": environment(),
        "commit": commit(),
    }
    results.mkdir(parents=True, exist_ok=True)
    prefix = "quality-equal-time" if work.equal_time else "quality"
    (results / f"{prefix}-{work.stem}.json").write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
    return row


def lasting(training: Training, seconds: float) -> dict[str, int]:
    """Epochs, and images of each, in which a run trains for about so long: a schedule must know its end beforehand."""
    warm_up(training)
    made, cycle = 0, training.engine.cycle
    with stopwatch(training.engine.device) as spent:
        while spent() < max(3.0, seconds / 20) or made % min(cycle, 64):
            training.step()
            made += 1
    iterations, most = max(1, round(seconds * made / spent())), training.batches.per_epoch
    epochs = math.ceil(iterations / most)
    return {"epochs": epochs, "limit": max(1, round(iterations / epochs)) * training.options.batch_size}


def command(gan: type[GAN], given: Mapping[str, object]) -> str:
    """The command line of the same run."""
    words = [word for name, value in given.items() for word in (f"--{name.rstrip('_').replace('_', '-')}", str(value))]
    return shlex.join(["ganzoo", "run", gan.name, *words])


def commit() -> str:
    """What was measured, and whether it was changed since."""
    info = get_commit_info("ganzoo")
    return f"{info['id']}{' and changes' if info['dirty'] else ''}"


def planned(given: argparse.Namespace) -> list[Work]:
    """All that was asked for."""
    names = given.gans or (RIVALS if given.equal_time else sorted(zoo().gans))
    works = []
    for name, _, recipe in (text.partition(":") for text in names):
        gan = zoo().gan(name)
        for proof in proofs(gan)[: 1 if given.equal_time else None]:
            seconds = given.equal_time or given.budget or proof.seconds
            rest = given.seed, given.threads, given.samples, bool(given.equal_time)
            works.append(Work(gan, proof, recipe or None, seconds, *rest))
    part, parts = given.part
    return works[part - 1 :: parts]


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    parser = argparse.ArgumentParser(description="Trains each GAN for a stated time and measures what it learned.")
    parser.add_argument("gans", nargs="*", metavar="GAN[:RECIPE]", help="default: every GAN of the registry")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="of training each; default: its proof's own")
    parser.add_argument("--equal-time", type=float, metavar="SECONDS", help=f"compare {', '.join(RIVALS)}, or GANs")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="made images, and test images at most")
    parser.add_argument("--part", type=fraction, default=(1, 1), metavar="N/M", help="for several processes")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="FOLDER")
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="keep run folders here; default: nowhere")
    return parser


def main(words: Sequence[str] | None = None) -> None:
    given = parser().parse_args(words)
    for work in planned(given):
        with place(given.runs, work.stem) as folder:
            row = show(work, given.results, folder)
            keep_picture(folder / "picture.png", given.pictures / f"{work.stem}.png")
        sys.stdout.write(f"{work.stem}: {row['seconds']:.0f} s, {brief(row['untrained'])} -> {brief(row['trained'])}\n")
        sys.stdout.flush()


def fraction(text: str) -> tuple[int, int]:
    """`2/3`: the second of three."""
    part, _, parts = text.partition("/")
    return int(part), int(parts)


@contextmanager
def place(kept: Path | None, stem: str) -> Iterator[Path]:
    """A folder for a run."""
    if kept:
        yield kept / stem
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / stem


def keep_picture(made: Path, file: Path) -> None:
    """Keeps a picture in few bytes: large ones in 256 colours."""
    with Image.open(made) as picture:
        small = picture if picture.mode == "L" else picture.convert("RGB").quantize(256)
        file.parent.mkdir(parents=True, exist_ok=True)
        small.save(file, optimize=True)


def brief(figures: Figures) -> str:
    """Figures in one line."""
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())


if __name__ == "__main__":
    main()
