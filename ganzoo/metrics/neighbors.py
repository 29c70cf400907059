"""Nearest training images, for detecting memorization."""

import torch
from torch import Tensor

from ganzoo.contract.metric import TrainingMetric
from ganzoo.metrics.sets import distances

ENTRIES = 2**24
"""Distances held in memory at once (128 MiB)."""


def nearest(features: Tensor, among: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """Return the nearest neighbors of each row among the rows of another matrix, nearest first.

    Args:
        features: N x D.
        among: M x D, with M of at least `count`.
        count: number of neighbors.

    Returns:
        Distances, float64, and row indices, int64: N x count each.
    """
    found = [
        distances(part, among).topk(count, dim=1, largest=False)
        for part in features.split(max(1, ENTRIES // len(among)))
    ]
    return torch.cat([part.values for part in found]), torch.cat([part.indices for part in found])


def nearest_ratio(train: Tensor, held_out: Tensor, fake: Tensor) -> float:
    """Return the distance of samples to the nearest training image, relative to that of held-out real images.

    The ratio of the medians. About 1: samples are as far from the training images as new real ones; near 0: copies;
    above 1: farther off than real images, as poor samples are. Meehan et al., 2020 (arXiv:2004.05675) test for
    data-copying by the same two sets of distances.

    Args:
        train: features of training images, N x D.
        held_out: features of real images not in training, M x D.
        fake: features of samples, K x D.

    Returns:
        Infinity if the held-out images are among the training images.
    """
    mine, theirs = (nearest(rows, train)[0].median() for rows in (fake, held_out))
    return float(mine / theirs) if theirs > 0 else float("inf")


class NearestRatio(TrainingMetric):
    """Distance to the nearest training image, relative to that of held-out real images; near 0: copies.

    The ratio of the medians, in the extractor's feature space. New real images have about 1; more is not better, but
    farther off. Meehan et al., 2020, arXiv:2004.05675, test for data-copying by the same distances.
    """

    kind = "nearest-ratio"
    best = 1.0

    def measure(self, train: Tensor, held_out: Tensor, fake: Tensor) -> float:
        return nearest_ratio(train, held_out, fake)
