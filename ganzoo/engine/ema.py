"""Exponential moving average (EMA) of the weights: a second, smoother copy of the networks that make images."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.contract.batch import Batch
from ganzoo.contract.networks import Discriminator, Networks

RAMP = 0.05
"""Largest half-life as a share of the images seen so far, so that the first weights are soon forgotten (Karras et al.,
2020, arXiv:2006.06676, `ema_rampup`)."""
PASSES = 20
"""Batches for estimating BatchNorm statistics."""


class EMA:
    """Exponential moving average of the weights of all trained networks except discriminators.

    BatchNorm's running statistics do not belong to averaged weights, so they are estimated again before images are
    made. Other buffers, such as a running mean of styles, are copied.

    Args:
        nets: networks in training.
        trained: their trainable weights.
        half_life: half-life of a weight's contribution, in images.
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
        """All networks of the GAN, with averaged ones in place of the originals."""

    @torch.no_grad()
    def update(self, step: Tensor, images: int) -> None:
        """Update the average after an iteration.

        Args:
            step: number of iterations before it, 0-dimensional.
            images: images per iteration, of all processes together.
        """
        seen = step.float() * images
        half_life = (RAMP * seen).clamp(min=1e-3, max=self.half_life)  # at first a mere copy
        share = 1 - 0.5 ** (images / half_life)
        mine: list[Tensor] = list(self.own.parameters())
        theirs: list[Tensor] = list(self.live.parameters())
        # One share per weight: a scalar tensor would be read on the host, which a CUDA graph forbids.
        torch._foreach_lerp_(mine, theirs, [share] * len(mine))

    @torch.no_grad()
    def recalibrate_batchnorm(self, sample: Callable[[Networks, Batch], object], batch: Batch) -> None:
        """Copy buffers and estimate BatchNorm's statistics.

        Args:
            sample: makes images from networks and a batch.
            batch: training inputs; their noise is drawn again for each pass, from PyTorch's default generator.
        """
        for mine, theirs in zip(self.own.buffers(), self.live.buffers(), strict=True):
            mine.copy_(theirs)
        with self._estimating() as layers:
            passes = PASSES if "noise" in batch else 1  # without noise, all passes are the same
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
            layer.momentum = None  # plain mean over all passes
            layer.train()
        try:
            yield layers
        finally:
            for layer, momentum, buffers in zip(layers, momenta, before, strict=True):
                layer.momentum = momentum
                layer.eval()
                if layer.num_batches_tracked == 0:  # unused in sampling
                    layer.load_state_dict(buffers, strict=False)

    def state(self) -> dict[str, Tensor]:
        """Return the averaged weights and buffers, by their names in the networks."""
        return self.own.state_dict()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Load the result of `state`.

        Raises:
            RuntimeError: if it belongs to other networks.
        """
        self.own.load_state_dict(state)
