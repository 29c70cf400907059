"""Losses that have one thing wrong, and what their check says of it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from breaking import broken, says
from torch import Tensor
from torch.nn import functional as F

from ganzoo.losses import CrossEntropy, Hinge, LeastSquares, LossScheme, Softmax, WassersteinGP
from ganzoo.testing import check_loss_scheme


def logarithm(self: LossScheme, real: Tensor, fake: Tensor) -> Tensor:
    return -(fake.sigmoid().log()).mean()


def in_place(self: LossScheme, real: Tensor, fake: Tensor) -> Tensor:
    with torch.no_grad():
        fake.add_(1)
    return F.softplus(-fake).mean()


def in_place_with_gradients(self: LossScheme, real: Tensor, fake: Tensor) -> Tensor:
    fake += 1
    return F.softplus(-fake).mean()


def slope(critic: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Not differentiable again."""
    images = images.detach().requires_grad_()
    return torch.autograd.grad(critic(images).sum(), images)[0].square().mean()


LOSSES: dict[str, tuple[type[LossScheme], dict[str, Any], str]] = {
    "has no docstring": (CrossEntropy, {"__doc__": None}, "Broken has no docstring"),
    "no scalar": (Hinge, {"generator": lambda self, real, fake: -fake}, r"generator\(\) gives torch.float32 of shape"),
    "no tensor": (
        Hinge,
        {"generator": lambda self, real, fake: 1.0},
        r"generator\(\) gives a float; expected a tensor",
    ),
    "far logits": (Hinge, {"generator": logarithm}, r"generator\(\) is inf for logits of .*softplus or logsumexp"),
    "constant": (
        Hinge,
        {"generator": lambda self, real, fake: torch.ones(())},
        r"generator\(\) cannot be differentiated: compute it from the logits",
    ),
    "looks at real": (
        Hinge,
        {"generator": lambda self, real, fake: real.mean() - fake.mean()},
        r"generator\(\) is NaN without real logits: leave them alone, or say needs_real = True",
    ),
    "adds up real": (
        Hinge,
        {"generator": lambda self, real, fake: F.softplus(real.sum(0) - fake).mean()},
        r"generator\(\) is .* without real logits, and .* with them: leave them alone, or say needs_real = True",
    ),
    "pairs with real": (
        Hinge,
        {"generator": lambda self, real, fake: F.softplus(torch.stack([real[0], fake[0]])).mean()},
        r"generator\(\) fails without real logits \(IndexError.*needs_real = True",
    ),
    "does not look at real": (
        Softmax,
        {"generator": lambda self, real, fake: -fake.mean()},
        r"generator\(\) is the same whatever the real logits.*needs_real = False",
    ),
    "changes logits": (Hinge, {"generator": in_place}, r"generator\(\) changes the logits that it is given"),
    "changes logits that are differentiated by": (
        Hinge,
        {"generator": in_place_with_gradients},
        r"generator\(\) changes the logits that it is given: use no operation that works in place",
    ),
    "draws": (
        Hinge,
        {"generator": lambda self, real, fake: -(fake * torch.rand_like(fake)).mean()},
        r"generator\(\) gives other numbers each time",
    ),
    "wrong way": (
        Hinge,
        {"generator": lambda self, real, fake: fake.mean()},
        r"generator\(\) does not draw fakes towards the real side: minimised, it moves their logits down",
    ),
    "does not tell": (
        Hinge,
        {"discriminator": lambda self, real, fake: (real - 1).square().mean() + (fake - 1).square().mean()},
        r"discriminator\(\) does not tell real from fake: minimised, it leaves",
    ),
    "least loss": (
        LeastSquares,
        {"least_loss": 1.0},
        r"least_loss is 1.0, but discriminator\(\) comes to .* when it tells all apart",
    ),
    "overfitting_signal": (
        Hinge,
        {"overfitting_signal": lambda self, real, fake: torch.sign(-real).mean()},
        r"certainty\(\) is -1 where the discriminator tells real images",
    ),
    "penalties": (Hinge, {"penalties": lambda self, *given: 3}, r"penalties\(\) gives a int; expected terms by name"),
    "name of a penalty": (
        Hinge,
        {"penalties": lambda self, critic, real, fake, step: {"adversarial": critic(real).mean()}},
        "a penalty is called 'adversarial'",
    ),
    "no second slope": (
        WassersteinGP,
        {"penalties": lambda self, critic, real, fake, step: {"r1": slope(critic, real)}},
        "the penalty 'r1' teaches the critic nothing: take slopes by ganzoo.gradient",
    ),
    "images": (
        Hinge,
        {"penalties": lambda self, critic, real, fake, step: {"r1": critic(real.requires_grad_()).mean()}},
        r"penalties\(\) changes the images that it is given: differentiate by images.detach\(\)",
    ),
}


@pytest.mark.parametrize("case", LOSSES)
def test_a_broken_loss_is_told_what_to_change(case: str) -> None:
    base, members, change = LOSSES[case]
    says(lambda: check_loss_scheme(broken(base, **members)), change)


def test_an_ordinary_mistake_is_no_want_of_real_logits() -> None:
    """It is shown as it is, where it is."""

    def generator(self: LossScheme, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(fake, slope=2.0)  # type: ignore[call-arg]  # which is the mistake

    with pytest.raises(TypeError, match="slope"):
        check_loss_scheme(broken(Hinge, generator=generator))
