"""Built-in losses, metrics and extractors, registered through the same hooks as a plugin's."""

from ganzoo import losses
from ganzoo.contract.hookspecs import Register, hookimpl
from ganzoo.metrics import colors, groups, neighbors, pairs, sets
from ganzoo.metrics.dinov2 import DINOv2
from ganzoo.metrics.inception import Inception
from ganzoo.metrics.vgg import VGG16


@hookimpl
def register_losses(register: Register) -> None:
    for loss in (
        losses.CrossEntropy,
        losses.Minimax,
        losses.LeastSquares,
        losses.Hinge,
        losses.Wasserstein,
        losses.WassersteinGP,
        losses.Softmax,
        losses.Relativistic,
    ):
        register(loss)


@hookimpl
def register_metrics(register: Register) -> None:
    for metric in (
        sets.FrechetDistance,
        sets.KernelDistance,
        sets.InceptionScore,
        sets.Precision,
        sets.Recall,
        sets.Density,
        sets.Coverage,
        groups.Confidence,
        groups.ClassAccuracy,
        groups.ClassVariety,
        groups.ClassDistance,
        groups.CodePurity,
        groups.CodeAccuracy,
        neighbors.NearestRatio,
        pairs.AbsoluteDifference,
        pairs.SignalToNoise,
        pairs.StructuralSimilarity,
        pairs.LuminanceSignalToNoise,
        pairs.LuminanceSimilarity,
        pairs.LPIPS,
        colors.ColorDistance,
    ):
        register(metric)


@hookimpl
def register_extractors(register: Register) -> None:
    for extractor in (Inception, VGG16, DINOv2):
        register(extractor)
