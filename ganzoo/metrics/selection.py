"""Selection of metrics: requested or default ones, as far as the GAN and the images allow."""

from collections.abc import Callable, Mapping, Sequence, Set

from ganzoo.contract.codes import Category
from ganzoo.contract.gan import GAN
from ganzoo.contract.metric import GroupMetric, Metric, PairMetric, SetMetric, StatisticsMetric, TrainingMetric
from ganzoo.data.load import DataOptions
from ganzoo.errors import ContractError, OptionError, UnknownName
from ganzoo.metrics.groups import OfCode
from ganzoo.metrics.neighbors import NearestRatio
from ganzoo.options.evaluation import EvaluationOptions

PAIR = frozenset({"source", "target"})
ASKED = frozenset({"label", "caption"})
"""Inputs that determine the content of an image: the class of their row is the requested one."""


def settled(gan: GAN, data: DataOptions, options: EvaluationOptions, and_usual: bool) -> Sequence[Metric]:
    """Return the metrics: the requested ones, else the default ones for pairs, if there are any, or for sets.

    Raises:
        UserError: if a requested metric does not suit this GAN or is named twice, or its library is not installed.
    """
    for metric in options.metric:
        if reason := unfit(metric, gan, data, options):
            raise OptionError(f"'{metric.kind}' cannot be measured here: {reason}")
        if [other.kind for other in options.metric].count(metric.kind) > 1:
            raise OptionError(f"option 'metric' names '{metric.kind}' twice; leave one out")
    wanted = list(options.metric)
    if and_usual or not wanted:
        wanted += _usual(gan, data, options)
    if options.nearest and not any(isinstance(metric, TrainingMetric) for metric in wanted):
        if reason := unfit(NearestRatio(), gan, data, options):
            raise OptionError(f"option 'nearest' cannot be had here: {reason}")
        wanted.append(NearestRatio())
    for metric in wanted:
        if isinstance(metric, SetMetric):
            metric.check()
    return [metric.suited(gan.scale_factor) for metric in wanted]


def _usual(gan: GAN, data: DataOptions, options: EvaluationOptions) -> list[Metric]:
    """Return the default metrics that were not requested."""
    asked = {metric.kind for metric in options.metric}
    # Metrics with required options are measured only on request.
    kinds = [
        kind
        for kind in Metric.choices().values()
        if kind.kind not in asked and not any(field.is_required() for field in kind.model_fields.values())
    ]
    pairs = not _unpaired(gan, data)
    metrics = [kind() for kind in kinds if _is_usual(kind, gan, pairs)]
    return [metric for metric in metrics if not unfit(metric, gan, data, options)]


def _is_usual(kind: type[Metric], gan: GAN, pairs: bool) -> bool:
    translates = "source" in gan.needs & gan.inputs
    if kind.default_for:
        return translates and (kind.default_for == "translation" or gan.scale_factor > 1)
    return kind.usual and not issubclass(kind, SetMetric if pairs else PairMetric)


def unfit(metric: Metric, gan: GAN, data: DataOptions, options: EvaluationOptions) -> str:
    """Return the reason why a metric does not suit this GAN or these options, or an empty string."""
    if options.reference and not isinstance(metric, StatisticsMetric):
        return "reference statistics stand in for real images, and it takes the images; leave --reference out"
    if options.reference and isinstance(metric, SetMetric) and metric.looks_at == "colors":
        return "reference statistics are not of colors; leave --reference out"
    if isinstance(metric, PairMetric):
        reason = _unpaired(gan, data)
        return reason and f"{reason}; try --metric fid"
    if isinstance(metric, GroupMetric):
        return _ungrouped(metric, gan, data)
    if isinstance(metric, TrainingMetric):
        return _untold(data, options)
    return ""


def _unpaired(gan: GAN, data: DataOptions) -> str:
    """Return the reason why samples have no targets to compare with, or an empty string."""
    if not (gan.needs >= PAIR and "source" in gan.inputs):
        return f"what '{gan.name}' makes has no targets"
    if not (data.data.paired or data.as_.makes_pairs):
        return f"sources and targets of '{data.data.label()}' do not belong together"
    return ""


def _ungrouped(metric: GroupMetric, gan: GAN, data: DataOptions) -> str:
    if metric.by == "label":
        if not ASKED & gan.needs & gan.inputs:
            return f"'{gan.name}' is told neither class nor caption"
        return "" if "label" in data.data.provides else f"'{data.data.label()}' has no labels"
    codes = {code.name: code for code in gan.codes if isinstance(code, Category)}
    if not codes:
        return f"'{gan.name}' has no categorical code"
    name = metric.code if isinstance(metric, OfCode) else None
    if name is not None and name not in codes:
        raise UnknownName(f"categorical code of {gan.name}", name, codes)
    return ""


def _untold(data: DataOptions, options: EvaluationOptions) -> str:
    """Return the reason why samples cannot be compared with training and held-out images, or an empty string."""
    if data.data.streamed:
        return f"'{data.data.label()}' is streamed, and it takes all training images at once"
    if "test" not in data.data.splits:
        return f"'{data.data.label()}' has no test split, and it takes real images that were held out of training"
    if options.split == "train":
        return "it takes real images that were held out of training: leave --split train out"
    return ""


def code_of(metric: GroupMetric, gan: GAN) -> Category:
    """Return the categorical code of a metric."""
    codes = [code for code in gan.codes if isinstance(code, Category)]
    name = metric.code if isinstance(metric, OfCode) else None
    return next(code for code in codes if name in (None, code.name))


def possible(
    wanted: Sequence[Metric],
    shape: tuple[int, ...],
    samples: int,
    widths: Mapping[str, int],
    classifies: bool,
    asked: Set[str],
    more: Callable[[int], str],
) -> tuple[Sequence[Metric], dict[str, str]]:
    """Return the metrics that can be measured with these images, and the reasons why others cannot.

    Args:
        wanted: metrics to measure.
        shape: channels, height and width of the images.
        samples: number of samples or real images, whichever is smaller.
        widths: numbers of features and logits of the extractor.
        classifies: whether the extractor classifies the data set's own classes.
        asked: requested kinds.
        more: returns advice for getting a number of samples.

    Raises:
        OptionError: if none can be measured, or a requested one cannot.
    """
    reasons = [_reason(metric, shape, samples, widths, classifies) for metric in wanted]
    refused = {metric.kind: reason for metric, reason in zip(wanted, reasons, strict=True) if reason}
    told = asked & refused.keys() or (refused if len(refused) == len(wanted) else ())
    if told:
        least = {metric.kind: _least(metric, widths) for metric in wanted if metric.kind in told}
        advice = {kind: f"; {more(count)}" for kind, count in least.items() if count > samples}
        raise OptionError(
            "\n".join(
                f"'{kind}' cannot be measured here: {refused[kind]}{advice.get(kind, '')}" for kind in sorted(told)
            )
        )
    return [metric for metric in wanted if metric.kind not in refused], refused


def _reason(metric: Metric, shape: tuple[int, ...], samples: int, widths: Mapping[str, int], classifies: bool) -> str:
    if isinstance(metric, PairMetric):
        side = metric.least_side
        small = min(shape[1:]) < side
        return f"it takes images of {side} x {side} pixels or more" if small else ""
    if isinstance(metric, TrainingMetric):
        return ""
    if not isinstance(metric, SetMetric | GroupMetric):
        raise ContractError(f"{type(metric).__name__} inherits neither ganzoo.SetMetric nor ganzoo.PairMetric")
    if metric.looks_at not in widths:
        return f"the extractor gives no {metric.looks_at}; name another --extractor"
    if isinstance(metric, GroupMetric):
        wrong = metric.looks_at == "logits" and not classifies
        return "the extractor tells other classes apart than those of the data; name another --extractor" * wrong
    needed = _least(metric, widths)
    return "" if samples >= needed else f"it takes {needed:,} samples or more, and there are {samples:,}"


def _least(metric: Metric, widths: Mapping[str, int]) -> int:
    """Return the least number of samples for a metric, or 0 if it does not matter."""
    return metric.least(widths[metric.looks_at]) if isinstance(metric, SetMetric) and metric.looks_at in widths else 0
