"""Dry runs: time, memory and the largest batch that fits."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from ganzoo.base import system
from ganzoo.base.torchrun import rank_and_count
from ganzoo.data.load import Data, load
from ganzoo.engine.cuda_graphs import WARM_UP
from ganzoo.errors import OptionError, OutOfMemory
from ganzoo.losses import Losses
from ganzoo.options.run import RunOptions
from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)

Result = TypeVar("Result")

LONGEST = 64
"""Largest number of iterations for a cycle of players: some move only every thousandth iteration."""
SECONDS = 3.0
"""Training time of a dry run after warm-up, in seconds; at least one whole cycle of players."""
SHARE = 0.5
"""Share of the CPU's free memory for the tensors of the largest batch; fragmentation takes as much again."""
MOST_OF_TWO, MOST_OF_MORE = 1 / 2, 1 / 8
"""Largest share of the CPU's free memory in use by a batch before one of twice its size is tried. It is higher for a
batch of two, the first one, which nothing can be extrapolated from."""
EXACT = 16
"""Precision of the search for the largest batch, as the inverse of a share of it."""


@dataclass(frozen=True)
class Trial:
    """Result of a dry run."""

    losses: dict[str, float]
    """Losses of the iteration in which every player moved."""
    seconds: float
    """Mean seconds per iteration, over whole cycles of players."""
    images_per_second: float
    peak: int | None
    """Peak memory in bytes, of the GPU or else the process; None if unknown."""
    iterations: int
    """Remaining iterations of the run."""
    whole: float
    """Estimated seconds for these, with sample grids and the images of evaluations, without checkpoints."""


def try_out(trainer: Trainer) -> Trial:
    """Train for a few seconds, every player at least once."""
    engine, options = trainer.engine, trainer.options
    left = max(0, trainer.iterations - trainer.start_iteration)
    system.reset_peak(engine.device)
    losses = warm_up(trainer)
    with stopwatch(engine.device) as picture:
        trainer.samples()
    parts = 0
    with stopwatch(engine.device) as part:
        if trainer.evaluation:
            parts = trainer.rehearse(trainer.evaluation)
    made = 0
    with stopwatch(engine.device) as spent:
        # The main process's clock decides: all processes must stop after the same iteration.
        while made % min(engine.cycle, LONGEST) or engine.distributed.any(
            engine.distributed.is_main_process and spent() < SECONDS
        ):
            trainer.step()
            made += 1
    seconds = spent() / made
    return Trial(
        losses={name: engine.distributed.mean(value).item() for name, value in losses.items()},
        seconds=seconds,
        images_per_second=options.batch_size / seconds,
        peak=system.peak(engine.device),
        iterations=left,
        whole=left * seconds
        + left // options.sample_every * picture()
        + left // (options.evaluate_every or left + 1) * parts * part(),
    )


def warm_up(trainer: Trainer) -> Losses:
    """Run an iteration of all players, then enough for all captures; return the losses of the first.

    It skips to the last phase of the run, usually the longest and the one with most players.
    """
    engine = trainer.engine
    engine.iteration = max(engine.iteration, engine.phases[-1])
    losses = trainer.step(everyone=True)
    for _ in range((WARM_UP + 2) * min(engine.cycle, LONGEST) if engine.graphs else 1):
        trainer.step()
    return losses


@contextmanager
def stopwatch(device: torch.device) -> Iterator[Callable[[], float]]:
    """Yield a function that returns elapsed seconds, and after exit the seconds spent inside, including GPU work."""
    wait = partial(torch.cuda.synchronize, device) if device.type == "cuda" else int
    wait()
    since, end = time.perf_counter(), list[float]()
    yield lambda: (end[0] if end else time.perf_counter()) - since
    wait()
    end.append(time.perf_counter())


def advised(attempt: Callable[[], Result], options: RunOptions, data_dir: Path | None) -> Result:
    """Return the result of the attempt; if it runs out of memory, search for the largest batch that fits.

    Raises:
        OutOfMemory: with the largest batch that fits, if there is a single process.
    """
    room = system.free_memory()
    try:
        return attempt()
    except OutOfMemory as error:
        complaint = str(error)
    # Search here, after the handler, where nothing references the failed attempt's memory any longer.
    if max(options.processes, rank_and_count()[1]) > 1 or (options.resolve_device().type == "cpu" and room is None):
        raise OutOfMemory(f"{complaint}; try a smaller --batch-size or --image-size, or smaller networks")
    log.warning("%s; looking for the largest batch that fits", complaint)
    data = load(options, options.gan.needs, options.gan.streams, data_dir, options.gan.scale_factor)

    def need(batch_size: int) -> int | None:
        return used(options.model_copy(update={"batch_size": batch_size}), data)

    if options.resolve_device().type == "cuda":
        batch = largest_tried(options.batch_size, need)
    else:
        rows = sum(column.nbytes for stream in data.streams for column in stream.values())
        batch = largest_reckoned(options.batch_size, need, max(0, (room or 0) - rows))
    if not batch:
        raise OutOfMemory(f"{complaint}, nor for any smaller batch; try a smaller --image-size or smaller networks")
    raise OutOfMemory(f"{complaint}; the largest batch that fits is about {batch}: --batch-size {batch}")


def largest_tried(too_large: int, memory_of: Callable[[int], int | None]) -> int:
    """Return the largest batch that fits, to one part in sixteen, by bisection."""
    least, most = 0, too_large
    while most - least > max(1, least // EXACT):
        middle = (least + most) // 2
        least, most = (least, middle) if memory_of(middle) is None else (middle, most)
    return least


def largest_reckoned(too_large: int, memory_of: Callable[[int], int | None], room: int) -> int:
    """Return the largest batch extrapolated from small ones: on a CPU, libraries crash when memory is full."""
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
    """Return the memory, in bytes, that training and sampling take; None if they fail or it is unknown."""
    device = options.resolve_device()
    system.clear_memory(device)
    before = system.peak(device) if device.type == "cpu" else 0
    try:
        trainer = Trainer.build(options, data)
        warm_up(trainer)
        trainer.samples()
    except OptionError:  # batch too small for a normalization, or too large for the memory
        return None
    after = system.peak(device)
    return None if before is None or after is None else after - before
