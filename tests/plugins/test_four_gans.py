"""The four GANs of the first issue: their networks, their fakes, and what each player minimises."""

from collections.abc import Mapping

import pytest
import torch
from ganzoo_dcgan import DCGAN
from ganzoo_lsgan import LSGAN
from ganzoo_pix2pix import Pix2Pix
from ganzoo_wgan_gp import WGANGP
from pydantic import ValidationError

from ganzoo import GAN, Adam, Batch, DataSpec
from ganzoo.blocks import initialize
from ganzoo.losses import Hinge, LeastSquares
from ganzoo.options import resolve

SHAPES: Mapping[type[GAN], dict[str, tuple[int, ...]]] = {
    DCGAN: {"image": (1, 16, 16)},
    LSGAN: {"image": (3, 16, 24)},
    WGANGP: {"image": (4, 16, 16)},
    Pix2Pix: {"source": (1, 32, 48), "target": (3, 32, 48)},
}
TERMS: Mapping[type[GAN], dict[str, set[str]]] = {
    DCGAN: {"generator": {"adversarial"}, "discriminator": {"adversarial"}},
    LSGAN: {"generator": {"adversarial"}, "discriminator": {"adversarial"}},
    WGANGP: {"generator": {"adversarial"}, "discriminator": {"adversarial", "gradient_penalty"}},
    Pix2Pix: {"generator": {"adversarial", "l1"}, "discriminator": {"adversarial"}},
}


def make_batch(gan: GAN, images: int = 3) -> Batch:
    fields = {name: torch.rand(images, *shape) * 2 - 1 for name, shape in SHAPES[type(gan)].items()}
    return Batch(**fields, noise=torch.randn(images, *gan.noise_shape()), step=torch.tensor(0))


@pytest.mark.parametrize("kind", SHAPES)
def test_each_player_has_finite_losses_that_move_all_its_weights(kind: type[GAN]) -> None:
    torch.manual_seed(0)
    gan = kind()
    nets = gan.networks(DataSpec(dataset="x", shapes=SHAPES[kind]))
    batch = gan.generate(nets, make_batch(gan))
    assert batch.fake.shape == batch["target" if kind is Pix2Pix else "image"].shape
    assert batch.fake.abs().max() <= 1
    assert {player.name for player in gan.players()} == set(nets)
    for player in gan.players():
        losses = player.loss(nets, batch)
        assert set(losses) == TERMS[kind][player.name]
        for term in losses.values():
            assert term.shape == ()
            assert term.isfinite()
        weights = list(getattr(nets, player.name).parameters())
        gradients = torch.autograd.grad(torch.stack(list(losses.values())).sum(), weights, allow_unused=True)
        assert all(found is not None and found.isfinite().all() for found in gradients)


def test_dcgans_recipes_are_those_of_the_chapter_and_the_paper() -> None:
    assert list(DCGAN.recipes) == ["quick", "chapter", "paper"]
    default = DCGAN()
    assert default.optimizer == Adam(lr=1e-3, betas=(0.5, 0.999))
    values = {name: (recipe["optimizer"], recipe["initialization"]) for name, recipe in DCGAN.recipes.items()}
    assert values == {
        "quick": ({"lr": 1e-3, "betas": (0.5, 0.999)}, "normal"),
        "chapter": ({"lr": 1e-3, "betas": (0.9, 0.999)}, "torch"),
        "paper": ({"lr": 2e-4, "betas": (0.5, 0.999)}, "normal"),
    }


def test_dcgans_initial_weights_are_its_option() -> None:
    def spread(gan: DCGAN) -> float:
        torch.manual_seed(0)
        nets = gan.networks(DataSpec(dataset="x", shapes={"image": (1, 32, 32)}))
        return next(nets.generator.parameters()).std().item()

    assert spread(DCGAN()) == pytest.approx(0.02, rel=0.05)
    assert spread(DCGAN(initialization="torch")) > 0.05
    with pytest.raises(ValidationError):
        DCGAN.model_validate({"initialization": "zeros"})


def test_wgan_gp_is_the_papers_unless_told_to_hurry() -> None:
    gan = WGANGP()
    assert list(WGANGP.recipes) == ["paper", "quick"]
    assert resolve(WGANGP, {}).gan == resolve(WGANGP, {"recipe": "paper"}).gan == gan
    quick = resolve(WGANGP, {"recipe": "quick"}).gan
    assert quick == WGANGP(optimizer=Adam(lr=1e-3, betas=(0.5, 0.9)), n_critic=1)
    assert gan.loss.model_dump() == {"penalty": 10.0}
    assert gan.optimizer == Adam(lr=1e-4, betas=(0.0, 0.9))
    assert {player.name: player.every for player in gan.players()} == {"generator": 5, "discriminator": 1}


def test_pix2pix_weighs_the_distance_from_the_target() -> None:
    torch.manual_seed(0)
    gan = Pix2Pix(l1=7.0, loss=LeastSquares())
    nets = gan.networks(DataSpec(dataset="x", shapes=SHAPES[Pix2Pix]))
    batch = gan.generate(nets, make_batch(gan, 1))
    losses = gan.generator_loss(nets, batch)
    assert losses["l1"].item() == pytest.approx(7 * (batch.fake - batch.target).abs().mean().item())
    # The discriminator sees the source beside the image: another source, another judgement.
    other = gan.discriminator_loss(nets, batch.replace(source=-batch.source))
    assert other["adversarial"] != gan.discriminator_loss(nets, batch)["adversarial"]


def test_the_discriminator_does_not_move_the_generator() -> None:
    gan = DCGAN(loss=Hinge())
    nets = gan.networks(DataSpec(dataset="x", shapes=SHAPES[DCGAN]))
    initialize(nets, std=0.1)
    loss = gan.discriminator_loss(nets, gan.generate(nets, make_batch(gan)))["adversarial"]
    weights = [*nets.generator.parameters(), *nets.discriminator.parameters()]
    moved = [gradient is not None for gradient in torch.autograd.grad(loss, weights, allow_unused=True)]
    own = len(list(nets.discriminator.parameters()))
    assert moved == [False] * (len(weights) - own) + [True] * own
