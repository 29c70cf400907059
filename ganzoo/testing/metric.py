"""`check_metric`: checks of metrics."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.contract.metric import GroupMetric, Metric, PairMeasure, PairMetric, SetMetric, TrainingMetric
from ganzoo.data.load import data_folder
from ganzoo.testing.configuration import check_configuration, configured
from ganzoo.testing.demands import complaining, contract, demand
from ganzoo.testing.drawing import drawing

__tracebackhide__ = True

WIDTH = 8
"""Number of features or classes for sets of images."""
LEAST = 160
"""Least number of samples: with fewer, figures would be random."""
PAIRS = 6
SIDE = 32
CHANCE = 0.1
"""Largest effect of the order of samples, as a share of the range from the best to a bad figure."""


def check_metric(metric: type[Metric] | Metric, folder: Path | None = None) -> None:
    """Check everything that is expected of a metric.

    Name, documentation and options; if it compares, that equal images score best, and others the worse the more they
    differ; independence of order; purity; and that its declared minimum of samples or image size is enough.

    Args:
        metric: class, checked with its default options, or a configuration.
        folder: download directory, also of weights (default: the usual one).

    Raises:
        AssertionError: if it breaks the contract; the message says what to change.
        UserError: if required weights are not available.
    """
    with drawing(), contract(), torch.no_grad():
        chosen = configured(metric, Metric)
        check_configuration(chosen)
        if isinstance(chosen, SetMetric):
            check_sets(chosen)
        elif isinstance(chosen, GroupMetric):
            check_groups(chosen)
        elif isinstance(chosen, TrainingMetric):
            check_training(chosen)
        else:
            known = isinstance(chosen, PairMetric)
            demand(known, f"{type(chosen).__name__} inherits neither ganzoo.SetMetric nor ganzoo.PairMetric")
            if isinstance(chosen, PairMetric):
                check_pairs(chosen, data_folder(folder))


def check_sets(metric: SetMetric) -> None:
    """Check that figures of sets are best for equal sets, and worst for unrelated ones.

    Figures of samples alone, such as their diversity, may rank them in any order.
    """
    least = metric.least(WIDTH)
    demand(type(least) is int and least > 0, f"least() gives {least!r}; expected how many samples it takes")
    demand(least > 1, f"least() gives {least}; nothing can be said of sets of fewer than 2")
    real, far = sets(metric, max(least, LEAST))
    half = torch.cat([real[: len(real) // 2], far[len(real) // 2 :]])
    check_pure(metric, real, half)
    best, middle, worst = figures = [metric.measure(real, fake) for fake in (real, half, far)]
    demand(
        not any(map(math.isnan, figures)),
        f"the figures of the same images, of half of them and of none of them are {best:.4g}, {middle:.4g} and "
        f"{worst:.4g}: guard divisions, roots and logarithms",
    )
    if figures != [metric.measure(far, fake) for fake in (real, half, far)]:
        check_order(metric, best, middle, worst)
    shuffled = torch.randperm(len(real), generator=seeded("order"))
    for told, given in (("real", (real[shuffled], half)), ("made", (real, half[shuffled]))):
        found = metric.measure(*given)
        demand(
            abs(found - middle) <= CHANCE * abs(worst - best) + 1e-6 + 1e-5 * abs(middle),
            f"the figure of the same {told} images in another order is {found:.4g}, not {middle:.4g}: sets have no "
            "order",
        )
    few = [rows[:least] for rows in (real, half)]
    demand(
        math.isfinite(metric.measure(*few)),
        f"the figure of {least} samples is not finite, and least() says that so many are enough: let it say more",
    )


def sets(metric: SetMetric, rows: int) -> tuple[Tensor, Tensor]:
    """Return features or logits of good and of bad images."""
    noise = torch.randn(rows, WIDTH, generator=seeded("sets"))
    if metric.looks_at == "logits":  # confident about one class each, covering all; or about none
        classes = torch.arange(rows) % WIDTH
        return 10 * torch.eye(WIDTH)[classes] + 0.1 * noise, 0.1 * noise
    return noise, noise.flip(0) * 2 + 100


def check_pure(metric: SetMetric, real: Tensor, fake: Tensor) -> None:
    """Check that features give the same figure twice, and are not changed."""
    check_repeatable(metric.measure, real, fake)


def check_repeatable(measure: Callable[..., float], *given: Tensor) -> None:
    """Check that a figure is finite and repeatable, changes no input and draws no random numbers."""
    before, state = [rows.clone() for rows in given], torch.get_rng_state()
    value, again = measure(*given), measure(*given)
    untouched = all(map(torch.equal, given, before))
    demand(untouched, "measure() changes what it is given: use no operation that works in place")
    demand(isinstance(value, float), f"measure() gives a {type(value).__name__}; expected a float: float(...)")
    finite = math.isfinite(value) and math.isfinite(again)
    demand(finite, f"measure() gives {value:.6g} of {len(given[0])} samples: guard divisions, roots and logarithms")
    demand(
        value == again and torch.equal(torch.get_rng_state(), state),
        f"measure() gives {value:.6g} and then {again:.6g}, or draws numbers that others miss: draw by a "
        "torch.Generator with a seed of its own",
    )


def check_groups(metric: GroupMetric) -> None:
    """Check that figures are best for correct groups, and worst for meaningless ones."""
    groups = torch.arange(LEAST) % WIDTH
    noise = torch.randn(LEAST, WIDTH, generator=seeded("groups"))
    if metric.looks_at == "logits":
        good, bad = 10 * torch.eye(WIDTH)[groups] + 0.1 * noise, noise
    else:  # one image of each group
        good = noise + 10 * torch.eye(WIDTH)[groups]
        bad = good[groups]
    half = torch.cat([good[: LEAST // 2], bad[LEAST // 2 :]])
    of_real = groups if metric.by == "label" else groups[:0]
    check_repeatable(metric.measure, good, of_real, half, groups)
    check_order(metric, *(metric.measure(good, of_real, fake, groups) for fake in (good, half, bad)))


def check_training(metric: TrainingMetric) -> None:
    """Check that figures are best for new images, and worst for copies of training images."""
    train, held_out, new = (torch.randn(LEAST, WIDTH, generator=seeded("training", n)) for n in range(3))
    half = torch.cat([new[: LEAST // 2], train[LEAST // 2 :]])
    check_repeatable(metric.measure, train, held_out, half)
    check_order(metric, *(metric.measure(train, held_out, fake) for fake in (new, half, train)))


def check_order(metric: Metric, best: float, middle: float, worst: float) -> None:
    """Check that figures get worse."""
    scores = [metric.score(value) for value in (best, middle, worst)]
    told = f"the same images have the figure {best:.4g}, half of them {middle:.4g}, none of them {worst:.4g}"
    turned = "False" if metric.higher_is_better else "True"
    way = "higher" if metric.higher_is_better else "lower"
    demand(
        scores[0] <= scores[1] + 1e-6 and scores[1] <= scores[2] + 1e-6 and scores[0] < scores[2],
        f"{told}, though {way} is said to be better: is higher_is_better = {turned} meant?",
    )


def check_pairs(metric: PairMetric, folder: Path) -> None:
    """Check that each pair has its own figure, independent of the batch, and best for equal images."""
    side = max(SIDE, metric.least_side)
    measure = metric.build(folder)
    check_side(metric, measure)
    for channels in (1, 3):
        shape = (PAIRS, channels, side, side)
        target = torch.rand(shape, generator=seeded("targets")) * 2 - 1
        near = (target + 0.1 * torch.randn(shape, generator=seeded("near"))).clamp(-1, 1)
        far = -target
        figures = [pairwise(measure, made, target) for made in (target, near, far)]
        check_order(metric, *(metric.combine(each) for each in figures))
        apart = torch.cat([pairwise(measure, near[row : row + 1], target[row : row + 1]) for row in range(PAIRS)])
        demand(
            torch.allclose(apart, figures[1], rtol=1e-3, atol=1e-4),
            "the figure of a pair depends on the pairs beside it: the function that build() gives compares each for "
            "itself, and combine() makes one figure of all",
        )
        turned, straight = metric.combine(figures[1].flip(0)), metric.combine(figures[1])
        same = isinstance(straight, float) and math.isclose(turned, straight, rel_tol=1e-4, abs_tol=1e-6)
        demand(same, f"combine() gives {straight!r}, and {turned!r} in another order; expected the same float")


def check_side(metric: PairMetric, measure: PairMeasure) -> None:
    """Check that the declared minimum of the image size works."""
    side = metric.least_side
    made, target = (torch.rand((PAIRS, 1, side, side), generator=seeded("small", seed)) * 2 - 1 for seed in range(2))
    change = f"of images of {side} x {side} pixels, which least_side says are enough{{}}: let it say more"
    with complaining(f"cannot be measured {change.replace('{}', ' ({})')}", RuntimeError, ValueError):
        figures = pairwise(measure, made, target)
    demand(figures.isfinite().all(), f"is not finite {change.format('')}")


def pairwise(measure: PairMeasure, made: Tensor, target: Tensor) -> Tensor:
    """Return a figure for each pair, checked to be repeatable and to change no images."""
    before = made.clone(), target.clone()
    first, second = measure(made, target), measure(made, target)
    given = tuple(first.shape) if isinstance(first, Tensor) else type(first).__name__
    demand(given == (len(made),), f"of {len(made)} pairs come {given}; expected a figure for each, N")
    untouched = torch.equal(made, before[0]) and torch.equal(target, before[1])
    demand(untouched, "the images are changed: use no operation that works in place")
    demand(torch.equal(first, second), "the figures of the same pairs are others each time: draw no random numbers")
    return first
