"""Losses against values worked out by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from ganzoo import gradient
from ganzoo.losses import (
    LIPSCHITZ,
    PER_SAMPLE,
    CrossEntropy,
    Hinge,
    LeastSquares,
    LossScheme,
    Minimax,
    Relativistic,
    Softmax,
    Wasserstein,
    WassersteinGP,
)

REAL = torch.tensor([[2.0], [-1.0], [0.5]])
FAKE = torch.tensor([[-3.0], [0.0], [2.0]])
NONE = FAKE[:0]
ALL: list[LossScheme] = [
    CrossEntropy(),
    Minimax(),
    LeastSquares(),
    Hinge(),
    Wasserstein(),
    WassersteinGP(),
    Softmax(),
    Relativistic(),
]


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


def test_minimax_is_the_original_game() -> None:
    p = FAKE.sigmoid()
    torch.testing.assert_close(Minimax().generator(NONE, FAKE), (1 - p).log().mean())
    torch.testing.assert_close(Minimax().discriminator(REAL, FAKE), CrossEntropy().discriminator(REAL, FAKE))
    certain = torch.tensor([[-200.0]], requires_grad=True)  # the discriminator is sure: its generator learns nothing
    assert torch.autograd.grad(Minimax().generator(NONE, certain), certain)[0].item() == 0
    assert torch.autograd.grad(CrossEntropy().generator(NONE, certain), certain)[0].item() == -1


def test_softmax_is_the_cross_entropy_of_the_papers_targets() -> None:
    # Shares of 1/8, 3/8 for the real images and 1/4, 1/4 for the fakes; targets 1/2, 1/2, 0, 0 and 1/4 each.
    real, fake = torch.tensor([[1.0], [3.0]]).log(), torch.tensor([[2.0], [2.0]]).log()
    discriminator = -(math.log(1 / 8) + math.log(3 / 8)) / 2
    generator = -(math.log(1 / 8) + math.log(3 / 8) + 2 * math.log(1 / 4)) / 4
    assert Softmax().discriminator(real, fake).item() == pytest.approx(discriminator)
    assert Softmax().generator(real, fake).item() == pytest.approx(generator)


def test_softmax_is_at_best_the_entropy_of_its_targets() -> None:
    far, alike = torch.full((4, 1), 30.0), torch.full((4, 1), 2.0)
    assert Softmax().discriminator(far, -far).item() == pytest.approx(math.log(4), rel=1e-5)
    assert Softmax().generator(alike, alike).item() == pytest.approx(math.log(8), rel=1e-5)
    patches = torch.randn(2, 1, 4, 4)  # every logit has a share of its own, so 32 of them are real
    assert Softmax().discriminator(patches * 0 + 30, patches - 30).item() == pytest.approx(math.log(32), rel=1e-5)


def test_the_relativistic_loss_compares_pairs() -> None:
    def softplus(value: float) -> float:
        return math.log1p(math.exp(value))

    pairs = (5.0, -1.0, -1.5)  # REAL - FAKE
    assert Relativistic().discriminator(REAL, FAKE).item() == pytest.approx(sum(softplus(-gap) for gap in pairs) / 3)
    assert Relativistic().generator(REAL, FAKE).item() == pytest.approx(sum(softplus(gap) for gap in pairs) / 3)
    torch.testing.assert_close(
        Relativistic().discriminator(REAL + 7, FAKE + 7), Relativistic().discriminator(REAL, FAKE)
    )


@pytest.mark.parametrize("gamma", [1.0, 0.2])
def test_the_relativistic_loss_holds_the_slopes_at_real_and_at_fake_images(gamma: float) -> None:
    scale = torch.tensor(3.0, requires_grad=True)

    def critic(image: Tensor) -> Tensor:
        return scale * image.square().flatten(1).sum(1, keepdim=True) / 2  # of slope scale x image

    real, fake = torch.full((5, 1, 2, 2), 2.0), torch.full((5, 1, 2, 2), -0.5)
    terms = Relativistic(gamma=gamma).penalties(critic, real, fake, torch.tensor(0))
    # Four pixels: |slope|^2 is 4 (3 x 2)^2 = 144 and 4 (3 x 0.5)^2 = 9; by scale, 2/3 of that.
    assert {name: term.item() for name, term in terms.items()} == {
        "r1": pytest.approx(gamma / 2 * 144),
        "r2": pytest.approx(gamma / 2 * 9),
    }
    assert torch.autograd.grad(terms["r1"], scale)[0].item() == pytest.approx(gamma / 2 * 96)


def test_gamma_falls_by_a_cosine_and_stays_where_it_ends() -> None:
    falling = Relativistic(gamma=2.0, gamma_end=0.2, gamma_iterations=100)
    weights = [float(falling.weight(torch.tensor(step))) for step in (0, 50, 100, 1000)]
    assert weights == pytest.approx([2.0, 1.1, 0.2, 0.2])
    assert Relativistic(gamma=2.0).weight(torch.tensor(50)) == 2

    images = torch.full((2, 1, 1, 1), 3.0)
    terms = falling.penalties(lambda image: image.square().sum((1, 2, 3)) / 2, images, images, torch.tensor(100))
    assert terms["r1"].item() == pytest.approx(0.2 / 2 * 9)


def test_losses_say_what_they_demand_of_the_discriminator() -> None:
    demanding = {
        "wasserstein": {LIPSCHITZ},
        "wasserstein-gp": {PER_SAMPLE},
        "relativistic": {PER_SAMPLE},
    }
    for loss in ALL:
        assert loss.requires == demanding.get(loss.kind, set())


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.kind)
def test_better_players_lose_less(loss: LossScheme) -> None:
    assert loss.discriminator(REAL + 0.1, FAKE - 0.1) < loss.discriminator(REAL, FAKE)
    seen = REAL if loss.needs_real else NONE
    assert loss.generator(seen, FAKE - 0.1) > loss.generator(seen, FAKE)
    patches = torch.randn(2, 1, 4, 4)
    seen = patches.flip(0) if loss.needs_real else patches[:0]
    assert loss.discriminator(patches, -patches).shape == loss.generator(seen, patches).shape == ()


def test_only_some_losses_have_penalties() -> None:
    step = torch.tensor(0)
    for loss in (CrossEntropy(), Minimax(), LeastSquares(), Hinge(), Wasserstein(), Softmax()):
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
