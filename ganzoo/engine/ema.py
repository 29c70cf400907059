"""A moving average of the weights: a second set of the networks that make images, slower and steadier."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.contract.batch import Batch
from ganzoo.contract.networks import Discriminator, Networks

RAMP = 0.05
"""The half-life is at most this share of the images seen so far, so that the first weights are soon forgotten (Karras
et al., 2020, arXiv:2006.06676, their `ema_rampup`)."""
PASSES = 20
"""Batches over which the statistics of BatchNorm are estimated."""


class EMA:
    """The average of the weights that every network but the discriminators had, the later the heavier.

    Averaged weights are not what the running statistics of BatchNorm were gathered with, so these are estimated anew
    before images are made. What else is no weight, such as a running mean of styles, is taken over as it is.

    Args:
        nets: the networks that train.
        trained: their weights that players move.
        half_life: of what a weight counts, in images.
    """

    def __init__(self, nets: Networks, trained: Iterable[nn.Parameter], half_life: int) -> None:
        moved = set(trained)
        makes_images = {
            name: network
            for name, network in nets.named_children()
            if not isinstance(network, Discriminator) and not moved.isdisjoint(network.parameters())
        }
        self.half_life = half_life
        self.own = Networks(**{name: copy.deepcopy(network) for name, network in makes_images.items()})
        self.own.eval().requires_grad_(False)
        self.live = Networks(**makes_images)
        self.nets = Networks(**{**dict(nets.named_children()), **dict(self.own.named_children())})
        """All networks of the GAN, the averaged ones in their places."""

    @torch.no_grad()
    def update(self, step: Tensor, images: int) -> None:
        """Follows the weights after an iteration.

        Args:
            step: iterations before it, a 0-dimensional tensor.
            images: in one iteration, of all processes together.
        """
        seen = step.float() * images
        half_life = (RAMP * seen).clamp(min=1e-3, max=self.half_life)  # at first it is but a copy
        share = 1 - 0.5 ** (images / half_life)
        mine: list[Tensor] = list(self.own.parameters())
        theirs: list[Tensor] = list(self.live.parameters())
        # The share once for each weight: a lone tensor would be read on the host, which a CUDA graph forbids.
        torch._foreach_lerp_(mine, theirs, [share] * len(mine))

    @torch.no_grad()
    def recalibrate_batchnorm(self, sample: Callable[[Networks, Batch], object], batch: Batch) -> None:
        """Takes over what is no weight, and estimates the statistics of BatchNorm.

        Args:
            sample: makes images with networks from a batch.
            batch: inputs of training; their noise is drawn anew for each pass, from torch's default generator.
        """
        for mine, theirs in zip(self.own.buffers(), self.live.buffers(), strict=True):
            mine.copy_(theirs)
        with self._estimating() as layers:
            passes = PASSES if "noise" in batch else 1  # without noise one is as good as many
            for _ in range(passes if layers else 0):
                fresh = {"noise": torch.randn_like(batch.noise)} if "noise" in batch else {}
                sample(self.nets, batch.replace(**fresh))

    @contextmanager
    def _estimating(self) -> Iterator[list[_BatchNorm]]:
        layers = [layer for layer in self.own.modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]
        momenta = [layer.momentum for layer in layers]
        before = [{name: value.clone() for name, value in layer.named_buffers()} for layer in layers]
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all passes
            layer.train()
        try:
            yield layers
        finally:
            for layer, momentum, buffers in zip(layers, momenta, before, strict=True):
                layer.momentum = momentum
                layer.eval()
                if layer.num_batches_tracked == 0:  # images are made without it
                    layer.load_state_dict(buffers, strict=False)

    def state(self) -> dict[str, Tensor]:
        """Its weights and buffers, by their names in the networks."""
        return self.own.state_dict()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Takes back what `state` gave.

        Raises:
            RuntimeError: it is of other networks.
        """
        self.own.load_state_dict(state)
