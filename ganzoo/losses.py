"""Loss schemes: losses from logits, the difference between DCGAN, LSGAN and WGAN-GP."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from ganzoo.config import Choice, NamedConfig

__all__ = [
    "LIPSCHITZ",
    "PER_SAMPLE",
    "CrossEntropy",
    "Hinge",
    "LeastSquares",
    "Loss",
    "LossScheme",
    "Losses",
    "Minimax",
    "Relativistic",
    "Softmax",
    "Wasserstein",
    "WassersteinGP",
    "gradient",
]

Losses: TypeAlias = dict[str, Tensor]
"""Named scalar terms. Their sum is minimized, and every term is logged."""

LIPSCHITZ = "whose slope is bounded"
"""Requirement of a discriminator whose logits estimate a distance: clipped weights."""
PER_SAMPLE = "that judges each image apart from its batch"
"""Requirement of a discriminator whose gradient is taken per image: no image may depend on others of its batch."""


class LossScheme(NamedConfig, ABC):
    """Losses of a discriminator's logits: pure functions of float32 tensors of any shape."""

    noun: ClassVar[str] = "loss"
    kind: ClassVar[str]
    """Name in `--loss hinge` and in config.json."""
    needs_real: ClassVar[bool] = False
    """Whether `generator` uses the logits of real images (relativistic and softmax losses); else empty."""
    requires: ClassVar[frozenset[str]] = frozenset()
    """Required properties of the discriminator: `LIPSCHITZ`, `PER_SAMPLE`. A GAN has those of its default loss and
    those in its `provides`, and accepts no loss that requires more."""
    least_loss: ClassVar[float | None] = None
    """Lower bound of the discriminator's loss; None if unbounded."""
    slopes: ClassVar[frozenset[Literal["real", "fake"]]] = frozenset()
    """Images with respect to which `penalties` differentiates the discriminator, unmodified. They then require
    gradients, and the critic returns the logits that the loss was computed from, which saves a forward pass."""

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's loss from its logits for real and fake images: a 0-dimensional tensor."""

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the generator's loss from the discriminator's logits for real and fake images: 0-dimensional."""

    def overfitting_signal(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's confidence on real images, from its logits: a 0-dimensional tensor in [-1, 1].

        0: it guesses; 1: it classifies every real image as real. Adaptive augmentation is controlled by it (Karras et
        al., 2020, arXiv:2006.06676, eq. 1): mean(sign(D(x))), relative to the mean of fakes for relativistic losses.
        A loss with lower logits for real images must override it.
        """
        return torch.sign(real - fake.mean() if self.needs_real else real).mean()

    def penalties(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, step: Tensor) -> Losses:
        """Return additional terms of the discriminator's loss.

        They may differentiate twice, through `ganzoo.gradient`.

        Args:
            critic: images to logits, under the same condition (classes, source images) as `real` and `fake`.
            real: real images, N x C x H x W.
            fake: fakes of the same shape, detached from the generator.
            step: number of previous iterations, a 0-dimensional tensor on the device.

        Returns:
            Terms by name, each 0-dimensional.
        """
        return {}


def gradient(outputs: Tensor, inputs: Tensor) -> Tensor:
    """Return the gradient of the sum of `outputs` with respect to `inputs`, itself differentiable.

    It has the shape of `inputs`. Rows are per-image gradients only if the network does not mix the batch.
    """
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=True)[0]


class CrossEntropy(LossScheme):
    """Binary cross entropy on logits, with a non-saturating generator (Goodfellow et al., 2014, arXiv:1406.2661).

    L_D = mean(softplus(-D(x)) + softplus(D(G(z)))) / 2 and L_G = mean(softplus(-D(G(z)))).
    """

    kind = "cross-entropy"
    least_loss = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (_cross_entropy(real, 1.0) + _cross_entropy(fake, 0.0)) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return _cross_entropy(fake, 1.0)


class Minimax(CrossEntropy):
    """Original minimax game: the generator maximizes the discriminator's loss (Goodfellow et al., 2014, eq. 1).

    L_D = mean(softplus(-D(x)) + softplus(D(G(z)))) / 2 and L_G = mean(log(1 - sigmoid(D(G(z))))), which is
    -mean(softplus(D(G(z)))). Its gradient vanishes where the discriminator rejects fakes with confidence.
    """

    kind = "minimax"

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -F.softplus(fake).mean()


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


class LeastSquares(LossScheme):
    """Least squares: squared distance to the labels 1 and 0 (Mao et al., 2016, arXiv:1611.04076, eq. 9).

    L_D = mean((D(x) - 1)^2 + D(G(z))^2) / 2 and L_G = mean((D(G(z)) - 1)^2) / 2.
    """

    kind = "least-squares"
    least_loss = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake - 1).square().mean() / 2

    def overfitting_signal(self, real: Tensor, fake: Tensor) -> Tensor:
        return torch.sign(real - 0.5).mean()  # halfway between the labels


class Hinge(LossScheme):
    """Hinge loss (Lim and Ye, 2017, arXiv:1705.02894).

    L_D = mean(relu(1 - D(x)) + relu(1 + D(G(z)))) and L_G = -mean(D(G(z))).
    """

    kind = "hinge"
    least_loss = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


class Wasserstein(LossScheme):
    """Wasserstein distance (Arjovsky et al., 2017, arXiv:1701.07875).

    L_D = mean(D(G(z))) - mean(D(x)) and L_G = -mean(D(G(z))). Valid only for a Lipschitz critic, by weight clipping
    or a penalty.
    """

    kind = "wasserstein"
    requires = frozenset({LIPSCHITZ})

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()

    def overfitting_signal(self, real: Tensor, fake: Tensor) -> Tensor:
        return torch.sign(real - fake.mean()).mean()


class WassersteinGP(Wasserstein):
    """Wasserstein distance with a gradient penalty (Gulrajani et al., 2017, arXiv:1704.00028, eq. 3).

    Adds `penalty` x mean((|grad D(y)| - 1)^2), y sampled uniformly between pairs of a real and a fake image. The
    gradient is per image, so the critic must not mix the images of a batch: no BatchNorm.
    """

    kind = "wasserstein-gp"
    requires = frozenset({PER_SAMPLE})

    penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty")

    def penalties(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, step: Tensor) -> Losses:
        share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
        between = torch.lerp(fake, real, share).requires_grad_()
        slope = gradient(critic(between), between).flatten(1).norm(dim=1)
        return {"gradient_penalty": self.penalty * (slope - 1).square().mean()}


class Softmax(LossScheme):
    """Softmax over all real and fake images of a batch (Lin, 2017, arXiv:1704.06191, eqs. 4 to 7).

    With D(x) for the paper's -mu(x), p(x) = exp(D(x)) / Z and Z the sum of exp(D) over the batch. The discriminator's
    target is 1/|B+| for the |B+| real images and 0 for the |B-| fakes, the generator's 1/(|B+| + |B-|) for all of them;
    both losses are the cross entropy of target and p: L_D = log Z - mean(D(x)) and
    L_G = log Z - mean(D(x) and D(G(z)) together). Their minima are log |B+| and log(|B+| + |B-|).
    """

    kind = "softmax"
    needs_real = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return torch.cat([real, fake]).flatten().logsumexp(0) - real.mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        both = torch.cat([real, fake]).flatten()
        return both.logsumexp(0) - both.mean()


class Relativistic(LossScheme):
    """Relativistic pairing with R1 and R2 penalties (Huang et al., 2024, arXiv:2501.05441, eqs. 2 and 3).

    L_D = mean(softplus(D(G(z)) - D(x))) + gamma/2 x mean(|grad D(x)|^2) + gamma/2 x mean(|grad D(G(z))|^2) and
    L_G = mean(softplus(D(x) - D(G(z)))), over pairs of a real and a fake image. The gradients are per image, so the
    discriminator must not mix the images of a batch: no BatchNorm. As in the authors' code, gamma can decay over the
    run by a cosine.
    """

    kind = "relativistic"
    needs_real = True
    least_loss = 0.0
    requires = frozenset({PER_SAMPLE})
    slopes = frozenset({"real", "fake"})

    gamma: float = Field(1.0, ge=0, description="weight of the squared gradients at real and fake images (R1, R2)")
    gamma_end: float | None = Field(None, ge=0, description="final weight of these penalties (default: constant)")
    gamma_iterations: int = Field(50_000, gt=0, description="iterations of the cosine decay to the final weight")

    def weight(self, step: Tensor) -> float | Tensor:
        """Return gamma after `step` iterations, a 0-dimensional tensor."""
        if self.gamma_end is None:
            return self.gamma
        done = (step / self.gamma_iterations).clamp(max=1)
        return self.gamma_end + (self.gamma - self.gamma_end) * (1 + torch.cos(math.pi * done)) / 2

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake - real).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(real - fake).mean()

    def penalties(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, step: Tensor) -> Losses:
        half = self.weight(step) / 2
        return {"r1": half * _squared_slope(critic, real), "r2": half * _squared_slope(critic, fake)}


def _squared_slope(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    if not images.requires_grad:
        images = images.detach().requires_grad_()
    return gradient(critic(images), images).square().flatten(1).sum(1).mean()


Loss: TypeAlias = Annotated[LossScheme, Choice(LossScheme)]
"""Field that holds any registered LossScheme."""
