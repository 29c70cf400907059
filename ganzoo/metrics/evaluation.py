"""An evaluation: what a GAN makes is measured, beside the real images of a split, by one protocol."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.data.batches import latent, scaled
from ganzoo.errors import Diverged
from ganzoo.gan import GAN
from ganzoo.generation.sampling import Sampler
from ganzoo.metrics.extractor import Seen
from ganzoo.metrics.metric import Metric, PairMeasure, PairMetric, SetMetric
from ganzoo.metrics.protocol import Protocol
from ganzoo.networks import Networks

PART = 64
"""Images that are made and looked at at once."""


@dataclass
class Evaluation:
    """All that measuring takes, made ready; `measure` does it, for any weights of the same GAN."""

    gan: GAN
    columns: Mapping[str, Tensor]
    """The rows that are looked at: real images, and what others are made from."""
    real: str
    """The column of the real images."""
    metrics: Sequence[Metric]
    """All that is measured."""
    pairs: Mapping[str, PairMeasure]
    """What measures pairs, by the name of the metric."""
    extractor: nn.Module | None
    protocol: Protocol
    device: torch.device
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Metrics that are usual and cannot be measured here, and why."""
    _seen: Seen | None = None
    """What the extractor sees in the real images: once for all weights."""

    def measure(self, nets: Networks, tell: Callable[[int], object] = lambda _: None) -> dict[str, float]:
        """The figures of networks on the device, in evaluation mode. Weights and later random numbers stay as they are.

        Args:
            nets: make the images.
            tell: told how many images are done, of twice as many as there are samples: real ones first.

        Raises:
            Diverged: the images that they make are no numbers.
        """
        real, made = self._look_at_real(tell), Seen(self.extractor)
        values: dict[str, list[Tensor]] = {name: [] for name in self.pairs}
        for start, images in self._made(nets):
            made.look(images)
            for name, measure in self.pairs.items():
                values[name].append(self._beside(measure, images, start))
            tell(min(start + PART, self.protocol.samples) + self.protocol.samples)
        figures = {}
        for metric in self.metrics:
            if isinstance(metric, SetMetric):
                figures[metric.kind] = metric.measure(real.of(metric.looks_at), made.of(metric.looks_at))
            elif isinstance(metric, PairMetric):
                figures[metric.kind] = metric.combine(torch.cat(values[metric.kind]))
        return figures

    def line(self, iteration: int, figures: Mapping[str, float | None]) -> dict[str, Any]:
        """A line of evaluations.jsonl; figures that are no finite numbers are None: JSON has no word for them."""
        return {
            "iteration": iteration,
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "protocol": self.protocol.model_dump(mode="json", exclude_none=True),
            "figures": {
                name: value if value is not None and math.isfinite(value) else None for name, value in figures.items()
            },
        }

    def rehearse(self, nets: Networks) -> int:
        """Makes and looks at one part, so that it can be told how long all take; returns how many parts there are."""
        start, images = next(self._made(nets))
        Seen(self.extractor).look(images)
        for measure in self.pairs.values():
            self._beside(measure, images, start)
        return -(-self.protocol.samples // PART)

    def _look_at_real(self, tell: Callable[[int], object]) -> Seen:
        if self._seen is None:
            seen = Seen(self.extractor)
            for start in range(0, self.protocol.samples, PART):
                if self.extractor:
                    seen.look(self._part(self.real, start))
                tell(min(start + PART, self.protocol.samples))
            self._seen = seen
        return self._seen

    @torch.no_grad()
    def _beside(self, measure: PairMeasure, images: Tensor, start: int) -> Tensor:
        return measure(images, self._part("target", start)).float().cpu()

    def _made(self, nets: Networks) -> Iterator[tuple[int, Tensor]]:
        """Images part by part, in 8 bits, as pictures of them would be, and where the part begins."""
        shape, samples = self.gan.noise_shape(), self.protocol.samples
        starts = range(0, samples, PART)
        noise = latent(samples, shape, self.protocol.seed) if shape else None
        given = sorted(self.gan.needs & self.gan.inputs)

        def inputs(start: int) -> dict[str, Tensor]:
            fields = {name: self._part(name, start) for name in given}
            return fields if noise is None else {**fields, "noise": noise[start : start + PART]}

        images = Sampler(self.gan, nets, self.protocol.seed).batches(map(inputs, starts))
        for start, made in zip(starts, images, strict=True):
            if not bool(made.isfinite().all()):
                raise Diverged("the images that it makes are NaN or infinite")
            yield start, ((made.to(self.device).clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1

    def _part(self, name: str, start: int) -> Tensor:
        end = min(start + PART, self.protocol.samples)
        return scaled(self.columns[name][start:end].to(self.device))
