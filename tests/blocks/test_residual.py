"""Residual generators: those that keep the size, those that enlarge, and what judges the latter."""

from typing import Literal

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganzoo import Discriminator, Generator, SizeError
from ganzoo.blocks import DeepStridedDiscriminator, ResidualBlock, ResidualGenerator, SubpixelGenerator


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def blocks(network: nn.Module) -> int:
    return sum(isinstance(layer, ResidualBlock) for layer in network.modules())


@pytest.mark.parametrize(("side", "count", "size"), [(256, 9, 11_378_179), (128, 6, 7_837_699)])
def test_the_generator_is_cyclegans_at_full_size(side: int, count: int, size: int) -> None:
    with torch.device("meta"):  # only shapes are asked for
        generator = ResidualGenerator((3, side, side), 3, initialization="torch")
        assert isinstance(generator, Generator)
        assert (blocks(generator), parameters(generator)) == (count, size)
        assert generator(torch.empty(1, 3, side, side)).shape == (1, 3, side, side)


@pytest.mark.parametrize(("shape", "channels"), [((1, 8, 8), 3), ((3, 12, 20), 1), ((4, 32, 16), 4)])
def test_it_keeps_the_size_and_changes_the_channels(shape: tuple[int, int, int], channels: int) -> None:
    generator = ResidualGenerator(shape, channels, width=4, blocks=2)
    made = generator(torch.randn(2, *shape))
    assert made.shape == (2, channels, *shape[1:])
    assert made.abs().max() <= 1
    made.square().mean().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in generator.parameters())


@pytest.mark.parametrize("size", [(30, 32), (4, 16), (2, 2), (33, 70)])
def test_other_sizes_are_refused_with_the_nearest_that_work(size: tuple[int, int]) -> None:
    with pytest.raises(SizeError, match="multiples of 4 and at least 8; try --image-size") as refusal:
        ResidualGenerator((3, *size), 3, width=2, blocks=1)
    for suggestion in str(refusal.value).partition("--image-size ")[2].split(" or "):
        height, width = map(int, suggestion.split("x"))
        ResidualGenerator((3, height, width), 3, width=2, blocks=1)(torch.randn(1, 3, height, width))


def test_a_block_adds_to_what_it_is_given() -> None:
    block, image = ResidualBlock(3, "instance"), torch.randn(2, 3, 6, 6)
    first, second = (layer for layer in block.modules() if isinstance(layer, nn.Conv2d))
    made = F.conv2d(F.pad(image, (1, 1, 1, 1), mode="reflect"), first.weight, first.bias)
    made = F.conv2d(F.pad(F.instance_norm(made).relu(), (1, 1, 1, 1), mode="reflect"), second.weight, second.bias)
    torch.testing.assert_close(block(image), image + F.instance_norm(made))


@pytest.mark.parametrize(("scale", "size"), [(4, 1_549_462), (2, 1_401_749)])
def test_srresnet_at_the_papers_settings(scale: Literal[2, 4], size: int) -> None:
    generator = SubpixelGenerator(3, scale)
    assert (blocks(generator), parameters(generator)) == (16, size)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [2, 4])
def test_it_enlarges_and_begins_as_the_bicubic_enlargement(scale: Literal[2, 4], channels: int) -> None:
    generator = SubpixelGenerator(channels, scale, width=4, blocks=1).eval()
    source = torch.rand(2, channels, 6, 10) * 2 - 1
    made = generator(source)
    assert made.shape == (2, channels, 6 * scale, 10 * scale)
    plain = F.interpolate(source, scale_factor=scale, mode="bicubic").clamp(-1, 1)
    torch.testing.assert_close(made, plain)
    for weight in generator.parameters():
        nn.init.normal_(weight)
    assert generator(source).abs().max() <= 1
    assert generator.train()(source).abs().max() > 1  # where an error beyond the range is still one


def test_a_pixel_out_of_range_still_learns() -> None:
    generator = SubpixelGenerator(1, 2, width=4, blocks=1)
    white = torch.ones(2, 1, 4, 4)
    last = generator.enlarge[-1]
    assert isinstance(last.bias, nn.Parameter)
    nn.init.ones_(last.bias)  # everything is made whiter than white
    generator(white).mean().backward()
    assert last.bias.grad is not None
    assert last.bias.grad.item() == pytest.approx(1)


def test_srgans_discriminator_at_the_papers_settings() -> None:
    with torch.device("meta"):
        discriminator = DeepStridedDiscriminator((3, 96, 96))
        assert isinstance(discriminator, Discriminator)
        strides = [layer.stride[0] for layer in discriminator.modules() if isinstance(layer, nn.Conv2d)]
        assert strides == [1, 2] * 4
        dense = [layer.weight.shape for layer in discriminator.modules() if isinstance(layer, nn.Linear)]
        assert dense == [(1024, 512 * 6 * 6), (1, 1024)]
        assert sum(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.modules()) == 7


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 31, 18), (4, 64, 32)])
def test_srgans_discriminator_takes_any_size(shape: tuple[int, int, int]) -> None:
    assert DeepStridedDiscriminator(shape, width=4)(torch.randn(2, *shape)).shape == (2, 1)
