"""Pix2Pix's networks: their sizes, the shapes they take, what they refuse."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo import Discriminator, Generator, SizeError
from ganzoo.blocks import PatchDiscriminator, PatchSize, UNetGenerator


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def widths(blocks: nn.ModuleList) -> list[int]:
    """Channels that each block makes."""
    kinds = nn.Conv2d | nn.ConvTranspose2d
    return [layer.out_channels for block in blocks for layer in block.modules() if isinstance(layer, kinds)]


def unet(source: tuple[int, int, int], channels: int = 3) -> UNetGenerator:
    # torch's own weights: these tests build many networks, and drawing millions of normal numbers takes longer.
    return UNetGenerator(source, channels, initialization="torch")


def test_parameter_counts_and_shapes_at_full_size() -> None:
    shape = (3, 256, 256)
    generator, discriminator = unet(shape), PatchDiscriminator(shape, shape)
    assert isinstance(generator, Generator)
    assert isinstance(discriminator, Discriminator)
    assert parameters(generator) == 54_409_603
    assert parameters(discriminator) == 2_767_809
    source = torch.randn(1, *shape)
    with torch.no_grad():
        target = generator(source)
        assert target.shape == (1, *shape)
        assert discriminator(target, source).shape == (1, 1, 16, 16)


@pytest.mark.parametrize(
    ("size", "down"),
    [
        ((32, 32), [64, 128, 256, 512, 512]),
        ((48, 80), [64, 128, 256, 512]),
        ((64, 96), [64, 128, 256, 512, 512]),
        ((128, 64), [64, 128, 256, 512, 512, 512]),
        ((512, 512), [64, 128, 256, 512, 512, 512, 512, 512]),
        ((256, 768), [64, 128, 256, 512, 512, 512, 512, 512]),
    ],
)
def test_it_halves_as_often_as_both_sides_allow(size: tuple[int, int], down: list[int]) -> None:
    with torch.device("meta"):  # only shapes are asked for
        generator = unet((1, *size))
        assert widths(generator.down) == down
        assert widths(generator.up) == down[-2::-1]
        assert generator(torch.empty(1, 1, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize("side", [256, 512])
def test_its_blocks_are_the_chapters(side: int) -> None:
    with torch.device("meta"):
        generator = unet((3, side, side))

    def blocks_with(kind: type[nn.Module], blocks: nn.ModuleList) -> list[int]:
        return [
            number
            for number, block in enumerate(blocks, 1)
            if any(isinstance(layer, kind) for layer in block.modules())
        ]

    assert blocks_with(nn.InstanceNorm2d, generator.down) == [2, 3, 4, 5, 6, 7]
    assert blocks_with(nn.Dropout, generator.down) == [4, 5, 6, 7, 8]
    assert blocks_with(nn.LeakyReLU, generator.down) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert blocks_with(nn.InstanceNorm2d, generator.up) == [1, 2, 3, 4, 5, 6, 7]
    assert blocks_with(nn.Dropout, generator.up) == [1, 2, 3, 4]
    assert widths(generator.up) == [512, 512, 512, 512, 256, 128, 64]


def dropped(blocks: nn.ModuleList) -> list[int]:
    """The blocks that drop values, from 1."""
    return [
        number
        for number, block in enumerate(blocks, 1)
        if any(isinstance(layer, nn.Dropout) for layer in block.modules())
    ]


def test_the_papers_dropout_is_in_the_first_three_blocks_of_the_decoder() -> None:
    with torch.device("meta"):
        generator = UNetGenerator((3, 256, 256), 3, dropout_in="decoder", initialization="torch")
        none = UNetGenerator((3, 256, 256), 3, dropout=0.0, initialization="torch")
    assert (dropped(generator.down), dropped(generator.up)) == ([], [1, 2, 3])
    assert (dropped(none.down), dropped(none.up)) == ([], [])
    assert parameters(generator) == 54_409_603


def test_values_are_dropped_as_images_are_made_if_asked() -> None:
    source = torch.randn(1, 1, 32, 32)
    for keep in (False, True):
        generator = UNetGenerator((1, 32, 32), 1, width=4, keep_dropout=keep, initialization="torch").eval()
        assert torch.equal(generator(source), generator(source)) != keep


@pytest.mark.parametrize(("width", "levels", "down"), [(16, 5, [16, 32, 64, 128, 128]), (24, 4, [24, 48, 96, 192])])
def test_it_may_be_narrower_and_stop_earlier(width: int, levels: int, down: list[int]) -> None:
    generator = UNetGenerator((3, 128, 128), 3, width=width, levels=levels, initialization="torch")
    assert widths(generator.down) == down
    assert widths(generator.up) == down[-2::-1]


@pytest.mark.parametrize(("patch", "apart"), [(16, 2), (34, 4), (70, 8), (94, 16), (142, 16)])
def test_a_logit_sees_a_patch_of_its_size(patch: PatchSize, apart: int) -> None:
    discriminator = PatchDiscriminator((1, 320, 320), width=2, patch=patch, initialization="torch")
    local = nn.Sequential(*(layer for layer in discriminator.layers if not isinstance(layer, nn.InstanceNorm2d)))
    image = torch.randn(1, 1, 320, 320, requires_grad=True)
    logits = local(image)
    middle = logits.shape[2] // 2
    seen = []
    for place in (middle, middle + 1):
        (slope,) = torch.autograd.grad(logits[0, 0, place, place], image, retain_graph=True)
        seen.append(slope[0, 0].any(1).nonzero().flatten())
    assert len(seen[0]) == seen[0][-1] - seen[0][0] + 1 == patch
    assert seen[1][0] - seen[0][0] == apart


@pytest.mark.parametrize(("patch", "least"), [(16, 6), (34, 12), (70, 24), (94, 32), (142, 48)])
def test_patches_ask_for_images_they_can_be_normalized_in(patch: PatchSize, least: int) -> None:
    shape = (1, least, least)
    logits = PatchDiscriminator(shape, width=2, patch=patch)(torch.randn(1, *shape))
    assert logits.shape[2] >= 1
    with pytest.raises(SizeError, match=f"at least {least}; try"):
        PatchDiscriminator((1, least - 1, least), width=2, patch=patch)


def reference_unet(weights: Iterator[Tensor], image: Tensor, halvings: int) -> Tensor:
    """The chapter's U-Net, written out."""
    seen: list[Tensor] = []
    for block in range(halvings):
        image = F.conv2d(image, next(weights), next(weights), stride=2, padding=1)
        image = F.leaky_relu(F.instance_norm(image) if 0 < block < halvings - 1 else image, 0.2)
        seen.append(image)
    seen.pop()
    for _ in range(halvings - 1):
        image = F.conv_transpose2d(image, next(weights), next(weights), stride=2, padding=1)
        image = torch.cat([F.relu(F.instance_norm(image)), seen.pop()], 1)
    image = F.pad(F.interpolate(image, scale_factor=2, mode="nearest"), (1, 0, 1, 0))
    return F.conv2d(image, next(weights), next(weights), padding=1).tanh()


def reference_patches(weights: Iterator[Tensor], image: Tensor) -> Tensor:
    """The chapter's discriminator of patches, written out."""
    for block in range(4):
        image = F.conv2d(image, next(weights), next(weights), stride=2, padding=1)
        image = F.leaky_relu(F.instance_norm(image) if block else image, 0.2)
    return F.conv2d(F.pad(image, (1, 0, 1, 0)), next(weights), next(weights), padding=1)


def test_they_compute_what_the_chapter_says() -> None:
    shape = (3, 64, 96)
    generator, discriminator = unet(shape).eval(), PatchDiscriminator(shape, shape, initialization="torch").eval()
    source = torch.randn(2, *shape)
    with torch.no_grad():
        target = generator(source)
        torch.testing.assert_close(target, reference_unet(generator.parameters(), source, 5))
        pair = torch.cat([target, source], 1)
        torch.testing.assert_close(discriminator(target, source), reference_patches(discriminator.parameters(), pair))


def test_initial_weights_are_the_papers() -> None:
    shape = (1, 32, 32)
    for network in (UNetGenerator(shape, 1), PatchDiscriminator(shape)):
        for weight in network.parameters():
            if weight.ndim > 1:
                assert weight.std().item() == pytest.approx(0.02, rel=0.1)
            else:
                assert not weight.any()


@pytest.mark.parametrize(("source", "target"), [(1, 3), (3, 1), (4, 3), (3, 4)])
def test_source_and_target_may_differ_in_channels(source: int, target: int) -> None:
    generator = unet((source, 32, 32), target)
    discriminator = PatchDiscriminator((target, 32, 32), (source, 32, 32))
    image = torch.randn(1, source, 32, 32)
    made = generator(image)
    assert made.shape == (1, target, 32, 32)
    assert made.abs().max() <= 1
    assert discriminator(made, image).shape == (1, 1, 2, 2)


def test_the_patch_discriminator_judges_an_image_alone_too() -> None:
    assert PatchDiscriminator((3, 40, 70))(torch.randn(1, 3, 40, 70)).shape == (1, 1, 2, 4)


@pytest.mark.parametrize("size", [(16, 16), (16, 64), (40, 64), (100, 100)])
def test_the_unet_refuses_sizes_and_names_others_that_both_networks_take(size: tuple[int, int]) -> None:
    with pytest.raises(SizeError, match="multiples of 16 and at least 32") as refusal:
        unet((3, *size))
    for suggestion in str(refusal.value).partition("--image-size ")[2].split(" or "):
        height, width = map(int, suggestion.split("x"))
        with torch.device("meta"):
            unet((3, height, width))
            PatchDiscriminator((3, height, width), (3, height, width))


def test_the_patch_discriminator_refuses_what_it_cannot_normalize() -> None:
    with pytest.raises(SizeError, match=r"at least 32; try --image-size 32x40$"):
        PatchDiscriminator((3, 31, 40))


def test_every_weight_is_registered_and_learns() -> None:
    generator, discriminator = unet((1, 32, 32)), PatchDiscriminator((3, 32, 32), (1, 32, 32))
    source = torch.randn(2, 1, 32, 32)
    discriminator(generator(source), source).square().mean().backward()
    for network in (generator, discriminator):
        for name, weight in network.named_parameters():
            assert weight.grad is not None, name
            assert weight.grad.any(), name
