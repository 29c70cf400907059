"""Losses against values worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from ganzoo import gradient
from ganzoo.losses import CrossEntropy, Hinge, LeastSquares, LossScheme, Wasserstein, WassersteinGP

REAL = torch.tensor([[2.0], [-1.0], [0.5]])
FAKE = torch.tensor([[-3.0], [0.0], [2.0]])
NONE = FAKE[:0]


def test_cross_entropy_is_that_of_probabilities() -> None:
    bce = nn.BCELoss()
    real = bce(REAL.sigmoid(), torch.ones_like(REAL))
    fake = bce(FAKE.sigmoid(), torch.zeros_like(FAKE))
    torch.testing.assert_close(CrossEntropy().discriminator(REAL, FAKE), (real + fake) / 2)
    torch.testing.assert_close(CrossEntropy().generator(NONE, FAKE), bce(FAKE.sigmoid(), torch.ones_like(FAKE)))


def test_cross_entropy_of_an_undecided_discriminator_is_log_two() -> None:
    undecided = torch.zeros(4, 1, 2, 2)
    assert CrossEntropy().discriminator(undecided, undecided).item() == pytest.approx(math.log(2))
    assert CrossEntropy().generator(undecided[:0], undecided).item() == pytest.approx(math.log(2))


def test_cross_entropy_survives_logits_that_probabilities_would_not() -> None:
    certain = torch.tensor([[200.0]])
    assert CrossEntropy().generator(NONE, -certain).item() == pytest.approx(200)
    assert CrossEntropy().discriminator(certain, -certain).item() == 0


@pytest.mark.parametrize(
    ("loss", "discriminator", "generator"),
    [
        (LeastSquares(), ((1 + 4 + 0.25) / 3 + (9 + 0 + 4) / 3) / 2, (16 + 1 + 1) / 3 / 2),
        (Hinge(), (0 + 2 + 0.5) / 3 + (0 + 1 + 3) / 3, -(-3 + 0 + 2) / 3),
        (Wasserstein(), (-3 + 0 + 2) / 3 - (2 - 1 + 0.5) / 3, -(-3 + 0 + 2) / 3),
        (WassersteinGP(), (-3 + 0 + 2) / 3 - (2 - 1 + 0.5) / 3, -(-3 + 0 + 2) / 3),
    ],
)
def test_values_by_hand(loss: LossScheme, discriminator: float, generator: float) -> None:
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(discriminator)
    assert loss.generator(NONE, FAKE).item() == pytest.approx(generator)


@pytest.mark.parametrize("loss", [CrossEntropy(), LeastSquares(), Hinge(), Wasserstein(), WassersteinGP()])
def test_better_players_lose_less(loss: LossScheme) -> None:
    assert loss.discriminator(REAL + 0.1, FAKE - 0.1) < loss.discriminator(REAL, FAKE)
    assert loss.generator(NONE, FAKE - 0.1) > loss.generator(NONE, FAKE)
    patches = torch.randn(2, 1, 4, 4)
    assert loss.discriminator(patches, -patches).shape == loss.generator(patches[:0], patches).shape == ()


def test_only_some_losses_have_penalties() -> None:
    step = torch.tensor(0)
    for loss in (CrossEntropy(), LeastSquares(), Hinge(), Wasserstein()):
        assert loss.penalties(nn.Identity(), REAL, FAKE, step) == {}


@pytest.mark.parametrize("penalty", [10.0, 0.5])
def test_the_gradient_penalty_of_a_known_slope(penalty: float) -> None:
    slope = torch.tensor([3.0, 0.0, 0.0, 4.0]).view(1, 1, 2, 2)  # of length 5 everywhere
    images = torch.randn(3, 1, 2, 2)

    def critic(image: Tensor) -> Tensor:
        return (slope * image).flatten(1).sum(1, keepdim=True)

    terms = WassersteinGP(penalty=penalty).penalties(critic, images, -images, torch.tensor(0))
    assert list(terms) == ["gradient_penalty"]
    assert terms["gradient_penalty"].item() == pytest.approx(penalty * 16)


def test_the_gradient_penalty_lies_between_pairs_and_teaches_the_critic() -> None:
    torch.manual_seed(0)
    scale = torch.tensor(2.0, requires_grad=True)
    seen: list[Tensor] = []

    def critic(image: Tensor) -> Tensor:
        seen.append(image.detach())
        return scale * image.flatten(1).sum(1)

    real, fake = torch.full((64, 1, 2, 2), 3.0), torch.full((64, 1, 2, 2), 1.0)
    term = WassersteinGP().penalties(critic, real, fake, torch.tensor(0))["gradient_penalty"]
    shares = seen[0].flatten(1)
    assert (shares == shares[:, :1]).all()  # one share for each image
    assert 1 <= shares.min() < 1.2
    assert 2.8 < shares.max() <= 3
    # Four pixels of slope s make a slope of length 2 s: the term is 10 (2 s - 1)^2, its derivative 40 (2 s - 1).
    assert term.item() == pytest.approx(90)
    assert torch.autograd.grad(term, scale)[0].item() == pytest.approx(120)


def test_a_gradient_can_be_differentiated_again() -> None:
    inputs = torch.tensor([1.0, 2.0], requires_grad=True)
    cubes = gradient(inputs**3, inputs)
    torch.testing.assert_close(cubes, 3 * inputs**2)
    torch.testing.assert_close(torch.autograd.grad(cubes.sum(), inputs)[0], 6 * inputs)
