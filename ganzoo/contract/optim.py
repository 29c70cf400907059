"""Optimizers as configurations: a player declares one, the engine builds it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Self, TypeAlias, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from ganzoo.config import Choice, NamedConfig

Decay: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
"""The share of a running mean that each step keeps."""


class Optimizer(NamedConfig, ABC):
    """How a player moves its networks."""

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
        """The torch optimizer of these weights.

        Args:
            weights: what it moves.
            fused: whether to take its single-kernel form, where there is one.
            captured: whether its steps become part of CUDA graphs, so that it must keep count on the GPU.
        """


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2014, arXiv:1412.6980); the DCGAN paper's values by default."""

    kind = "adam"

    betas: tuple[Decay, Decay] = Field((0.5, 0.999), description="decay rates of the two running means")
    eps: float = Field(1e-8, gt=0, description="added to the denominator")
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
    """RMSprop, as the WGAN paper uses it (Arjovsky et al., 2017, arXiv:1701.07875)."""

    kind = "rmsprop"

    alpha: Decay = Field(0.99, description="decay rate of the running mean of squares")
    eps: float = Field(1e-8, gt=0, description="added to the denominator")

    def build(
        self, weights: Iterable[nn.Parameter], *, fused: bool = True, captured: bool = False
    ) -> torch.optim.Optimizer:
        # torch has no fused RMSprop; its multi-tensor form is the nearest thing.
        weights = list(weights)
        lr = rate(self.lr, weights, captured)
        return torch.optim.RMSprop(weights, lr, self.alpha, self.eps, foreach=fused, capturable=captured)


def rate(lr: float, weights: Sequence[nn.Parameter], captured: bool) -> float | Tensor:
    """A learning rate as torch takes it: a tensor where steps are recorded, so that it may change between two."""
    return torch.full((), lr, device=weights[0].device) if captured else lr


AnyOptimizer: TypeAlias = Annotated[Optimizer, Choice(Optimizer)]
"""A field that holds any optimizer."""
