"""text2image: what its discriminator is shown, what its players move, and that captions come to count."""

from collections.abc import Mapping

import pytest
import torch
from ganzoo_text2image import Text2Image
from torch import Tensor

import ganzoo
from ganzoo.data.text import encode
from ganzoo.losses import Hinge

SPEC = ganzoo.DataSpec(dataset="x", shapes={"image": (1, 16, 16), "caption": (24,)})
CAPTIONS = ["a bright square", "a dark square", "something grey", "all of it white"]


def made(gan: Text2Image) -> tuple[ganzoo.Networks, ganzoo.Batch]:
    torch.manual_seed(0)
    nets = gan.networks(SPEC)
    batch = ganzoo.Batch(
        image=torch.rand(4, 1, 16, 16) * 2 - 1,
        caption=encode(CAPTIONS, 24),
        noise=torch.randn(4, *gan.noise_shape()),
        step=torch.tensor(0),
    )
    return nets, gan.generate(nets, batch)


def test_the_discriminator_is_shown_right_images_fakes_and_wrong_captions() -> None:
    gan = Text2Image(loss=Hinge())
    nets, batch = made(gan)
    shown: list[tuple[Tensor, Tensor]] = []
    nets.discriminator.register_forward_hook(lambda _, arguments, __: shown.append(arguments))
    loss = gan.discriminator_loss(nets, batch)["adversarial"]
    pairs = {(name_of(images, batch), caption_of(meaning, batch)) for images, meaning in shown}
    assert pairs == {("image", "right"), ("image", "wrong"), ("fake", "right")}
    nets.eval()
    right, wrong, fake = (
        nets.discriminator(images, meaning)
        for images, meaning in (
            (batch.image, batch.meaning),
            (batch.image, batch.meaning.roll(1, 0)),
            (batch.fake, batch.meaning),
        )
    )
    expected = (1 - right).relu().mean() + ((1 + wrong).relu().mean() + (1 + fake).relu().mean()) / 2
    assert gan.discriminator_loss(nets, batch)["adversarial"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert loss.isfinite()


def name_of(images: Tensor, batch: ganzoo.Batch) -> str:
    return next(name for name in ("image", "fake") if torch.equal(images, batch[name]))


def caption_of(meaning: Tensor, batch: ganzoo.Batch) -> str:
    return "right" if torch.equal(meaning, batch.meaning) else "wrong"


def test_the_generator_learns_from_captions_that_are_between_two() -> None:
    gan = Text2Image()
    nets, batch = made(gan)
    asked: list[Tensor] = []
    nets.generator.register_forward_hook(lambda _, arguments, __: asked.append(arguments[1]))
    losses = gan.generator_loss(nets, batch)
    assert losses.keys() == {"adversarial", "matching", "interpolated"}
    (between,) = asked
    first, second = batch.meaning, batch.meaning.roll(1, 0)
    torch.testing.assert_close(between, ((first + second) / 2)[::2])
    plain = Text2Image(interpolation=0, matching=0)
    assert plain.generator_loss(nets, batch).keys() == {"adversarial"}
    assert len(asked) == 1


def test_only_their_own_player_moves_the_encoders() -> None:
    gan = Text2Image()
    nets, batch = made(gan)
    encoders = [*nets.text.parameters(), *nets.look.parameters()]
    for player in gan.players():
        own = [weight for name in player.networks for weight in getattr(nets, name).parameters()]
        loss = torch.stack(list(player.loss(nets, batch).values())).sum()
        assert all(slope is not None for slope in torch.autograd.grad(loss, own, allow_unused=True, retain_graph=True))
        text = torch.autograd.grad(loss, encoders[:3], allow_unused=True)
        assert (text[0] is not None) == (player.name == "embedding")


@pytest.mark.learns
def test_captions_come_to_count() -> None:
    """Four captions, four plain images: after some steps each caption gives the image nearest to its own."""
    gan = Text2Image(latent_dim=4, words=16, optimizer=ganzoo.Adam(lr=2e-3, betas=(0.5, 0.99)))
    torch.manual_seed(0)
    engine = ganzoo.Engine(gan, gan.networks(SPEC), speed=ganzoo.PerformanceOptions.plain())
    levels = torch.tensor([0.8, -0.8, 0.0, -0.3])
    images = levels.view(4, 1, 1, 1).expand(4, 1, 16, 16)
    for iteration in range(200):
        rows = torch.randperm(8) % 4  # so that every caption is a wrong one of every other image
        fields: Mapping[str, Tensor] = {"image": images[rows], "caption": encode(CAPTIONS, 24)[rows]}
        engine.step(ganzoo.Batch(**fields, noise=torch.randn(8, 4), step=torch.tensor(iteration)))
    inputs = ganzoo.Batch(caption=encode(CAPTIONS, 24), noise=torch.randn(4, 4), step=torch.tensor(0))
    shades = engine.sample(inputs).mean((1, 2, 3))
    assert shades[0] > shades[2] > shades[1], shades
