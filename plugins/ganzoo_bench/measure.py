"""Timing: rounds that are long enough, clocks that wait for the GPU, and what a number needs beside it."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from pytest_benchmark.fixture import BenchmarkFixture

from ganzoo import Trainer
from ganzoo.base import system
from ganzoo.options import RunOptions
from ganzoo_bench.setting import Setting, precision

MIB = 2**20
ROUND = 0.5
"""Seconds that a timed round lasts, at least: on a GPU, enough iterations for its queue of launches to be full."""
ROUNDS = 9
"""Timed rounds of each benchmark."""


def now() -> float:
    """Seconds on a clock that is read once the GPU has done all that it was told."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


def seconds(work: Callable[[], object], calls: int = 1) -> float:
    """How long one call takes, on average over some."""
    start_iteration = now()
    for _ in range(calls):
        work()
    return (now() - start_iteration) / calls


@dataclass(frozen=True)
class Measure:
    """Times work, and writes into the result what was measured on what."""

    benchmark: BenchmarkFixture
    setting: Setting

    def calls(self, duration: float) -> int:
        """How many calls of that duration make a round."""
        return 1 if self.setting.smoke else max(1, math.ceil(ROUND / duration))

    def time(
        self,
        work: Callable[[], object],
        warm_up: int = 1,
        *,
        after_round: Callable[[], None] | None = None,
        here: bool = True,
    ) -> list[float]:
        """Seconds that one call of `work` takes, one number for each round.

        Args:
            work: what to time.
            warm_up: calls before the clock starts; the peak of memory is theirs.
            after_round: called between rounds, while the clock stands.
            here: whether the work is done in this process; if not, its memory is not known.
        """
        device = self.setting.device
        system.clear_memory(device)
        for _ in range(warm_up - 1):
            work()
        calls = self.calls(seconds(work))
        peak = system.peak(device) if here else None
        self.record(peak_memory_mib=None if peak is None else peak / MIB)
        rounds = 1 if self.setting.smoke else ROUNDS
        self.benchmark.pedantic(work, rounds=rounds, iterations=calls, teardown=after_round)
        data: list[float] = self.benchmark.stats["data"]  # type: ignore[index]  # its types know only of none
        return data

    def images(self, count: int, work: Callable[[], object], warm_up: int = 1, *, here: bool = True) -> None:
        """The same for work on `count` images."""
        data = self.time(work, warm_up, here=here)
        self.record(images_per_second=count / statistics.median(data))

    def training(
        self, training: Trainer, work: Callable[[], object], after_round: Callable[[], None] | None = None
    ) -> list[float]:
        """The same for a whole cycle of a training's players; seconds of one iteration, one number for each round."""
        iterations = training.engine.cycle
        data = self.time(work, training.engine.warm_up_cycles, after_round=after_round)
        data = [time / iterations for time in data]
        median = statistics.median(data)
        self.describe(training.options)
        self.record(seconds=median, images_per_second=training.options.batch_size / median)
        return data

    def describe(self, options: RunOptions) -> None:
        """Writes down what is trained."""
        self.record(
            gan=options.gan.name,
            size="{}x{}".format(*options.image_size),
            batch_size=options.batch_size,
            precision=precision(options),
            data=options.data.label(),
            options={name: str(value) for name, value in self.setting.given if _is_told(name, value)} or None,
            **{"from": options.gan.provided_by()},
        )

    def record(self, **facts: object) -> None:
        """Writes facts beside the result; what is not known is left out."""
        self.benchmark.extra_info.update({name: fact for name, fact in facts.items() if fact is not None})


def _is_told(name: str, value: object) -> bool:
    """Whether an option is written down as such: not what has a fact of its own, and never where a file lies."""
    told = {"data", "image_size", "batch_size", "precision"}
    return name.partition(".")[0] not in told and not {"/", "\\"} & set(str(value))
