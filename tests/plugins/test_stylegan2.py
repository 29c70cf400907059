"""StyleGAN2: its players and their rhythm, its two regularisers, mixing, and what truncation does to samples."""

from typing import Any

import pytest
import torch
from ganzoo_stylegan2 import StyleGAN2
from torch import Tensor

from ganzoo import Adam, Batch, DataSpec, Engine, Networks, PerformanceOptions, SizeError

SHAPE = (1, 8, 8)
SMALL: dict[str, Any] = {"capacity": 4, "style_dim": 8, "latent_dim": 6, "mapping_layers": 2}


def made(**options: Any) -> tuple[StyleGAN2, Networks, Batch]:
    torch.manual_seed(0)
    gan = StyleGAN2(**SMALL | options)
    nets = gan.networks(DataSpec(dataset="x", shapes={"image": SHAPE}))
    image = torch.rand(8, *SHAPE) * 2 - 1
    return gan, nets, Batch(image=image, noise=torch.randn(8, *gan.noise_shape()), step=torch.tensor(0))


def moved_by(loss: Tensor, nets: Networks) -> set[str]:
    names = [name.partition(".")[0] for name, _ in nets.named_parameters()]
    gradients = torch.autograd.grad(loss, list(nets.parameters()), allow_unused=True)
    return {name for name, found in zip(names, gradients, strict=True) if found is not None and bool(found.any())}


def test_regularisers_are_lazy_and_share_the_optimizers_of_what_they_regularise() -> None:
    gan, nets, batch = made()
    rhythm = {player.name: (player.networks, player.every) for player in gan.players()}
    assert rhythm == {
        "generator": (("mapping", "synthesis"), 1),
        "discriminator": (("discriminator",), 1),
        "path_length": (("mapping", "synthesis"), 8),
        "r1": (("discriminator",), 16),
    }
    assert gan.optimizer == Adam(lr=2e-3, betas=(0.0, 0.99))
    engine = Engine(gan, nets, speed=PerformanceOptions.plain())
    assert {player.optimizer for player in engine.players if player.name in ("path_length", "r1")} == {
        "generator",
        "discriminator",
    }
    always = {"generator/adversarial", "discriminator/adversarial"}
    lazy = {0: set[str](), 7: {"path_length/penalty"}, 15: {"path_length/penalty", "r1/penalty"}}
    for iteration, terms in lazy.items():
        engine.iteration = iteration
        assert set(engine.step(batch)) == always | terms


def test_a_weight_of_zero_leaves_a_regulariser_out() -> None:
    assert [player.name for player in made(r1=0.0)[0].players()] == ["generator", "discriminator", "path_length"]
    assert [player.name for player in made(path_length=0.0)[0].players()] == ["generator", "discriminator", "r1"]


def test_r1_is_half_of_the_authors_rule_unless_told() -> None:
    assert StyleGAN2().r1_weight(1024, 16) == pytest.approx(0.0002 * 32**2 / 16 / 2)
    assert StyleGAN2(r1=3.0).r1_weight(1024, 16) == 3


def test_without_mixing_an_image_has_one_style_and_nothing_is_drawn_for_it() -> None:
    gan, nets, batch = made(mixing=0.0)
    before = torch.get_rng_state()
    styles = gan.styles(nets, batch.noise)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(styles, nets.mapping(batch.noise[:, :1]).expand_as(styles))


def test_the_recipe_of_cifar_has_a_discriminator_without_residual_blocks() -> None:
    def kinds(gan: StyleGAN2) -> set[str]:
        nets = gan.networks(DataSpec(dataset="x", shapes={"image": SHAPE}))
        return {type(module).__name__ for module in nets.discriminator.modules()}

    assert {"ResidualDown"} == kinds(StyleGAN2(**SMALL)) - kinds(StyleGAN2(**SMALL, residual=False))


def test_r1_weighs_as_much_whatever_its_interval() -> None:
    _, nets, batch = made()
    every, seldom = (StyleGAN2(**SMALL, r1=3.0, r1_every=every) for every in (1, 16))
    penalty = every.r1_loss(nets, batch)["penalty"]
    torch.testing.assert_close(seldom.r1_loss(nets, batch)["penalty"], 16 * penalty)
    real = batch.image.clone().requires_grad_()
    (slope,) = torch.autograd.grad(nets.discriminator(real).sum(), real)
    torch.testing.assert_close(penalty, 1.5 * slope.square().sum((1, 2, 3)).mean())
    assert moved_by(every.r1_loss(nets, batch)["penalty"], nets) == {"discriminator"}


def test_the_path_length_moves_mapping_and_synthesis_and_its_mean_follows() -> None:
    gan, nets, batch = made()
    loss = gan.path_length_loss(nets, batch)["penalty"]
    assert loss.isfinite()
    assert moved_by(loss, nets) == {"mapping", "synthesis"}
    first = nets.state_dict()["path_lengths.mean"].clone()
    assert first > 0
    gan.path_length_loss(nets, batch)
    assert nets.state_dict()["path_lengths.mean"] > first
    assert gan.path_length_loss(nets, batch.replace(noise=batch.noise[:1]))["penalty"].isfinite()


def test_every_layer_gets_a_style_and_mixing_takes_the_second() -> None:
    gan, nets, batch = made(mixing=1.0)
    styles = gan.styles(nets, batch.noise)
    assert styles.shape == (8, 4, 8)  # of two sizes: three layers, and the last colours
    first, second = nets.mapping(batch.noise).unbind(1)
    torch.testing.assert_close(styles[:, 0], first)
    torch.testing.assert_close(styles[:, -1], second)
    alone = StyleGAN2(**SMALL, mixing=0.0).styles(nets, batch.noise)
    torch.testing.assert_close(alone, first[:, None].expand_as(alone))


def test_truncation_zero_gives_the_mean_image_and_one_the_images_themselves() -> None:
    gan, nets, batch = made(path_length=0.0)
    engine = Engine(gan, nets, speed=PerformanceOptions.plain())
    for _ in range(5):
        engine.step(batch)
    nets.eval()
    inputs = Batch(noise=batch.noise, step=batch.step)
    with torch.no_grad():
        images = gan.sample(nets, inputs)
        mean = gan.model_copy(update={"truncation": 0.0}).sample(nets, inputs)
        half = gan.model_copy(update={"truncation": 0.5}).sample(nets, inputs)
        style = nets.state_dict()["mapping.mean"].expand(1, 1, -1)
        torch.testing.assert_close(mean, nets.synthesis(style).expand_as(mean))
    spread = [grid.std(0).mean().item() for grid in (mean, half, images)]
    assert spread[0] < 1e-5 < spread[1] < spread[2]
    assert "truncation" in StyleGAN2.may_change


def test_an_image_does_not_depend_on_those_made_beside_it() -> None:
    gan, nets, batch = made()
    nets.eval()
    strengths = [weight for name, weight in nets.named_parameters() if name.endswith("noise.strength")]
    assert len(strengths) == 3
    for weight in strengths:
        torch.nn.init.ones_(weight)
    with torch.no_grad():
        together = gan.sample(nets, batch)
        alone = [gan.sample(nets, batch.replace(noise=batch.noise[row : row + 1])) for row in range(8)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_a_size_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(SizeError, match="--image-size 28x28 or 32x32"):
        StyleGAN2().networks(DataSpec(dataset="x", shapes={"image": (1, 30, 30)}))
