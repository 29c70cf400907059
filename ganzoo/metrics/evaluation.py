"""Evaluation of a GAN: samples compared with the real images of a split under one protocol."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ganzoo import pictures
from ganzoo.contract.gan import GAN
from ganzoo.contract.metric import (
    GroupMetric,
    Metric,
    PairMeasure,
    PairMetric,
    SetMetric,
    StatisticsMetric,
    TrainingMetric,
)
from ganzoo.contract.networks import Networks
from ganzoo.contract.statistics import Statistics
from ganzoo.data.in_memory import fixed_latents, to_float
from ganzoo.errors import Diverged, OptionError
from ganzoo.metrics.features import FeatureBuffer
from ganzoo.metrics.neighbors import nearest
from ganzoo.metrics.protocol import Protocol
from ganzoo.metrics.selection import code_of
from ganzoo.sampling.sampler import Sampler

PART = 64
"""Images per batch."""
NEAREST = 5
"""Training images shown next to a sample."""


@dataclass(frozen=True)
class Neighbors:
    """Samples and the training images nearest to them in the extractor's feature space."""

    samples: Tensor
    """N x C x H x W in [-1, 1]."""
    nearest: Tensor
    """N x NEAREST x C x H x W in [-1, 1], the nearest first."""

    def picture(self) -> Image.Image:
        """Return a picture with a row for each sample: the sample, a gap, and its nearest training images."""
        gap = torch.ones_like(self.samples)
        return pictures.grid(pictures.side_by_side([self.samples, gap, *self.nearest.unbind(1)]), NEAREST + 2)


@dataclass
class Evaluation:
    """Evaluation with loaded data and networks; `measure` runs it for any weights of the same GAN."""

    gan: GAN
    columns: Mapping[str, Tensor]
    """Rows of real images and of inputs of the GAN."""
    real: str
    """Column of the real images."""
    metrics: Sequence[Metric]
    """Metrics to measure."""
    pairs: Mapping[str, PairMeasure]
    """Functions of pair metrics, by the name of the metric."""
    extractor: nn.Module | None
    protocol: Protocol
    device: torch.device
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Default metrics that cannot be measured here, with reasons."""
    reference: Statistics | None = None
    """Statistics that replace the real images."""
    labels: Tensor | None = None
    """Classes of the rows, int64, if a metric needs them."""
    trained_on: Tensor | None = None
    """Training images, if a metric compares samples with them."""
    show: int = 0
    """Number of samples to show with their nearest training images."""
    neighbors: Neighbors | None = None
    """Neighbors for the weights measured last."""
    _seen: dict[str, FeatureBuffer] = field(default_factory=dict)
    """Features of the real images, shared by all weights."""

    @property
    def rows(self) -> Tensor:
        """Row for each sample: all in turn, or evenly spaced ones if there are fewer samples."""
        samples, there = self.protocol.samples, min(map(len, self.columns.values()), default=1)
        numbers = torch.arange(samples)
        return numbers % there if samples >= there else numbers * there // samples

    @property
    def looked_at(self) -> int:
        """Total number of images for `measure`, samples and real ones."""
        return self.protocol.samples + sum(map(len, self._columns().values()))

    def measure(self, nets: Networks, tell: Callable[[int], object] = lambda _: None) -> dict[str, float]:
        """Measure networks on the device, in evaluation mode. Weights and random state are not affected.

        Args:
            nets: networks that make the images.
            tell: called with the number of finished images, out of `looked_at`; real ones come first.

        Raises:
            Diverged: if samples are NaN or infinite.
        """
        done = self._look_at_real(tell)
        made, values = self._new_seen(), dict[str, list[Tensor]]((name, []) for name in self.pairs)
        shown: list[Tensor] = []
        rows, first = self.rows, set((torch.arange(self.show) * self.protocol.samples // max(1, self.show)).tolist())
        for start, images in self._made(nets):
            made.look(images)
            shown += [image.cpu() for place, image in enumerate(images, start) if place in first]
            for name, measure in self.pairs.items():
                values[name].append(self._beside(measure, images, rows[start : start + PART]))
            tell(done + start + len(images))
        if self.trained_on is not None and shown:
            chosen = made.of("features")[sorted(first)]
            self.neighbors = self._neighbors(torch.stack(shown), chosen)
        return {metric.kind: self._figure(metric, made, values) for metric in self.metrics}

    def _figure(self, metric: Metric, made: FeatureBuffer, values: Mapping[str, list[Tensor]]) -> float:
        if isinstance(metric, PairMetric):
            return metric.combine(torch.cat(values[metric.kind]))
        if isinstance(metric, StatisticsMetric) and self.reference is not None:
            return metric.compare(self.reference, Statistics.of(made.of(metric.looks_at)))
        real = self._seen["real"]
        if isinstance(metric, TrainingMetric):
            return metric.measure(self._seen["train"].of("features"), real.of("features"), made.of("features"))
        if isinstance(metric, GroupMetric):
            groups = self._groups(metric)
            return metric.measure(real.of(metric.looks_at), groups[0], made.of(metric.looks_at), groups[1])
        if isinstance(metric, SetMetric):
            return metric.measure(real.of(metric.looks_at), made.of(metric.looks_at))
        raise AssertionError(f"{metric.kind} was let in, and is of no known kind")

    def _groups(self, metric: GroupMetric) -> tuple[Tensor, Tensor]:
        """Return the classes of real images and samples; or an empty tensor and the values of a code."""
        if self.labels is not None and metric.by == "label":
            return self.labels, self.labels[self.rows]
        noise = fixed_latents(self.protocol.samples, self.gan.noise_shape(), self.protocol.seed)
        return torch.empty(0, dtype=torch.int64), code_of(metric, self.gan).read(noise)

    def statistics(self) -> Statistics:
        """Return statistics of the real images, for `--reference`.

        Raises:
            OptionError: if no metric used an extractor.
        """
        if "real" not in self._seen or "features" not in self._seen["real"].kinds:
            raise OptionError("there are no features of real images to save; name a metric of sets, such as fid")
        return Statistics.of(self._seen["real"].of("features"))

    def line(self, iteration: int, figures: Mapping[str, float | None]) -> dict[str, Any]:
        """Return a line of evaluations.jsonl, with None for figures that JSON cannot represent: NaN and infinity."""
        return {
            "iteration": iteration,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "protocol": self.protocol.model_dump(mode="json", exclude_none=True),
            "figures": {
                name: value if value is not None and math.isfinite(value) else None for name, value in figures.items()
            },
        }

    def rehearse(self, nets: Networks) -> int:
        """Run one part of the evaluation, to measure its time; return the number of parts."""
        start, images = next(self._made(nets))
        self._new_seen().look(images)
        for measure in self.pairs.values():
            self._beside(measure, images, self.rows[start : start + PART])
        return -(-self.protocol.samples // PART)

    def _new_seen(self) -> FeatureBuffer:
        colors = any(isinstance(metric, SetMetric) and metric.looks_at == "colors" for metric in self.metrics)
        return FeatureBuffer(self.extractor, colors=colors)

    def _columns(self) -> dict[str, Tensor]:
        """Return the images to compare with samples."""
        found = {} if self.reference is not None else {"real": self.columns[self.real]}
        return found | ({} if self.trained_on is None else {"train": self.trained_on})

    def _look_at_real(self, tell: Callable[[int], object]) -> int:
        done = 0
        for name, images in self._columns().items():
            if name not in self._seen:
                seen = self._new_seen()
                for start in range(0, len(images), PART):
                    if self.metrics and len(self.pairs) < len(self.metrics):
                        seen.look(to_float(images[start : start + PART].to(self.device)))
                    tell(done + min(start + PART, len(images)))
                self._seen[name] = seen
            done += len(images)
        return done

    def _neighbors(self, samples: Tensor, features: Tensor) -> Neighbors:
        train = self.trained_on
        if train is None:
            raise AssertionError("there are no training images to find neighbors among")
        numbers = nearest(features, self._seen["train"].of("features"), min(NEAREST, len(train)))[1]
        return Neighbors(samples, to_float(train[numbers.flatten()]).unflatten(0, tuple(numbers.shape)))

    @torch.no_grad()
    def _beside(self, measure: PairMeasure, images: Tensor, rows: Tensor) -> Tensor:
        return measure(images, self._of("target", rows)).float().cpu()

    def _made(self, nets: Networks) -> Iterator[tuple[int, Tensor]]:
        """Yield images part by part, quantized to 8 bits like image files, with the index of the first."""
        shape, samples, rows = self.gan.noise_shape(), self.protocol.samples, self.rows
        starts = range(0, samples, PART)
        noise = fixed_latents(samples, shape, self.protocol.seed) if shape else None
        given = sorted(self.gan.needs & self.gan.inputs)

        def inputs(start: int) -> dict[str, Tensor]:
            fields = {name: self._of(name, rows[start : start + PART]) for name in given}
            return fields if noise is None else {**fields, "noise": noise[start : start + PART]}

        images = Sampler(self.gan, nets, self.protocol.seed).batches(map(inputs, starts))
        for start, made in zip(starts, images, strict=True):
            if not bool(made.isfinite().all()):
                raise Diverged("the images that it makes are NaN or infinite")
            yield start, ((made.to(self.device).clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1

    def _of(self, name: str, rows: Tensor) -> Tensor:
        return to_float(self.columns[name][rows].to(self.device))
