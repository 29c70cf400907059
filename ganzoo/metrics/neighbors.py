"""Nearest training images: does a GAN repeat what it was trained on?"""

import torch
from torch import Tensor

from ganzoo.contract.metric import TrainingMetric
from ganzoo.metrics.sets import distances

ENTRIES = 2**24
"""Distances that are held at once, 128 MiB of them."""


def nearest(features: Tensor, among: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """Nearest neighbors of each row among the rows of another matrix, the nearest first.

    Args:
        features: N x D.
        among: M x D, with M of at least `count`.
        count: how many neighbors.

    Returns:
        Their distances, float64, and their row numbers, int64: N x count each.
    """
    found = [
        distances(part, among).topk(count, dim=1, largest=False)
        for part in features.split(max(1, ENTRIES // len(among)))
    ]
    return torch.cat([part.values for part in found]), torch.cat([part.indices for part in found])


def nearest_ratio(train: Tensor, held_out: Tensor, fake: Tensor) -> float:
    """Distance of samples to the nearest training image, as a share of that of real images held out of training.

    The medians are compared. About 1: samples are as far from the training images as new real ones are; near 0: they
    are copies; above 1: they are further off than real images, as poor samples are. Meehan et al., 2020
    (arXiv:2004.05675) test for data-copying by the same two sets of distances.

    Args:
        train: features of the images that were trained on, N x D.
        held_out: features of real images that were not, M x D.
        fake: features of samples, K x D.

    Returns:
        Infinity, if the held-out images are among the training images.
    """
    mine, theirs = (nearest(rows, train)[0].median() for rows in (fake, held_out))
    return float(mine / theirs) if theirs > 0 else float("inf")


class NearestRatio(TrainingMetric):
    """Distance to the nearest training image beside that of real images held out; near 0: copies.

    The ratio of the medians, in the extractor's features. About 1 is what new real images have; more than 1 is no
    better, but further off. Meehan et al., 2020, arXiv:2004.05675, test for data-copying by the same distances.
    """

    kind = "nearest-ratio"
    best = 1.0

    def measure(self, train: Tensor, held_out: Tensor, fake: Tensor) -> float:
        return nearest_ratio(train, held_out, fake)
