"""Optimizers as configurations: declared by a player, built by the engine."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Self, TypeAlias, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from ganzoo.config import Choice, NamedConfig

Decay: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
"""Decay rate of a running mean."""


class Optimizer(NamedConfig, ABC):
    """Optimizer of a player."""

    noun: ClassVar[str] = "optimizer"
    kind: ClassVar[str]

    lr: float = Field(2e-4, gt=0, description="learning rate")

    @classmethod
    def choices(cls) -> Mapping[str, type[Self]]:
        return cast("Mapping[str, type[Self]]", {optimizer.kind: optimizer for optimizer in (Adam, RMSprop)})

    @abstractmethod
    def build(
        self, weights: Iterable[nn.Parameter], *, fused: bool = True, captured: bool = False
    ) -> torch.optim.Optimizer:
        """Return the torch optimizer for these weights.

        Args:
            weights: parameters to train.
            fused: whether to use the single-kernel implementation, where available.
            captured: whether steps are captured in CUDA graphs, which requires a step count on the GPU.
        """


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2014, arXiv:1412.6980), with the DCGAN paper's values by default."""

    kind = "adam"

    betas: tuple[Decay, Decay] = Field((0.5, 0.999), description="decay rates of the two running means")
    eps: float = Field(1e-8, gt=0, description="term added to the denominator")
    weight_decay: float = Field(0.0, ge=0, description="weight decay (L2)")

    def build(
        self, weights: Iterable[nn.Parameter], *, fused: bool = True, captured: bool = False
    ) -> torch.optim.Optimizer:
        weights = list(weights)
        return torch.optim.Adam(
            weights,
            rate(self.lr, weights, captured),
            self.betas,
            self.eps,
            self.weight_decay,
            fused=fused,
            foreach=None if fused else False,
            capturable=captured,
        )


class RMSprop(Optimizer):
    """RMSprop, as in the WGAN paper (Arjovsky et al., 2017, arXiv:1701.07875)."""

    kind = "rmsprop"

    alpha: Decay = Field(0.99, description="decay rate of the running mean of squares")
    eps: float = Field(1e-8, gt=0, description="term added to the denominator")

    def build(
        self, weights: Iterable[nn.Parameter], *, fused: bool = True, captured: bool = False
    ) -> torch.optim.Optimizer:
        # torch has no fused RMSprop; its multi-tensor implementation is the closest.
        weights = list(weights)
        lr = rate(self.lr, weights, captured)
        return torch.optim.RMSprop(weights, lr, self.alpha, self.eps, foreach=fused, capturable=captured)


def rate(lr: float, weights: Sequence[nn.Parameter], captured: bool) -> float | Tensor:
    """Return a learning rate for torch: a tensor if steps are captured, so that it can change between them."""
    return torch.full((), lr, device=weights[0].device) if captured else lr


AnyOptimizer: TypeAlias = Annotated[Optimizer, Choice(Optimizer)]
"""Field that holds any optimizer."""
