"""What made images are measured by. Images are N x C x H x W in [-1, 1]; no figure looks at what made them."""

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio

from ganzoo.metrics.features import FeatureBuffer
from ganzoo.metrics.pairs import AbsoluteDifference, SignalToNoise, StructuralSimilarity
from ganzoo.metrics.sets import FrechetDistance

PART = 500
"""Images that a network looks at at once."""


def seen(extractor: nn.Module, images: Tensor) -> FeatureBuffer:
    """Features, and logits if there are any, of images."""
    found = FeatureBuffer(extractor)
    for part in images.split(PART):
        found.look(part)
    return found


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance between Gaussians fitted to features, N x D and M x D: `ganzoo evaluate`'s fid.

    It falls as samples get more, down to what they have in common: compare only distances of as many.
    """
    return FrechetDistance().measure(real, fake)


def entropy(predicted: Tensor, classes: int) -> float:
    """How evenly predictions are spread over classes, in bits: at most log2(classes), 0 where all are the same."""
    share = predicted.bincount(minlength=classes).double() / len(predicted)
    return max(0.0, float(-(share * share.clamp(min=1e-12).log2()).sum()))


def most_entropy(classes: int) -> float:
    """The entropy of classes that are all as frequent, in bits."""
    return math.log2(classes)


def compared(images: Tensor, targets: Tensor) -> dict[str, float]:
    """How near images are to their targets: mean absolute difference, PSNR and SSIM.

    `l1` is a share of the way from black to white. `psnr` is in decibels, of the mean square over all pictures: some of
    them may be right to the last pixel. SSIM is that of Wang et al., 2004: Gaussian windows of 11 pixels, sigma 1.5.
    """
    figures = {}
    for metric in (AbsoluteDifference(), SignalToNoise(), StructuralSimilarity()):
        measure, parts = metric.build(Path()), zip(images.split(PART), targets.split(PART), strict=True)
        figures[metric.kind] = metric.combine(torch.cat([measure(*part) for part in parts]))
    return figures


def compared_within(images: Tensor, targets: Tensor, where: Tensor) -> dict[str, float]:
    """The same within a part of each picture, N x 1 x H x W, true there; its windows reach further, so no SSIM."""
    inside = where.expand_as(targets)
    psnr = peak_signal_noise_ratio(images[inside], targets[inside], data_range=2.0)
    return {"l1": absolute(images[inside], targets[inside]), "psnr": float(psnr)}


def absolute(images: Tensor, others: Tensor) -> float:
    """The mean absolute difference, as a share of the way from black to white."""
    return float(F.l1_loss(images, others)) / 2


def sharpness(images: Tensor, targets: Tensor) -> float:
    """The mean steepness of images as a share of their targets': 1 is as sharp, less is blurred, more is noisy."""
    return float(steepness(images) / steepness(targets))


def steepness(images: Tensor) -> Tensor:
    """The mean length of the slope between neighbouring pixels."""
    down = images[:, :, 1:, :-1] - images[:, :, :-1, :-1]
    across = images[:, :, :-1, 1:] - images[:, :, :-1, :-1]
    return torch.hypot(down, across).mean()


def seam(images: Tensor, targets: Tensor, where: Tensor) -> float:
    """Mean step in color across the edge of filled holes, as a share of the targets' own there: 1 is no seam.

    Args:
        images: N x C x H x W; only the holes are looked at, what surrounds them is the targets'.
        targets: what was there, likewise.
        where: N x 1 x H x W, true in the holes.
    """
    filled = torch.where(where, images, targets)
    return float(steps_across(filled, where) / steps_across(targets, where))


def steps_across(images: Tensor, where: Tensor) -> Tensor:
    """Mean absolute difference of neighboring pixels of which one is in a hole and the other is not."""
    steps, edges = [], []
    for dimension in (2, 3):
        before, after = (slice(None, -1), slice(1, None))
        first, second = ([slice(None)] * dimension + [part] for part in (before, after))
        steps.append((images[tuple(second)] - images[tuple(first)]).abs().mean(1, keepdim=True).flatten())
        edges.append((where[tuple(second)] != where[tuple(first)]).flatten())
    return torch.cat(steps)[torch.cat(edges)].mean()


def retrieved(images: Tensor, gallery: Tensor, right: Tensor, most: int = 1) -> float:
    """The share of images for which the right one is among the nearest `most` of a gallery.

    Args:
        images: N x features.
        gallery: M x features.
        right: N x M, true where the gallery's image would be right.
        most: how many of the nearest count.
    """
    nearest = torch.cdist(images, gallery).topk(most, largest=False).indices
    return float(right.gather(1, nearest).any(1).double().mean())
