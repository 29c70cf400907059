"""Setup of an evaluation: selects metrics, checks them against the data, and loads everything."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.config import validate
from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.extractor import Extractor
from ganzoo.contract.gan import GAN
from ganzoo.contract.metric import GroupMetric, Metric, PairMetric, SetMetric, TrainingMetric
from ganzoo.contract.statistics import Statistics
from ganzoo.data.load import DataOptions, data_folder
from ganzoo.errors import DataError, OptionError
from ganzoo.metrics.evaluation import PART, Evaluation
from ganzoo.metrics.features import FeatureBuffer, fingerprint
from ganzoo.metrics.protocol import Protocol
from ganzoo.metrics.rows import Rows
from ganzoo.metrics.selection import PAIR, possible, settled
from ganzoo.options.evaluation import MOST, EvaluationOptions

log = logging.getLogger(__name__)


def make_ready(
    gan: GAN,
    data: DataOptions,
    spec: DataSpec,
    options: EvaluationOptions,
    device: torch.device,
    folder: Path | None = None,
    most: int = MOST,
    *,
    and_usual: bool = False,
) -> Evaluation:
    """Load everything for an evaluation: rows of the split, extractor, and weights of metrics.

    Args:
        gan: GAN to evaluate.
        data: data set and options of the real images.
        spec: form of the training data.
        options: evaluation options.
        device: device of the networks.
        folder: download directory.
        most: largest number of samples, if the options give none.
        and_usual: whether to add default metrics after the requested ones.

    Raises:
        UserError: if data, extractor or weights are not available, or the request cannot be measured here or with so
            few images.
    """
    wanted = settled(gan, data, options, and_usual)  # fail on these before loading the data
    reference = Statistics.read(options.reference) if options.reference else None
    real = "image" if "image" in gan.needs else "target"
    split = options.split or ("test" if "test" in data.data.splits else "train")
    rows = Rows(data, (gan.needs & gan.inputs) | (frozenset() if reference else {real}), gan.scale_factor, folder)
    columns = rows.load(spec, split, options.reals or (None if reference else options.samples), most)
    there = min(map(len, columns.values()), default=0)
    samples = _samples(gan, options, there, most, alike=options.reals is None and reference is None)
    eyes = None
    if any(not isinstance(metric, PairMetric) and _looks(metric) != "colors" for metric in wanted):
        eyes = LoadedExtractor.of(options.extractor or _default(data), spec.shape, device, data_folder(folder))
    widths = {**(eyes.widths if eyes else {}), "colors": 6}
    labels, classes = None, data.data.classes
    if any(isinstance(metric, GroupMetric) and metric.by == "label" for metric in wanted):
        labels, classes = rows.labels(split, there)
    classifies = eyes is not None and eyes.classifies(classes)
    fewest = samples if reference else min(samples, there)
    more = partial(rows.advice, split=split, asked=options.samples is not None)
    named = {metric.kind for metric in options.metric}
    kept, left_out = possible(wanted, spec.shape, fewest, widths, classifies, named, more)
    if reference is not None and eyes is not None:
        _check_reference(reference, eyes, options)
    for metric in kept:
        if isinstance(metric, SetMetric) and (words := metric.caution(fewest, widths[metric.looks_at])):
            log.warning("%s: %s", metric.kind, words)
    built = {metric.kind: metric.build(data_folder(folder)) for metric in kept if isinstance(metric, PairMetric)}
    pairs = {kind: made.to(device) if isinstance(made, nn.Module) else made for kind, made in built.items()}
    beside = any(isinstance(metric, TrainingMetric) for metric in kept)
    protocol = Protocol(
        name=options.follows(),
        data=data.data.label(),
        split=split,
        samples=samples,
        reals=None if reference or there == samples else there,
        seed=options.seed,
        shape=spec.shape,
        images=reference.checksum() if reference else _checksum_of(columns, real),
        reference=options.reference.name if options.reference else None,
        metrics={metric.kind: _told(metric, pairs.get(metric.kind)) for metric in kept},
        sampling={name: value for name, value in gan.model_dump(mode="json").items() if name in gan.may_change},
        **(eyes.described() if eyes else {}),
    )
    return Evaluation(
        gan=gan,
        columns=columns,
        real=real,
        metrics=kept,
        pairs=pairs,
        extractor=eyes.network if eyes else None,
        protocol=protocol,
        device=device,
        left_out=left_out,
        reference=reference,
        labels=labels,
        trained_on=rows.trained_on(real) if beside else None,
        show=options.nearest or 0,
    )


def _samples(gan: GAN, options: EvaluationOptions, there: int, most: int, *, alike: bool) -> int:
    """Return the number of samples; `alike`: that of the real images."""
    if alike:
        return there
    if "source" not in gan.needs & gan.inputs:
        return options.samples or most
    if options.samples and options.samples > there:
        raise DataError(
            f"{options.samples} samples were asked for, and there are {there} sources, of which one image each is "
            f"made; try --samples {there}"
        )
    return options.samples or min(there, most)


def _looks(metric: Metric) -> str:
    return metric.looks_at if isinstance(metric, SetMetric | GroupMetric) else "features"


def _check_reference(reference: Statistics, eyes: "LoadedExtractor", options: EvaluationOptions) -> None:
    """Check that statistics and extractor have the same number of features.

    Raises:
        OptionError: if not, with both numbers.
    """
    if reference.width != (width := eyes.widths["features"]):
        raise OptionError(
            f"'{options.reference}' holds statistics of {reference.width:,} features, and the extractor "
            f"'{eyes.extractor.kind}' gives {width:,}; name the --extractor that they were computed with"
        )


def _checksum_of(columns: Mapping[str, Tensor], real: str) -> str:
    """Return the checksum that identifies the images in the protocol."""
    return checksum([columns[name] for name in sorted({real, *(PAIR & columns.keys())})])


@dataclass(frozen=True)
class LoadedExtractor:
    """Extractor with its network."""

    extractor: Extractor
    network: nn.Module
    widths: Mapping[str, int]
    """Numbers of `features`, and `logits` if it has any, per image."""

    @classmethod
    def of(
        cls, extractor: Extractor, shape: tuple[int, int, int], device: torch.device, folder: Path
    ) -> "LoadedExtractor":
        """Build an extractor and try it on two images of this shape."""
        network = extractor.build(folder).to(device).eval().requires_grad_(False)
        seen = FeatureBuffer(network)
        seen.look(torch.zeros(2, *shape, device=device))
        return cls(extractor, network, {what: seen.of(what).shape[1] for what in seen.kinds})

    def classifies(self, classes: tuple[str, ...]) -> bool:
        """Whether its logits are of these classes; assumed for data without class names."""
        known = self.extractor.classes
        return bool(known) and "logits" in self.widths and classes in (known, ())

    def described(self) -> dict[str, Any]:
        """Return its part of the protocol."""
        return {
            "extractor": self.extractor.kind,
            "extractor_options": _told(self.extractor),
            "weights": fingerprint(self.network),
            "resizer": self.extractor.resizer,
        }


def _default(data: DataOptions) -> Extractor:
    choices, name = Extractor.choices(), data.data.extractor
    if name not in choices:
        raise OptionError(
            f"'{data.data.label()}' is looked at by the extractor '{name}', which is not installed; name another "
            f"--extractor: {', '.join(sorted(choices))}"
        )
    return validate(choices[name], {}, prefix="extractor.")


def _told(chosen: Metric | Extractor, network: object = None) -> dict[str, Any]:
    """Return the options that figures depend on, and the checksum of a metric's network."""
    options = chosen.model_dump(mode="json", exclude=set(chosen.places))
    return {**options, "weights": fingerprint(network)} if isinstance(network, nn.Module) else options


def checksum(columns: Sequence[Tensor]) -> str:
    """Return the SHA-256 of columns."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{tuple(column.shape)}\n".encode())
        for part in column.split(PART):
            digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()
