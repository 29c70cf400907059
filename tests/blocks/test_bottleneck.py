"""The generator with a narrow middle: what connects, how large it is, what it refuses."""

import pytest
import torch

from ganzoo import SizeError
from ganzoo.blocks import BottleneckGenerator
from ganzoo.blocks.bottleneck import ChannelwiseLinear


def test_the_dense_layer_connects_places_and_not_channels() -> None:
    layer, image = ChannelwiseLinear(2, 3, 4), torch.randn(1, 2, 3, 4, requires_grad=True)
    made = layer(image)
    expected = torch.stack([layer.weight[channel].T @ image[0, channel].flatten() for channel in range(2)])
    torch.testing.assert_close(made, (expected + layer.bias).view(1, 2, 3, 4))
    (slope,) = torch.autograd.grad(made[0, 0, 0, 0], image)
    assert slope[0, 0].all()
    assert not slope[0, 1].any()


@pytest.mark.parametrize(
    ("size", "middle"),
    [((32, 32), (2, 2)), ((48, 80), (3, 5)), ((128, 64), (8, 4)), ((256, 256), (8, 8)), ((320, 512), (5, 8))],
)
def test_its_middle_sees_the_whole_image(size: tuple[int, int], middle: tuple[int, int]) -> None:
    with torch.device("meta"):
        generator = BottleneckGenerator((3, *size), 1, width=4)
        assert generator(torch.empty(2, 3, *size)).shape == (2, 1, *size)
    (dense,) = (layer for layer in generator.modules() if isinstance(layer, ChannelwiseLinear))
    assert dense.weight.shape == (32, *[middle[0] * middle[1]] * 2)


def test_a_corner_depends_on_the_opposite_corner() -> None:
    torch.manual_seed(0)
    generator = BottleneckGenerator((1, 64, 64), 1, width=4, initialization="torch").eval()
    image = torch.randn(1, 1, 64, 64, requires_grad=True)
    (slope,) = torch.autograd.grad(generator(image)[0, 0, 0, 0], image)
    assert slope[0, 0, -1, -1] != 0


@pytest.mark.parametrize("size", [(40, 64), (16, 16), (144, 144), (250, 40), (500, 500), (32, 512)])
def test_other_sizes_are_refused_with_the_nearest_that_work(size: tuple[int, int]) -> None:
    with pytest.raises(SizeError, match="try --image-size") as refusal:
        BottleneckGenerator((3, *size), 3, width=4)
    for suggestion in str(refusal.value).partition("--image-size ")[2].split(" or "):
        height, width = map(int, suggestion.split("x"))
        with torch.device("meta"):
            BottleneckGenerator((3, height, width), 3, width=4)


def test_every_weight_learns() -> None:
    generator = BottleneckGenerator((3, 32, 32), 3, width=4, initialization="torch")
    made = generator(torch.randn(4, 3, 32, 32))
    assert made.abs().max() <= 1
    made.square().mean().backward()
    for name, weight in generator.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
