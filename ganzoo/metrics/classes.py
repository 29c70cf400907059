"""Figures of samples by class or by value of a code: are they right, sure, and various?"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.metrics.library import library
from ganzoo.metrics.sets import FrechetDistance

SURE = 0.9
"""Probability from which a classifier is taken to be sure."""


def class_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of samples in which a classifier sees the class that was asked for, from 0 to 1.

    Args:
        logits: the classifier's, N x classes.
        labels: the classes that were asked for, int64, N.
    """
    return float((logits.argmax(1) == labels).double().mean())


def confident_share(logits: Tensor, threshold: float = SURE) -> float:
    """Share of samples of which a classifier is sure, from 0 to 1: its largest probability reaches `threshold`.

    Args:
        logits: the classifier's, N x classes.
        threshold: a probability.
    """
    return float((F.softmax(logits.double(), 1).amax(1) >= threshold).double().mean())


def class_variety(real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor) -> float:
    """Variance of features within a class, the mean over classes, as a share of that of real images.

    1: as various as real images; 0: one image for each class. It may exceed 1. Samples of a wrong class add to it, so
    it says little where the accuracy is low.

    Args:
        real: features of real images, N x D.
        real_labels: their classes, int64, N.
        fake: features of samples, M x D.
        fake_labels: the classes that were asked for, int64, M.

    Returns:
        NaN, if no class has two images on both sides.
    """
    mine, theirs = [], []
    for label in real_labels.unique():
        parts = fake[fake_labels == label], real[real_labels == label]
        if min(map(len, parts)) > 1:
            made, given = (part.double().var(0).mean() for part in parts)
            mine.append(made)
            theirs.append(given)
    if not mine:
        return float("nan")
    return float(torch.stack(mine).mean() / torch.stack(theirs).mean())


def class_distance(real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor) -> float:
    """Fréchet distance within a class, the mean over classes (intra-FID: Miyato and Koyama, 2018, arXiv:1802.05637).

    Args:
        real: features of real images, N x D.
        real_labels: their classes, int64, N.
        fake: features of samples, M x D.
        fake_labels: the classes that were asked for, int64, M.

    Returns:
        NaN, if no class has two images on both sides.
    """
    found = []
    for label in real_labels.unique():
        parts = real[real_labels == label], fake[fake_labels == label]
        if min(map(len, parts)) > 1:
            found.append(FrechetDistance().measure(*parts))
    return sum(found) / len(found) if found else float("nan")


def code_purity(values: Tensor, predicted: Tensor) -> float:
    """Purity of a categorical code: the share of samples that are of the class most frequent for their value.

    1: each value stands for one class, though several may stand for the same: where all samples are of one class it
    is 1, too (see `code_accuracy`). A code that means nothing has the share of the most frequent class.

    Args:
        values: the value of the code that each sample was made with, int64, N.
        predicted: the class that a classifier sees in it, int64, N.
    """
    return int(_counts(values, predicted).amax(1).sum()) / len(values)


def code_accuracy(values: Tensor, predicted: Tensor) -> float:
    """Accuracy of a categorical code as a classifier: each value is matched with a class of its own.

    1: there is a class for each value and a value for each class. The matching is the best of all one-to-one ones.
    InfoGAN is evaluated in this way (Chen et al., 2016, arXiv:1606.03657, section 7.2).

    Args:
        values: the value of the code that each sample was made with, int64, N.
        predicted: the class that a classifier sees in it, int64, N.
    """
    counts = _counts(values, predicted)
    rows, columns = library("scipy.optimize").linear_sum_assignment(counts.numpy(), maximize=True)
    return int(counts[rows, columns].sum()) / len(values)


def _counts(values: Tensor, predicted: Tensor) -> Tensor:
    """Samples of each value, by row, and class, by column."""
    table = torch.zeros(int(values.max()) + 1, int(predicted.max()) + 1, dtype=torch.int64)
    return table.index_put_((values, predicted), torch.ones_like(values), accumulate=True)
