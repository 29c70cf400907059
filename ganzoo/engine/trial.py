"""Trying a run before it is made: how long it will take, what memory, and the largest batch that fits."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from ganzoo import machine
from ganzoo.data.load import Data, load
from ganzoo.engine.graph import WARM_UP
from ganzoo.engine.torchrun import rank_and_count
from ganzoo.engine.training import Training, build
from ganzoo.errors import OptionError, OutOfMemory
from ganzoo.losses import Losses
from ganzoo.options import RunOptions

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LONGEST = 64
"""Iterations at most that are taken for a cycle of players: some move on every thousandth only."""
SECONDS = 3.0
"""How long a dry run trains, once it is warm; a whole cycle of players at least."""
SHARE = 0.5
"""Of the CPU's free memory, what the tensors of the largest batch may fill: gaps between them take as much again."""
MOST_OF_TWO, MOST_OF_MORE = 1 / 2, 1 / 8
"""Of the CPU's free memory, what a batch may use for one of twice its size to be tried: a batch of two may use more, as
there is nothing to reckon by before one of four was tried."""
EXACT = 16
"""The largest batch that fits is looked for until a step is one in so many."""


@dataclass(frozen=True)
class Trial:
    """What a dry run found."""

    losses: dict[str, float]
    """Of the iteration in which every player moved."""
    seconds: float
    """For one iteration, on average over whole cycles of players."""
    images_per_second: float
    peak: int | None
    """The most memory in use, in bytes: a GPU's, else that of the process; None where it cannot be told."""
    iterations: int
    """How many the run has before it."""
    whole: float
    """Seconds that these will take, samples and the images of evaluations included, checkpoints not."""


def try_out(training: Training) -> Trial:
    """Trains for a few seconds, every player at least once."""
    engine, options = training.engine, training.options
    left = max(0, training.iterations - training.began)
    machine.reset_peak(engine.device)
    losses = warm_up(training)
    with stopwatch(engine.device) as picture:
        training.samples()
    parts = 0
    with stopwatch(engine.device) as part:
        if training.evaluation:
            parts = training.rehearse(training.evaluation)
    made = 0
    with stopwatch(engine.device) as spent:
        # One clock for all processes, which must stop after the same iteration.
        while made % min(engine.cycle, LONGEST) or engine.ranks.any(engine.ranks.leads and spent() < SECONDS):
            training.step()
            made += 1
    seconds = spent() / made
    return Trial(
        losses={name: engine.ranks.mean(value).item() for name, value in losses.items()},
        seconds=seconds,
        images_per_second=options.batch_size / seconds,
        peak=machine.peak(engine.device),
        iterations=left,
        whole=left * seconds
        + left // options.sample_every * picture()
        + left // (options.evaluate_every or left + 1) * parts * part(),
    )


def warm_up(training: Training) -> Losses:
    """Every player moves at once, then often enough for all that is captured to be; the losses of the first time.

    It skips to the run's last phase: the longest, as a rule, and the one in which most players move.
    """
    engine = training.engine
    engine.iteration = max(engine.iteration, engine.phases[-1])
    losses = training.step(everyone=True)
    for _ in range((WARM_UP + 2) * min(engine.cycle, LONGEST) if engine.graphs else 1):
        training.step()
    return losses


@contextmanager
def stopwatch(device: torch.device) -> Iterator[Callable[[], float]]:
    """Gives the seconds since it began, and once it is left those that all within took, the GPU's work included."""
    wait = partial(torch.cuda.synchronize, device) if device.type == "cuda" else int
    wait()
    since, end = time.perf_counter(), list[float]()
    yield lambda: (end[0] if end else time.perf_counter()) - since
    wait()
    end.append(time.perf_counter())


def advised(attempt: Callable[[], Result], options: RunOptions, data_dir: Path | None) -> Result:
    """What the attempt gives; if it runs out of memory, the error of a single process says which batch would not.

    Raises:
        OutOfMemory: with the largest batch that fits.
    """
    room = machine.free_memory()
    try:
        return attempt()
    except OutOfMemory as error:
        complaint = str(error)
    # Here, past the handler, nothing holds on any longer to what filled the memory.
    if max(options.processes, rank_and_count()[1]) > 1 or (options.place().type == "cpu" and room is None):
        raise OutOfMemory(f"{complaint}; try a smaller --batch-size or --image-size, or smaller networks")
    log.warning("%s; looking for the largest batch that fits", complaint)
    data = load(options, options.gan.needs, options.gan.streams, data_dir, options.gan.shrinks)

    def need(batch_size: int) -> int | None:
        return used(options.model_copy(update={"batch_size": batch_size}), data)

    if options.place().type == "cuda":
        batch = largest_tried(options.batch_size, need)
    else:
        rows = sum(column.nbytes for stream in data.streams for column in stream.values())
        batch = largest_reckoned(options.batch_size, need, max(0, (room or 0) - rows))
    if not batch:
        raise OutOfMemory(f"{complaint}, nor for any smaller batch; try a smaller --image-size or smaller networks")
    raise OutOfMemory(f"{complaint}; the largest batch that fits is about {batch}: --batch-size {batch}")


def largest_tried(too_large: int, memory_of: Callable[[int], int | None]) -> int:
    """The largest batch that fits, to one part in sixteen: half of one that does not, until one does, then between."""
    least, most = 0, too_large
    while most - least > max(1, least // EXACT):
        middle = (least + most) // 2
        least, most = (least, middle) if memory_of(middle) is None else (middle, most)
    return least


def largest_reckoned(too_large: int, memory_of: Callable[[int], int | None], room: int) -> int:
    """The same from what small batches use: for the CPU, where libraries below torch crash when memory is full."""
    batch, first = 2, memory_of(2)
    if first is None:
        return 0
    now = first
    while now < room * (MOST_OF_TWO if batch == 2 else MOST_OF_MORE) and 2 * batch < too_large:
        if (more := memory_of(2 * batch)) is None:
            return batch
        batch, now = 2 * batch, more
    if now <= first:
        return min(too_large - 1, batch)
    return min(too_large - 1, batch + max(0, int((SHARE * room - now) * (batch - 2) / (now - first))))


def used(options: RunOptions, data: Data) -> int | None:
    """The memory, in bytes, in which every player can move, twice, and samples be made.

    None if they cannot, or it cannot be told.
    """
    device = options.place()
    machine.clear_memory(device)
    before = machine.peak(device) if device.type == "cpu" else 0
    try:
        training = build(options, data)
        warm_up(training)
        training.samples()
    except OptionError:  # it is too small for a normalisation, or too large for the memory
        return None
    after = machine.peak(device)
    return None if before is None or after is None else after - before
