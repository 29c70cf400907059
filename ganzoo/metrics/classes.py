"""Metrics of samples by class or by value of a code: accuracy, confidence and variety."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.metrics.library import library
from ganzoo.metrics.sets import FrechetDistance

SURE = 0.9
"""Probability from which a classifier counts as confident."""


def class_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of samples with the requested class according to a classifier, from 0 to 1.

    Args:
        logits: logits of the classifier, N x classes.
        labels: requested classes, int64, N.
    """
    return float((logits.argmax(1) == labels).double().mean())


def confident_share(logits: Tensor, threshold: float = SURE) -> float:
    """Return the share of samples whose largest class probability reaches `threshold`, from 0 to 1.

    Args:
        logits: logits of the classifier, N x classes.
        threshold: a probability.
    """
    return float((F.softmax(logits.double(), 1).amax(1) >= threshold).double().mean())


def class_variety(real: Tensor, real_labels: Tensor, fake: Tensor, fake_labels: Tensor) -> float:
    """Return the variance of features within a class, averaged over classes, as a share of that of real images.

    1: as various as real images; 0: one image for each class. It may exceed 1. Samples of a wrong class add to it, so
    it says little where the accuracy is low.

    Args:
        real: features of real images, N x D.
        real_labels: their classes, int64, N.
        fake: features of samples, M x D.
        fake_labels: requested classes, int64, M.

    Returns:
        NaN if no class has two images on both sides.
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
    """Return the Fréchet distance within a class, averaged over classes (intra-FID).

    Miyato and Koyama, 2018, arXiv:1802.05637.

    Args:
        real: features of real images, N x D.
        real_labels: their classes, int64, N.
        fake: features of samples, M x D.
        fake_labels: requested classes, int64, M.

    Returns:
        NaN if no class has two images on both sides.
    """
    found = []
    for label in real_labels.unique():
        parts = real[real_labels == label], fake[fake_labels == label]
        if min(map(len, parts)) > 1:
            found.append(FrechetDistance().measure(*parts))
    return sum(found) / len(found) if found else float("nan")


def code_purity(values: Tensor, predicted: Tensor) -> float:
    """Return the purity of a categorical code: the share of samples of the class most frequent for their value.

    1: each value stands for one class, although several may stand for the same: if all samples are of one class, it is
    1 as well (see `code_accuracy`). A code without meaning has the share of the most frequent class.

    Args:
        values: value of the code for each sample, int64, N.
        predicted: class of each sample according to a classifier, int64, N.
    """
    return int(_counts(values, predicted).amax(1).sum()) / len(values)


def code_accuracy(values: Tensor, predicted: Tensor) -> float:
    """Return the accuracy of a categorical code as a classifier: each value is matched with a class of its own.

    1: there is a class for each value and a value for each class. The matching is the best one-to-one matching, as in
    the evaluation of InfoGAN (Chen et al., 2016, arXiv:1606.03657, section 7.2).

    Args:
        values: value of the code for each sample, int64, N.
        predicted: class of each sample according to a classifier, int64, N.
    """
    counts = _counts(values, predicted)
    rows, columns = library("scipy.optimize").linear_sum_assignment(counts.numpy(), maximize=True)
    return int(counts[rows, columns].sum()) / len(values)


def _counts(values: Tensor, predicted: Tensor) -> Tensor:
    """Return the number of samples for each value (row) and class (column)."""
    table = torch.zeros(int(values.max()) + 1, int(predicted.max()) + 1, dtype=torch.int64)
    return table.index_put_((values, predicted), torch.ones_like(values), accumulate=True)
