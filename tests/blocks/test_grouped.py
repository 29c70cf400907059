"""The residual networks without normalization: their shapes, their initial weights, their independence of the batch."""

import pytest
import torch
from torch import nn

from ganzoo import SizeError, gradient
from ganzoo.blocks import GroupedDiscriminator, GroupedGenerator
from ganzoo.blocks.grouped import GroupedResidual


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 16, 32), (4, 12, 8)])
def test_images_of_any_permitted_shape(shape: tuple[int, int, int]) -> None:
    generator = GroupedGenerator(10, shape, width=4)
    images = generator.eval()(10 * torch.randn(2, 10))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    assert GroupedDiscriminator(shape, width=4)(images).shape == (2, 1)


@pytest.mark.parametrize("network", [lambda shape: GroupedGenerator(4, shape), GroupedDiscriminator])
def test_other_sizes_are_refused(network: type[GroupedDiscriminator]) -> None:
    with pytest.raises(SizeError, match=r"multiples of 4 and at least 8; try --image-size 28x64 or 32x64$"):
        network((1, 30, 64))


def test_a_block_begins_as_the_identity_and_can_learn_from_there() -> None:
    torch.manual_seed(0)
    block, image = GroupedResidual(16, 4), torch.randn(2, 16, 4, 4)
    assert torch.equal(block(image), image)
    assert block.mix.groups == 2
    block(image).square().sum().backward()
    assert block.project.weight.grad is not None
    assert block.project.weight.grad.any()


def test_initial_weights_begin_small_by_the_number_of_blocks() -> None:
    torch.manual_seed(0)
    spread = [GroupedResidual(128, depth).expand.weight.std().item() for depth in (1, 16)]
    assert spread[0] == pytest.approx((2 / 1.04 / 128) ** 0.5, rel=0.02)
    assert spread[1] == pytest.approx(spread[0] / 2, rel=0.02)


def test_width_and_blocks_are_what_they_say() -> None:
    def blocks(network: nn.Module) -> list[int]:
        return [module.expand.in_channels for module in network.modules() if isinstance(module, GroupedResidual)]

    assert blocks(GroupedGenerator(4, (1, 32, 32), width=4, blocks=2)) == [32, 32, 16, 16, 8, 8, 4, 4]
    assert blocks(GroupedDiscriminator((1, 64, 64), width=2)) == [2, 4, 8, 16, 16]


def test_the_discriminator_scores_each_image_by_itself_and_its_slope_teaches_it() -> None:
    torch.manual_seed(0)
    discriminator = GroupedDiscriminator((1, 16, 16), width=4)
    for module in discriminator.modules():
        if isinstance(module, GroupedResidual):
            nn.init.normal_(module.project.weight, 0.0, 0.1)
    images = torch.randn(4, 1, 16, 16, requires_grad=True)
    torch.testing.assert_close(discriminator(images)[:2], discriminator(images[:2]))
    slope = gradient(discriminator(images), images).square().sum()
    moved = torch.autograd.grad(slope, list(discriminator.parameters()), allow_unused=True)
    assert sum(found is not None and bool(found.any()) for found in moved) >= 10


def test_a_limit_holds_channels_that_grow() -> None:
    networks = [
        GroupedGenerator(4, (1, 32, 32), width=4, growth=4, max_width=32),
        GroupedDiscriminator((1, 32, 32), width=4, growth=4, max_width=32),
    ]
    found = [
        [module.expand.in_channels for module in network.modules() if isinstance(module, GroupedResidual)]
        for network in networks
    ]
    assert found == [[32, 32, 16, 4], [4, 16, 32, 32]]


def test_the_summary_is_its_convolution() -> None:
    discriminator, images = GroupedDiscriminator((1, 16, 16), width=4), torch.randn(3, 1, 16, 16)
    summary = discriminator.basis(discriminator.layers(images)).flatten(1)
    torch.testing.assert_close(discriminator(images), discriminator.weigh(summary))


def test_a_generator_that_went_too_far_can_come_back() -> None:
    generator, noise = GroupedGenerator(4, (1, 8, 8), width=4), torch.randn(2, 4)
    bias = generator.layers[-1].bias
    assert isinstance(bias, nn.Parameter)
    nn.init.constant_(bias, -50.0)
    assert generator(noise).max() < -1
    assert torch.autograd.grad(generator(noise).mean(), bias)[0].item() == pytest.approx(1)
    assert (generator.eval()(noise) == -1).all()


def test_the_generator_begins_with_images_neither_flat_nor_saturated() -> None:
    torch.manual_seed(0)
    images = GroupedGenerator(64, (1, 32, 32))(torch.randn(16, 64))
    assert 0.2 < images.std() < 3
