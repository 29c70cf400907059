"""The metrics and the extractor of the core, registered as a plugin's are."""

from ganzoo.hookspecs import Register, hookimpl
from ganzoo.metrics import pairs, sets
from ganzoo.metrics.inception import Inception


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
        pairs.AbsoluteDifference,
        pairs.SignalToNoise,
        pairs.StructuralSimilarity,
        pairs.LPIPS,
    ):
        register(metric)


@hookimpl
def register_extractors(register: Register) -> None:
    register(Inception)
