"""Figures by class and by code: against the equations written out, and where they are known."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from ganzoo.metrics.classes import (
    class_accuracy,
    class_distance,
    class_variety,
    code_accuracy,
    code_purity,
    confident_share,
)
from ganzoo.metrics.sets import FrechetDistance

CLASSES = 3


@pytest.fixture
def real() -> tuple[Tensor, Tensor]:
    """Features of 90 images of three classes far apart, each of another spread."""
    labels = torch.arange(90) % CLASSES
    noise = torch.randn(90, 4, generator=torch.Generator().manual_seed(0))
    return noise * (labels[:, None] + 1) + 50 * labels[:, None], labels


def test_variety_is_the_variance_within_classes_as_a_share_of_the_real_one(real: tuple[Tensor, Tensor]) -> None:
    features, labels = real
    means = torch.stack([features[labels == label].mean(0) for label in range(CLASSES)])
    assert class_variety(*real, *real) == pytest.approx(1)
    halved = means[labels] + (features - means[labels]) / 2
    assert class_variety(*real, halved, labels) == pytest.approx(1 / 4)
    assert class_variety(*real, means[labels], labels) == pytest.approx(0, abs=1e-9)
    mixed = torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    groups = torch.arange(60) // 20
    within = [
        [
            math.fsum((value - sum(column) / len(column)) ** 2 for value in column) / (len(column) - 1)
            for column in zip(*rows[own == label].tolist(), strict=True)
        ]
        for rows, own in ((mixed, groups), real)
        for label in range(CLASSES)
    ]
    made, given = (sum(itertools.chain(*half)) for half in (within[:CLASSES], within[CLASSES:]))
    assert class_variety(*real, mixed, groups) == pytest.approx(made / given, rel=1e-6)


def test_variety_of_other_numbers_and_of_classes_of_one_image(real: tuple[Tensor, Tensor]) -> None:
    features, labels = real
    lone = labels.clone()
    lone[lone == 2] = 1
    lone[2] = 2  # a single sample of its class counts for nothing
    few = torch.isin(labels, torch.tensor([0, 1]))
    assert class_variety(*real, features[few], labels[few]) == pytest.approx(
        class_variety(features[few], labels[few], features[few], labels[few])
    )
    assert math.isfinite(class_variety(*real, features, lone))
    assert math.isnan(class_variety(*real, features, labels + 10))
    assert math.isnan(class_distance(*real, features, labels + 10))


def test_distance_by_class_sees_classes_that_were_exchanged(real: tuple[Tensor, Tensor]) -> None:
    features, labels = real
    exchanged = (labels + 1) % CLASSES
    assert FrechetDistance().measure(features, features) == pytest.approx(0, abs=1e-6)
    assert class_distance(*real, *real) == pytest.approx(0, abs=1e-6)
    parts = [FrechetDistance().measure(features[labels == n], features[exchanged == n]) for n in range(CLASSES)]
    assert class_distance(*real, features, exchanged) == pytest.approx(sum(parts) / CLASSES)
    assert class_distance(*real, features, exchanged) > 1000


def test_accuracy_and_confidence_are_counted() -> None:
    logits = torch.tensor([[0.89, 0.11], [0.91, 0.09], [0.05, 0.95], [0.5, 0.5]]).log()
    assert class_accuracy(logits, torch.tensor([0, 1, 1, 0])) == 3 / 4
    assert confident_share(logits) == 2 / 4
    assert confident_share(logits, 0.5) == 1


def test_purity_and_accuracy_of_a_code() -> None:
    values = torch.arange(100) % 10
    assert code_purity(values, (values + 3) % 10) == code_accuracy(values, (values + 3) % 10) == 1
    assert code_purity(values, torch.zeros_like(values)) == 1, "each value is of one class"
    assert code_accuracy(values, torch.zeros_like(values)) == 1 / 10, "and only one can have it"
    assert code_purity(values, values // 2) == 1
    assert code_accuracy(values, values // 2) == 1 / 2
    assert code_purity(values, torch.arange(100) // 10) == code_accuracy(values, torch.arange(100) // 10) == 1 / 10


def test_the_matching_is_the_best_of_all() -> None:
    generator = torch.Generator().manual_seed(0)
    values, predicted = (torch.randint(4, (60,), generator=generator) for _ in range(2))
    best = max(
        sum(int(((values == value) & (predicted == label)).sum()) for value, label in enumerate(order))
        for order in itertools.permutations(range(4))
    )
    assert code_accuracy(values, predicted) == best / 60
    assert code_purity(values, predicted) >= best / 60
