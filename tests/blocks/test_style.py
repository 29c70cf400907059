"""The parts of StyleGAN2: modulation, resampling, styles, noise, and what its discriminator sees of a batch."""

from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from ganzoo import SizeError
from ganzoo.blocks.equalized import (
    Blur,
    EqualizedConv,
    EqualizedDiscriminator,
    EqualizedLinear,
    MinibatchDeviation,
    Resampling,
    channels_of,
    levels_of,
)
from ganzoo.blocks.style import (
    MappingNetwork,
    ModulatedConv,
    NoiseInjection,
    RunningMean,
    StyleSynthesis,
    mix_styles,
)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def with_weights_of_each_image(layer: ModulatedConv, image: Tensor, style: Tensor) -> Tensor:
    """The paper's own form: the weights scaled and demodulated for each image, all in one grouped convolution."""
    count, channels, height, width = image.shape
    weight = layer.conv.scaled()[None] * layer.modulation(style)[:, None, :, None, None]
    if layer.demodulate:
        weight = weight * (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    grouped = image.reshape(1, count * channels, height, width)
    if layer.conv.resampling == "up":
        turned = weight.transpose(1, 2).flatten(0, 1)
        enlarged = F.conv_transpose2d(grouped, turned, stride=2, groups=count)
        return Blur()(4 * enlarged.view(count, -1, *enlarged.shape[2:]))
    made = F.conv2d(grouped, weight.flatten(0, 1), padding=layer.conv.padding, groups=count)
    return made.view(count, -1, height, width)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("resampling", ["none", "up"])
def test_scaling_inputs_and_outputs_is_the_same_as_weights_for_each_image(
    resampling: Resampling, demodulate: bool
) -> None:
    layer = ModulatedConv(5, 6, 7, demodulate=demodulate, resampling=resampling)
    image, style = torch.randn(3, 5, 8, 12), torch.randn(3, 7)
    expected = with_weights_of_each_image(layer, image, style)
    torch.testing.assert_close(layer(image, style), expected, rtol=1e-4, atol=1e-5)


def test_demodulation_keeps_the_variance_whatever_the_style() -> None:
    layer, image = ModulatedConv(32, 64, 8), torch.randn(4, 32, 32, 32)
    style = torch.randn(4, 8) * torch.tensor([0.1, 1.0, 10.0, 100.0])[:, None]
    variance = layer(image, style)[:, :, 1:-1, 1:-1].var((1, 2, 3))
    torch.testing.assert_close(variance, torch.ones(4), rtol=0.1, atol=0)
    layer.demodulate = False
    assert layer(image, style).var((1, 2, 3)).max() > 100


def test_equalised_layers_keep_the_variance_and_learn_equally_fast() -> None:
    for layer, inputs in (
        (EqualizedLinear(256, 512), torch.randn(64, 256)),
        (EqualizedLinear(256, 512, rate=0.01), torch.randn(64, 256)),
        (EqualizedConv(64, 64, 1), torch.randn(4, 64, 16, 16)),
    ):
        assert layer(inputs).var().item() == pytest.approx(1, rel=0.1)
    fast, slow = EqualizedLinear(1, 1), EqualizedLinear(1, 1, rate=0.01)
    with torch.no_grad():
        slow.weight.copy_(fast.weight * 100)
        one = torch.ones(1, 1)
        before = fast(one).item(), slow(one).item()
        for layer in (fast, slow):
            layer.weight += 1
    assert before[0] == pytest.approx(before[1])
    assert fast(one).item() - before[0] == pytest.approx(1)
    assert slow(one).item() - before[1] == pytest.approx(0.01, rel=1e-3)


def test_spectral_normalisation_holds_the_weight_that_is_used() -> None:
    layer = EqualizedConv(8, 8)
    parametrizations.spectral_norm(layer)
    for _ in range(30):
        layer.scaled()
    assert torch.linalg.matrix_norm(layer.eval().scaled().flatten(1), 2).item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("sides", [(8, 6), (4, 4)])
def test_resampling_is_the_filter_over_zeros_between_pixels_or_at_every_other_pixel(sides: tuple[int, int]) -> None:
    image = torch.randn(2, 3, *sides)
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = torch.outer(line, line).expand(3, 1, 4, 4)
    down = torch.nn.functional.conv2d(image, kernel, stride=2, padding=1, groups=3)
    torch.testing.assert_close(Blur(resampling="down")(image), down)
    up = torch.nn.functional.conv_transpose2d(image, 4 * kernel, stride=2, padding=1, groups=3)
    torch.testing.assert_close(Blur(resampling="up")(image), up)


@pytest.mark.parametrize("blur", [Blur(), Blur(2), Blur(0), Blur(resampling="up"), Blur(resampling="down")])
def test_blurs_are_differentiated_twice(blur: Blur) -> None:
    image = torch.randn(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    blur = blur.double()
    assert torch.autograd.gradcheck(blur, image)
    assert torch.autograd.gradgradcheck(lambda image: blur(image).square(), image)
    with torch.no_grad():
        plain = blur(image)
    torch.testing.assert_close(blur(image), plain)


def test_the_filter_is_binomial() -> None:
    point = torch.zeros(1, 1, 7, 7)
    point[0, 0, 3, 3] = 64
    line = torch.tensor([1.0, 3.0, 3.0, 1.0])
    torch.testing.assert_close(Blur()(point)[0, 0, 1:5, 1:5], torch.outer(line, line))
    flat = torch.ones(2, 3, 8, 8)
    for blur, size in ((Blur(), 7), (Blur(2), 9), (Blur(resampling="down"), 4), (Blur(resampling="up"), 16)):
        blurred = blur(flat)
        assert blurred.shape == (2, 3, size, size)
        middle = blurred[:, :, 2:-2, 2:-2] if size > 4 else blurred[:, :, 1:-1, 1:-1]
        torch.testing.assert_close(middle, torch.ones_like(middle))


@pytest.mark.parametrize(
    ("kernel_size", "resampling", "size"),
    [
        (1, "none", (8, 12)),
        (3, "none", (8, 12)),
        (1, "down", (4, 6)),
        (3, "down", (4, 6)),
        (3, "up", (16, 24)),
    ],
)
def test_a_convolution_doubles_or_halves_exactly(
    kernel_size: Literal[1, 3], resampling: Resampling, size: tuple[int, int]
) -> None:
    layer = EqualizedConv(2, 3, kernel_size, resampling)
    assert layer(torch.randn(2, 2, 8, 12)).shape == (2, 3, *size)


def test_the_deviation_within_a_group_is_a_feature() -> None:
    layer = MinibatchDeviation(group=4)
    alike = torch.randn(1, 3, 4, 4).repeat(8, 1, 1, 1)
    assert layer(alike).shape == (8, 4, 4, 4)
    assert layer(alike)[:, 3].max() < 1e-3
    apart = torch.randn(8, 3, 4, 4)
    expected = apart.unflatten(0, (4, 2)).std(0, unbiased=False).mean((1, 2, 3)).repeat(4)
    torch.testing.assert_close(layer(apart)[:, 3, 0, 0], expected)
    for count in (1, 2, 3, 6, 7):
        assert layer(apart[:count]).shape == (count, 4, 4, 4)


def test_styles_are_mixed_from_a_layer_on() -> None:
    styles = torch.stack([torch.zeros(200, 3), torch.ones(200, 3)], 1)
    mixed = mix_styles(styles, 6, 1.0)
    assert mixed.shape == (200, 6, 3)
    seconds = mixed[:, :, 0].sum(1)
    assert set(seconds.tolist()) == {1, 2, 3, 4, 5}  # both styles are in every image
    assert (mixed.diff(dim=1) >= 0).all()  # the second follows the first and stays
    assert torch.equal(mixed[:, :, 0], mixed[:, :, 2])
    assert not mix_styles(styles, 6, 0.0).any()
    share = mix_styles(styles, 6, 0.5)[:, -1, 0].mean().item()
    assert 0.35 < share < 0.65


def test_the_mapping_keeps_the_mean_of_styles_in_training_alone() -> None:
    mapping = MappingNetwork(4, 8, 2, rate=0.01, decay=0.5)
    noise = torch.randn(64, 2, 4)
    style = mapping(noise)
    assert style.shape == (64, 2, 8)
    torch.testing.assert_close(mapping.mean, style.mean((0, 1)) / 2)
    before = mapping.mean.clone()
    mapping.eval()
    torch.testing.assert_close(mapping(5 * noise), style)  # the length of the noise says nothing
    assert torch.equal(mapping.mean, before)


def test_truncation_pulls_styles_to_their_mean() -> None:
    mapping = MappingNetwork(4, 8, 2, rate=0.01)
    noise = torch.randn(16, 4)
    mapping(noise)
    mapping.eval()
    style, mean = mapping(noise), mapping.mean
    assert mean.any()
    torch.testing.assert_close(mapping(noise, 0.0), mean.expand(16, 8))
    torch.testing.assert_close(mapping(noise, 0.5), (style + mean) / 2)


def test_noise_is_drawn_in_training_and_fixed_in_evaluation() -> None:
    layer = NoiseInjection((4, 6))
    features = torch.zeros(3, 5, 4, 6)
    assert torch.equal(layer(features), features)  # at first it has no strength
    nn.init.ones_(layer.strength)
    drawn = layer(features)
    assert not torch.equal(drawn, layer(features))
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[:, 0], drawn[:, 4])
    layer.eval()
    assert torch.equal(layer(features)[2], layer(features[:1])[0])


def test_a_running_mean_follows_in_training_alone() -> None:
    mean = RunningMean(decay=0.75)
    assert mean(torch.tensor([2.0, 6.0])).item() == 1
    mean.eval()
    assert mean(torch.tensor([100.0])).item() == 1


@pytest.mark.parametrize(
    ("size", "smallest"),
    [((32, 32), (4, 4)), ((28, 28), (7, 7)), ((32, 64), (4, 8)), ((64, 32), (8, 4)), ((64, 104), (8, 13))],
)
def test_networks_begin_at_four_to_eight_pixels(size: tuple[int, int], smallest: tuple[int, int]) -> None:
    levels = levels_of("x", (1, *size))
    assert levels[0] == smallest
    assert levels[-1] == size
    synthesis, discriminator = StyleSynthesis(4, (2, *size), channels=2), EqualizedDiscriminator((2, *size), channels=2)
    images = synthesis(torch.randn(2, synthesis.style_count, 4))
    assert images.shape == (2, 2, *size)
    assert discriminator(images).shape == (2, 1)
    styles = 100 * torch.randn(2, synthesis.style_count, 4)
    assert synthesis(styles).abs().max() > 1
    assert synthesis.eval()(styles).abs().max() == 1


@pytest.mark.parametrize("size", [(30, 30), (33, 60), (60, 100), (4, 4), (1, 1), (100, 7), (62, 62)])
def test_other_sizes_are_refused_with_sizes_that_work(size: tuple[int, int]) -> None:
    with pytest.raises(SizeError, match="do not fit StyleSynthesis") as refused:
        StyleSynthesis(4, (1, *size))
    for advice in str(refused.value).partition("--image-size ")[2].split(" or "):
        height, width = map(int, advice.split("x"))
        assert levels_of("x", (1, height, width))


def test_channels_double_as_sides_are_halved_up_to_a_limit() -> None:
    assert channels_of(4, 16, 64) == [64, 64, 32, 16]
    assert channels_of(2, 100, 64) == [100, 100]


def test_slopes_of_both_networks_can_be_differentiated() -> None:
    synthesis, discriminator = StyleSynthesis(4, (1, 8, 8), channels=3), EqualizedDiscriminator((1, 8, 8), channels=3)
    for network, inputs in (
        (synthesis, torch.randn(4, synthesis.style_count, 4)),
        (discriminator, torch.randn(4, 1, 8, 8)),
    ):
        inputs.requires_grad_()
        (slope,) = torch.autograd.grad(network(inputs).square().sum(), inputs, create_graph=True)
        weights = list(network.parameters())
        found = torch.autograd.grad(slope.square().sum(), weights, allow_unused=True)
        assert sum(gradient is not None and bool(gradient.isfinite().all()) for gradient in found) > len(weights) / 2
