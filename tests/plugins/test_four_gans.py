"""The four GANs of the first issue: their networks, their fakes, and what each player minimises."""

from collections.abc import Mapping
from typing import cast

import pytest
import torch
from ganzoo_dcgan import DCGAN
from ganzoo_lsgan import LSGAN
from ganzoo_pix2pix import Pix2Pix
from ganzoo_wgan_gp import WGANGP
from pydantic import ValidationError
from torch import nn

from ganzoo import GAN, Adam, Batch, DataSpec, Networks
from ganzoo.blocks import CompactDiscriminator, CompactGenerator, initialize
from ganzoo.losses import Hinge, LeastSquares
from ganzoo.options.run import resolve

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


def networks_of(recipe: str, size: int) -> Networks:
    gan = resolve(DCGAN, {"recipe": recipe}).gan
    torch.manual_seed(0)
    return gan.networks(DataSpec(dataset="x", shapes={"image": (1, size, size)}))


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_dcgans_chapter_recipe_has_the_networks_of_the_chapter() -> None:
    nets = networks_of("chapter", 64)
    assert (parameters(nets.generator), parameters(nets.discriminator)) == (2_352_513, 99_649)
    options = resolve(DCGAN, {"recipe": "chapter"})
    assert options.image_size == (64, 64)
    assert (options.batch_size, options.epochs, options.ema_images) == (32, 10, None)
    assert cast("DCGAN", options.gan).optimizer == Adam(lr=1e-3, betas=(0.9, 0.999))


def test_dcgans_paper_recipe_has_the_networks_of_the_paper() -> None:
    nets = networks_of("paper", 64)
    widths = [layer.in_channels for layer in nets.generator.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert widths == [1024, 512, 256, 128]
    strided = [layer.out_channels for layer in nets.discriminator.modules() if isinstance(layer, nn.Conv2d)]
    assert strided == [128, 256, 512, 1024]
    assert next(nets.discriminator.parameters()).std().item() == pytest.approx(0.02, rel=0.05)
    gan = cast("DCGAN", resolve(DCGAN, {"recipe": "paper"}).gan)
    assert gan.optimizer == Adam(lr=2e-4, betas=(0.5, 0.999))
    assert gan.latent_dim == 100


def test_dcgan_is_compact_by_default() -> None:
    nets = networks_of("quick", 32)
    assert isinstance(nets.generator, CompactGenerator)
    assert isinstance(nets.discriminator, CompactDiscriminator)
    with pytest.raises(ValidationError):
        DCGAN.model_validate({"initialization": "zeros"})


def test_wgan_gp_has_the_papers_recipe() -> None:
    assert list(WGANGP.recipes) == ["quick", "paper"]
    gan = cast("WGANGP", resolve(WGANGP, {"recipe": "paper"}).gan)
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
