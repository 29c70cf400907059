"""Metrics and extractors that have one thing wrong, and what their checks say of it."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from breaking import broken, says
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.contract.extractor import Extractor
from ganzoo.contract.metric import Metric, PairMeasure, PairMetric, SetMetric
from ganzoo.testing import check_extractor, check_metric


class Mean(SetMetric):
    """How far the means are apart."""

    kind = "mean"

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return float((real.mean(0) - fake.mean(0)).square().sum())


WINDOW = torch.ones(1, 1, 11, 11)


class Squared(PairMetric):
    """The mean square."""

    kind = "squared"

    def build(self, folder: Path) -> PairMeasure:
        return lambda made, target: (made - target).square().flatten(1).mean(1)


def test_sound_metrics_pass(tmp_path: Path) -> None:
    check_metric(Mean)
    check_metric(Squared, tmp_path)


class Diversity(SetMetric):
    """How different the made images are from one another."""

    kind = "diversity"
    higher_is_better = True

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return float(torch.cdist(fake, fake).mean())


def half_of_it(self: SetMetric, real: Tensor, fake: Tensor) -> float:
    return float(fake[: len(fake) // 2].mean())


def test_a_sound_metric_of_one_set_passes() -> None:
    check_metric(Diversity)
    says(lambda: check_metric(broken(Diversity, measure=half_of_it)), "no order")


def adding(self: SetMetric, real: Tensor, fake: Tensor) -> float:
    return float((real.add_(1).mean(0) - fake.mean(0)).square().sum())


METRICS: dict[str, tuple[type[Metric], dict[str, Any], str]] = {
    "tensor": (
        Mean,
        {"measure": lambda self, real, fake: (real - fake).mean()},
        r"measure\(\) gives a Tensor; expected a float",
    ),
    "turned": (
        Mean,
        {"higher_is_better": True},
        "though higher is said to be better: is higher_is_better = False meant",
    ),
    "draws": (
        Mean,
        {"measure": lambda self, real, fake: float(torch.rand(()))},
        r"measure\(\) gives .* and then .*draw by a torch.Generator",
    ),
    "in place": (Mean, {"measure": adding}, r"measure\(\) changes what it is given: use no operation that works in"),
    "not finite": (
        Mean,
        {"measure": lambda self, real, fake: float((real - fake).abs().log().mean())},
        r"measure\(\) gives -inf of \d+ samples: guard divisions, roots and logarithms",
    ),
    "no number": (
        Mean,
        {"measure": lambda self, real, fake: float((real - fake).std() / (real - fake).std())},
        "the figures of the same images, .* are nan, 1 and 1: guard divisions",
    ),
    "order": (
        Mean,
        {"measure": lambda self, real, fake: float((real - fake)[:8].square().mean())},
        "images in another order is .*sets have no order",
    ),
    "least": (Mean, {"least": lambda self, width: 0}, r"least\(\) gives 0; expected how many samples it takes"),
    "least of one": (
        Mean,
        {"least": lambda self, width: 1},
        r"least\(\) gives 1; nothing can be said of sets of fewer",
    ),
    "neither": (Metric, {}, "inherits neither ganzoo.SetMetric nor ganzoo.PairMetric"),
    "one figure": (
        Squared,
        {"build": lambda self, folder: lambda made, target: (made - target).square().mean()},
        r"of 6 pairs come \(\); expected a figure for each, N",
    ),
    "together": (
        Squared,
        {"build": lambda self, folder: lambda made, target: (made - target).square().mean().expand(len(made))},
        "the figure of a pair depends on the pairs beside it",
    ),
    "too small": (
        Squared,
        {"build": lambda self, folder: lambda made, target: F.conv2d(made - target, WINDOW).flatten(1).mean(1)},
        r"cannot be measured of images of 1 x 1 pixels, which least_side says are enough \(RuntimeError",
    ),
    "combine": (
        Squared,
        {"combine": lambda self, figures: float(figures[0])},
        "in another order; expected the same float",
    ),
}


@pytest.mark.parametrize("case", METRICS)
def test_a_broken_metric_is_told_what_to_change(case: str, tmp_path: Path) -> None:
    base, members, change = METRICS[case]
    says(lambda: check_metric(broken(base, **members), tmp_path), change)


class Pixels(nn.Module):
    """Means of 2 x 2 parts of images of any size, in grey."""

    def forward(self, images: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(images.mean(1, keepdim=True), 2).flatten(1)


class Sized(Pixels):
    def forward(self, images: Tensor) -> Tensor:
        return images.view(len(images), 28 * 28)


class Normalising(Pixels):
    def forward(self, images: Tensor) -> Tensor:
        features = super().forward(images)
        return features - features.mean(0)


class Plain(Extractor):
    """Means of parts."""

    kind = "plain"
    resizer = "means of four parts"

    def build(self, folder: Path) -> nn.Module:
        return Pixels().eval()


@pytest.mark.parametrize(
    ("members", "change"),
    [
        ({"resizer": ""}, "Broken has no `resizer`"),
        ({"build": lambda self, folder: Pixels()}, r"build\(\) gives a network in training mode: return network.eval"),
        ({"build": lambda self, folder: Sized().eval()}, r"fails on images of 3 x 3 x 40 x 32 \(RuntimeError"),
        (
            {"build": lambda self, folder: Normalising().eval()},
            "its features of an image depend on the images beside it",
        ),
        (
            {"build": lambda self, folder: nn.Identity().eval()},
            re.escape("the extractor gives (3, 1, 28, 28) as features"),
        ),
    ],
)
def test_a_broken_extractor_is_told_what_to_change(members: dict[str, Any], change: str, tmp_path: Path) -> None:
    check_extractor(Plain, tmp_path)
    says(lambda: check_extractor(broken(Plain, **members), tmp_path), change)
