"""Compact networks: sizes, conditions, and that each image is judged apart from its batch."""

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.blocks import CompactDiscriminator, CompactGenerator, ConditionalBatchNorm2d, compact_layers, initialize_he

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 16, 24), (3, 100, 100), (4, 64, 104)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_networks_fit_images_of_these_sizes(shape: tuple[int, int, int]) -> None:
    images = CompactGenerator(5, shape, width=2, max_width=8)(torch.randn(2, 5))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    assert CompactDiscriminator(shape, outputs=3, width=2, max_width=8)(images).shape == (2, 3)


@pytest.mark.parametrize("size", [4, 30, 34])
def test_other_sizes_are_refused_with_ones_that_fit(size: int) -> None:
    for network in (CompactGenerator, CompactDiscriminator):
        arguments = (5, (1, size, size)) if network is CompactGenerator else ((1, size, size),)
        with pytest.raises(ganzoo.SizeError, match="multiples of 4 and at least 8; try --image-size"):
            network(*arguments)


def test_generator_starts_at_four_pixels_and_halves_its_channels() -> None:
    generator = CompactGenerator(64, (1, 32, 32))
    assert [conv.in_channels for conv in generator.convs if isinstance(conv, nn.Conv2d)] == [128, 64, 32]
    assert sum(weight.numel() for weight in generator.parameters()) == 230_625


@pytest.mark.parametrize("labels", [torch.tensor([0, 2]), torch.tensor([1, 2])])
def test_labels_are_one_hot_condition_vectors(labels: torch.Tensor) -> None:
    torch.manual_seed(0)
    generator = CompactGenerator(5, (1, 8, 8), condition=3).eval()
    discriminator = CompactDiscriminator((1, 8, 8), condition=3)
    noise, vectors = torch.randn(2, 5), nn.functional.one_hot(labels, 3).float()
    images = generator(noise, labels)
    torch.testing.assert_close(images, generator(noise, vectors))
    torch.testing.assert_close(discriminator(images, labels), discriminator(images, vectors))
    other = labels.flip(0)
    assert (generator(noise, other) - images).abs().max() > 1e-4
    assert (discriminator(images, other) - discriminator(images, labels)).abs().max() > 1e-4


def test_conditional_batch_norm_begins_near_plain_batch_norm() -> None:
    torch.manual_seed(0)
    features = torch.randn(16, 6, 4, 4) * 3 + 1
    conditional = ConditionalBatchNorm2d(6, 10)(features, torch.eye(16, 10))
    torch.testing.assert_close(conditional, nn.BatchNorm2d(6)(features), atol=0.4, rtol=0)
    assert not torch.equal(conditional, nn.BatchNorm2d(6)(features))


def test_each_image_is_judged_apart_from_its_batch() -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 1, 16, 16)
    apart = CompactDiscriminator((1, 16, 16))
    torch.testing.assert_close(apart(images)[:2], apart(images[:2]))
    together = CompactDiscriminator((1, 16, 16), minibatch_deviation=True)
    assert not torch.allclose(together(images)[:2], together(images[:2]))


def test_initial_weights_keep_the_size_of_features() -> None:
    torch.manual_seed(0)
    layers, _ = compact_layers((1, 32, 32), 16)
    features = initialize_he(nn.Sequential(*layers))(torch.randn(64, 1, 32, 32))
    assert 0.3 < features.square().mean().item() < 1  # 0.5 but for the zeros around borders
