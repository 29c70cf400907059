"""The fully connected networks: their layers, any size, and what they refuse to mix."""

import pytest
import torch
from torch import nn

from ganzoo import Discriminator, Generator
from ganzoo.blocks import PerceptronDiscriminator, PerceptronGenerator


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 28, 28), (3, 7, 10), (4, 16, 8)])
def test_images_of_any_shape(shape: tuple[int, int, int]) -> None:
    generator, discriminator = PerceptronGenerator(10, shape), PerceptronDiscriminator(shape)
    assert isinstance(generator, Generator)
    assert isinstance(discriminator, Discriminator)
    images = generator(100 * torch.randn(3, 10))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (3, 1)


def test_widths_are_those_of_the_hidden_layers() -> None:
    def sizes(network: nn.Module) -> list[tuple[int, int]]:
        return [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]

    assert sizes(PerceptronGenerator(5, (1, 4, 4), widths=(6, 7))) == [(5, 6), (6, 7), (7, 16)]
    assert sizes(PerceptronDiscriminator((1, 4, 4), widths=(7, 6))) == [(16, 7), (7, 6), (6, 1)]


def test_the_discriminator_scores_each_image_by_itself_and_drops_out_in_training_only() -> None:
    torch.manual_seed(0)
    discriminator, images = PerceptronDiscriminator((1, 4, 4)), torch.randn(4, 1, 4, 4)
    assert not torch.equal(discriminator(images), discriminator(images))
    discriminator.eval()
    torch.testing.assert_close(discriminator(images)[:2], discriminator(images[:2]))


def test_every_weight_learns() -> None:
    torch.manual_seed(0)
    generator, discriminator = PerceptronGenerator(8, (1, 8, 8)), PerceptronDiscriminator((1, 8, 8))
    discriminator(generator(torch.randn(8, 8))).square().mean().backward()
    for name, weight in [*generator.named_parameters(), *discriminator.named_parameters()]:
        assert weight.grad is not None, name
