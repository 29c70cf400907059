"""How logits become losses: the whole difference between DCGAN, LSGAN and WGAN-GP."""

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
"""Named scalar terms; their sum is minimised and every term is logged."""

LIPSCHITZ = "whose slope is bounded"
"""Demanded of a discriminator whose logits estimate a distance: its weights are clipped."""
PER_SAMPLE = "that judges each image apart from its batch"
"""Demanded of a discriminator whose slope is looked at, image by image: none may depend on the others of its batch."""


class LossScheme(NamedConfig, ABC):
    """How a discriminator's logits become losses. Pure functions of tensors of any shape, in float32."""

    noun: ClassVar[str] = "loss"
    kind: ClassVar[str]
    """Its name in `--loss hinge` and in config.json."""
    needs_real: ClassVar[bool] = False
    """Whether `generator` looks at the logits of real images (relativistic and softmax losses); else they are empty."""
    requires: ClassVar[frozenset[str]] = frozenset()
    """What a discriminator must have to train under it: `LIPSCHITZ`, `PER_SAMPLE`. A GAN has what its own
    default loss demands and what it `provides`, and takes no loss that demands more."""
    least_loss: ClassVar[float | None] = None
    """The least that the discriminator's loss can be; None: it has no bound."""
    slopes: ClassVar[frozenset[Literal["real", "fake"]]] = frozenset()
    """Images by which `penalties` differentiates the discriminator, as they are. They then come to it requiring
    gradients, and the critic gives the logits of them that the loss was computed from: the discriminator need not run
    again."""

    @abstractmethod
    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises, given its logits for real and for fake images: a 0-dimensional tensor."""

    @abstractmethod
    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the generator minimises, given the discriminator's logits for real and fake images: 0-dimensional."""

    def overfitting_signal(self, real: Tensor, fake: Tensor) -> Tensor:
        """How surely the discriminator tells real images, by its logits: a 0-dimensional tensor in [-1, 1].

        0: it guesses; 1: it takes every real image for one. Adaptive augmentation steers by it (Karras et al., 2020,
        arXiv:2006.06676, eq. 1): mean(sign(D(x))), above the mean of fakes for losses that only compare. A loss whose
        logits are lower for real images must define it anew.
        """
        return torch.sign(real - fake.mean() if self.needs_real else real).mean()

    def penalties(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, step: Tensor) -> Losses:
        """Further terms of the discriminator's loss.

        They may differentiate twice, through `ganzoo.gradient`.

        Args:
            critic: images to logits, under the same condition (classes, source images) as `real` and `fake`.
            real: real images, N x C x H x W.
            fake: fakes of the same shape, detached from the generator.
            step: iterations before this one, a 0-dimensional tensor on the device.

        Returns:
            Terms by name, each 0-dimensional.
        """
        return {}


def gradient(outputs: Tensor, inputs: Tensor) -> Tensor:
    """The gradient of the sum of `outputs` by `inputs`, in a form that can be differentiated again.

    It is of the shape of `inputs`; an image's slope is its own only if the network does not mix the batch.
    """
    return torch.autograd.grad(outputs.sum(), inputs, create_graph=True)[0]


class CrossEntropy(LossScheme):
    """Binary cross entropy on logits, the generator's non-saturating (Goodfellow et al., 2014, arXiv:1406.2661).

    L_D = mean(softplus(-D(x)) + softplus(D(G(z)))) / 2 and L_G = mean(softplus(-D(G(z)))).
    """

    kind = "cross-entropy"
    least_loss = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (_cross_entropy(real, 1.0) + _cross_entropy(fake, 0.0)) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return _cross_entropy(fake, 1.0)


class Minimax(CrossEntropy):
    """The original game, in which the generator raises what the discriminator lowers (Goodfellow et al., 2014, eq. 1).

    L_D = mean(softplus(-D(x)) + softplus(D(G(z)))) / 2 and L_G = mean(log(1 - sigmoid(D(G(z))))), which is
    -mean(softplus(D(G(z)))). The generator learns little where the discriminator is sure of its fakes.
    """

    kind = "minimax"

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -F.softplus(fake).mean()


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


class LeastSquares(LossScheme):
    """Squared distance to the labels 1 and 0 (Mao et al., 2016, arXiv:1611.04076, eq. 9).

    L_D = mean((D(x) - 1)^2 + D(G(z))^2) / 2 and L_G = mean((D(G(z)) - 1)^2) / 2.
    """

    kind = "least-squares"
    least_loss = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return ((real - 1).square().mean() + fake.square().mean()) / 2

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake - 1).square().mean() / 2

    def overfitting_signal(self, real: Tensor, fake: Tensor) -> Tensor:
        return torch.sign(real - 0.5).mean()  # half-way between the labels


class Hinge(LossScheme):
    """Cross entropy's straight-lined cousin: the hinge (Lim and Ye, 2017, arXiv:1705.02894).

    L_D = mean(relu(1 - D(x)) + relu(1 + D(G(z)))) and L_G = -mean(D(G(z))).
    """

    kind = "hinge"
    least_loss = 0.0

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -fake.mean()


class Wasserstein(LossScheme):
    """The Wasserstein distance (Arjovsky et al., 2017, arXiv:1701.07875).

    L_D = mean(D(G(z))) - mean(D(x)) and L_G = -mean(D(G(z))). It means something only where the critic is held to a
    bounded slope, by clipping or by a penalty.
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
    """The Wasserstein distance with a gradient penalty (Gulrajani et al., 2017, arXiv:1704.00028, eq. 3).

    Adds `penalty` x mean((|grad D(y)| - 1)^2), y drawn evenly between pairs of a real and a fake image. The slope is
    each image's own, so the critic must not mix the images of a batch: no BatchNorm in it.
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
    """One softmax over all real and fake images of a batch (Lin, 2017, arXiv:1704.06191, eqs. 4 to 7).

    With D(x) for the paper's -mu(x), p(x) = exp(D(x)) / Z and Z the sum of exp(D) over the batch. The discriminator's
    target is 1/|B+| for the |B+| real images and 0 for the |B-| fakes, the generator's 1/(|B+| + |B-|) for all of them;
    both losses are the cross entropy of target and p: L_D = log Z - mean(D(x)) and
    L_G = log Z - mean(D(x) and D(G(z)) together). At best they are log |B+| and log(|B+| + |B-|).
    """

    kind = "softmax"
    needs_real = True

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return torch.cat([real, fake]).flatten().logsumexp(0) - real.mean()

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        both = torch.cat([real, fake]).flatten()
        return both.logsumexp(0) - both.mean()


class Relativistic(LossScheme):
    """Each real image against a fake, both slopes held near zero (Huang et al., 2024, arXiv:2501.05441, eqs. 2 and 3).

    L_D = mean(softplus(D(G(z)) - D(x))) + gamma/2 x mean(|grad D(x)|^2) + gamma/2 x mean(|grad D(G(z))|^2) and
    L_G = mean(softplus(D(x) - D(G(z)))), over pairs of a real and a fake image. The slopes are each image's own, so
    the discriminator must not mix the images of a batch: no BatchNorm in it. As in the authors' code, gamma may fall
    over the run by a cosine.
    """

    kind = "relativistic"
    needs_real = True
    least_loss = 0.0
    requires = frozenset({PER_SAMPLE})
    slopes = frozenset({"real", "fake"})

    gamma: float = Field(1.0, ge=0, description="weight of the squared slopes at real and at fake images (R1, R2)")
    gamma_end: float | None = Field(None, ge=0, description="that weight in the end (default: it stays)")
    gamma_iterations: int = Field(50_000, gt=0, description="iterations in which it comes there, by a cosine")

    def weight(self, step: Tensor) -> float | Tensor:
        """Gamma after so many iterations, a 0-dimensional tensor."""
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
"""A field that holds any registered LossScheme."""
