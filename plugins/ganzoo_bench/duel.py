"""Two ways to do the same work, in turn: how many times as fast is one as the other?"""

import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from ganzoo import Trainer
from ganzoo_bench.measure import Measure, seconds
from ganzoo_bench.setting import bare_engine, eager, train_on

Rival: TypeAlias = Callable[[int], float]
"""Makes so many iterations and says how many seconds each took."""
RIVAL_WARM_UP = 3
"""Cycles: an eager loop needs only to have met its sizes before."""


def duel(measure: Measure, trainer: Trainer, ours: Callable[[int], None], rival: Rival) -> None:
    """Times rounds of ours and of the rival's in turn, and records the ratio of each pair.

    What slows the machine down for a while slows down both halves of a pair.
    """
    iterations, theirs = trainer.engine.cycle, list[float]()
    rival((1 if measure.setting.smoke else RIVAL_WARM_UP) * iterations)
    of_rival = iterations * measure.calls(iterations * rival(iterations))
    mine = measure.training(trainer, lambda: ours(iterations), lambda: theirs.append(rival(of_rival)))
    # pytest-benchmark may call both once more at the end, untimed: hence not strict.
    ratios = [reference / own for own, reference in zip(mine, theirs, strict=False)]
    measure.record(
        ratio=statistics.median(ratios),
        ratio_min=min(ratios),
        ratio_max=max(ratios),
        reference_seconds=statistics.median(theirs),
    )


def against_eager(measure: Measure, trainer: Trainer) -> None:
    """Iterations as they are recorded or compiled against the same, one operation after the other; on one batch."""
    trainer, plain = replace(trainer, engine=bare_engine(trainer)), bare_engine(trainer, eager(trainer.options))
    batch = trainer.batches[0]
    duel(
        measure,
        trainer,
        lambda iterations: train_on(trainer.engine, batch, iterations),
        lambda iterations: seconds(lambda: train_on(plain, batch, iterations)) / iterations,
    )
