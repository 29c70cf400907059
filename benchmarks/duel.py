"""Two ways to do the same work, in turn: how many times as fast is one as the other?"""

import statistics
from collections.abc import Callable
from typing import TypeAlias

from benchmarks.measure import Measure
from benchmarks.peak import peak
from benchmarks.setting import flops, precision
from ganzoo.engine.training import Training

Rival: TypeAlias = Callable[[int], float]
"""Makes so many iterations and says how many seconds each took."""
RIVAL_WARM_UP = 3
"""Cycles: an eager loop needs only to have met its sizes before."""


def duel(measure: Measure, training: Training, ours: Callable[[int], None], rival: Rival) -> None:
    """Times rounds of ours and of the rival's in turn, and records the ratio of each pair.

    What slows the machine down for a while slows down both halves of a pair.
    """
    iterations, theirs = training.engine.cycle, list[float]()
    rival((1 if measure.setting.smoke else RIVAL_WARM_UP) * iterations)
    of_rival = iterations * measure.calls(iterations * rival(iterations))
    mine = measure.training(training, lambda: ours(iterations), lambda: theirs.append(rival(of_rival)))
    # pytest-benchmark may call both once more at the end, untimed: hence not strict.
    ratios = [reference / own for own, reference in zip(mine, theirs, strict=False)]
    measure.record(
        ratio=statistics.median(ratios),
        ratio_min=min(ratios),
        ratio_max=max(ratios),
        reference_seconds=statistics.median(theirs),
    )


def record_share_of_peak(measure: Measure, training: Training) -> None:
    """How much of what the device can do on large matrix products the work achieved that was just measured."""
    device, work = training.engine.device, flops(training)
    achieved, kind = work / measure.benchmark.extra_info["seconds"], precision(training.options)
    measure.record(
        flops_per_iteration=work,
        flops_per_second=achieved,
        peak_flops_per_second=peak(device, kind),
        peak_precision=kind,
        share_of_peak=achieved / peak(device, kind),
    )
