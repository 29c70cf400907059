"""The convolutional blocks: what they compute, how large they are, what they refuse."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo import Discriminator, Generator, SizeError
from ganzoo.blocks import (
    StridedClassifier,
    StridedDiscriminator,
    UpsampleConv,
    UpsampleGenerator,
    check_size,
    initialize,
)


def parameters(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def with_weights(network: nn.Module) -> list[Any]:
    """The innermost layers that have weights, in their order."""
    return [layer for layer in network.modules() if list(layer.parameters(recurse=False))]


def plain(conv: nn.Conv2d, image: Tensor) -> Tensor:
    """What UpsampleConv stands for, step by step."""
    larger = F.interpolate(image, scale_factor=2, mode="nearest")
    if conv.kernel_size[0] == 4:
        larger = F.pad(larger, (1, 0, 1, 0))
    return F.conv2d(larger, conv.weight, conv.bias, padding=1)


@pytest.mark.parametrize("kernel_size", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)])
def test_upsample_conv_is_upsampling_then_convolution(kernel_size: Literal[3, 4], size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    conv = UpsampleConv(3, 5, kernel_size).double()
    image = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    towards = torch.randn(2, 5, 2 * size[0], 2 * size[1], dtype=torch.float64)
    inputs = [image, *conv.parameters()]

    def derivatives(made: Tensor) -> list[Tensor]:
        """The result, its gradients, and the gradients of a penalty on them."""
        first = torch.autograd.grad((made.sin() * towards).sum(), inputs, create_graph=True)
        second = torch.autograd.grad(first[0].square().sum(), inputs)
        return [made, *first, *second]

    assert conv(image).shape == towards.shape
    for one, other in zip(derivatives(conv(image)), derivatives(plain(conv, image)), strict=True):
        assert (one - other).abs().max() < 1e-12


def test_upsample_conv_holds_what_the_convolution_holds() -> None:
    conv = nn.Conv2d(3, 5, 3, padding=1)
    UpsampleConv(3, 5).load_state_dict(conv.state_dict(), strict=True)


def test_upsample_conv_sums_weights_before_it_rounds_them() -> None:
    conv = UpsampleConv(4, 4)
    image = torch.randn(2, 4, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        made = conv(image)
    assert made.dtype == torch.bfloat16
    assert (made - plain(conv, image)).abs().max() < 0.03


@pytest.mark.parametrize(
    ("shape", "generator", "discriminator"), [((1, 64, 64), 2_352_513, 99_649), ((3, 64, 64), 2_353_667, 99_937)]
)
def test_parameter_counts(shape: tuple[int, int, int], generator: int, discriminator: int) -> None:
    assert parameters(UpsampleGenerator(64, shape)) == generator
    assert parameters(StridedDiscriminator(shape)) == discriminator


def test_the_discriminators_width_is_that_of_its_first_convolution_whatever_the_image() -> None:
    for shape in ((1, 16, 16), (1, 16, 24)):
        convs = [layer for layer in with_weights(StridedDiscriminator(shape, width=4)) if isinstance(layer, nn.Conv2d)]
        assert [conv.out_channels for conv in convs] == [4, 8, 16, 32]


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 28, 28), (3, 32, 48), (4, 20, 8), (1, 64, 64)])
def test_images_of_any_permitted_shape(shape: tuple[int, int, int]) -> None:
    generator, discriminator = UpsampleGenerator(10, shape), StridedDiscriminator(shape)
    assert isinstance(generator, Generator)
    assert isinstance(discriminator, Discriminator)
    images = generator(torch.randn(2, 10))
    assert images.shape == (2, *shape)
    assert discriminator(images).shape == (2, 1)


def test_they_compute_what_the_chapter_says() -> None:
    torch.manual_seed(0)
    generator = UpsampleGenerator(10, (1, 8, 12), initialization="torch")
    linear, norm, first, norm_1, second, norm_2, last = with_weights(generator)
    noise = torch.randn(4, 10)
    image = norm(linear(noise).view(4, 128, 2, 3))
    image = F.leaky_relu(norm_1(plain(first, image)), 0.2)
    image = F.leaky_relu(norm_2(plain(second, image)), 0.2)
    torch.testing.assert_close(generator(noise), last(image).tanh())

    discriminator = StridedDiscriminator((1, 8, 12), initialization="torch").eval()
    first, *blocks, linear = with_weights(discriminator)
    logits = F.leaky_relu(F.conv2d(image[:, :1], first.weight, first.bias, stride=2, padding=1), 0.2)
    for conv, norm in zip(blocks[::2], blocks[1::2], strict=True):
        logits = norm(F.leaky_relu(F.conv2d(logits, conv.weight, conv.bias, stride=2, padding=1), 0.2))
    torch.testing.assert_close(discriminator(image[:, :1]), linear(logits.flatten(1)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 7, 33), (3, 30, 64)])
def test_the_strided_discriminator_takes_any_size(shape: tuple[int, int, int]) -> None:
    assert StridedDiscriminator(shape)(torch.randn(3, *shape)).shape == (3, 1)


def test_images_stay_within_range_and_logits_do_not() -> None:
    torch.manual_seed(0)
    images = UpsampleGenerator(8, (1, 16, 16), initialization="torch")(1000 * torch.randn(4, 8))
    assert images.min() >= -1
    assert images.max() <= 1
    logits = StridedDiscriminator((1, 16, 16), normalization="none")(1e6 * torch.randn(64, 1, 16, 16))
    assert logits.min() < -1
    assert logits.max() > 1


@pytest.mark.parametrize(
    ("size", "advice"),
    [
        ((30, 64), "try --image-size 28x64 or 32x64"),
        ((50, 70), "try --image-size 48x68 or 52x72"),
        ((2, 2), "try --image-size 4x4"),
    ],
)
def test_other_sizes_are_refused_with_the_nearest_that_work(size: tuple[int, int], advice: str) -> None:
    with pytest.raises(SizeError) as refusal:
        UpsampleGenerator(64, (1, *size))
    message = str(refusal.value)
    assert message.endswith(f"height and width must be multiples of 4; {advice}")
    assert f"{size[0]} x {size[1]} pixels" in message
    for suggestion in advice.removeprefix("try --image-size ").split(" or "):
        height, width = map(int, suggestion.split("x"))
        UpsampleGenerator(1, (1, height, width))


def test_a_refusal_names_every_rule() -> None:
    with pytest.raises(SizeError, match=r"multiples of 16 and at least 32; try --image-size 32x64 or 32x80$"):
        check_size("U", (3, 8, 70), multiple=16, least=32)
    check_size("U", (3, 32, 48), multiple=16, least=32)


def test_normalization_dropout_and_their_absence() -> None:
    def kinds(discriminator: nn.Module) -> list[str]:
        return [type(layer).__name__ for layer in discriminator.modules()]

    usual, critic = (
        StridedDiscriminator((1, 16, 16)),
        StridedDiscriminator((1, 16, 16), normalization="none", dropout=0),
    )
    assert (kinds(usual).count("BatchNorm2d"), kinds(usual).count("Dropout2d")) == (3, 4)
    assert (kinds(critic).count("BatchNorm2d"), kinds(critic).count("Dropout2d")) == (0, 0)
    # A critic under a gradient penalty scores each image by itself.
    images = torch.randn(4, 1, 16, 16)
    assert torch.allclose(critic(images)[:2], critic(images[:2]))


def test_batch_norm_keeps_a_small_eps() -> None:
    networks = nn.ModuleList([UpsampleGenerator(8, (1, 16, 16)), StridedDiscriminator((1, 16, 16))])
    norms = [layer for layer in networks.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 6
    assert {norm.eps for norm in norms} == {1e-5}


def test_initialize_draws_the_weights_of_the_paper() -> None:
    torch.manual_seed(0)
    for layer in (nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(64, 32, 4), nn.Linear(64, 256), UpsampleConv(32, 64)):
        assert initialize(layer) is layer
        assert layer.weight.mean().item() == pytest.approx(0, abs=1e-3)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert layer.bias is not None
        assert not layer.bias.any()
    norm = initialize(nn.BatchNorm2d(10_000), std=0.1)
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert norm.weight.std().item() == pytest.approx(0.1, rel=0.05)
    assert not norm.bias.any()


def test_initialize_reaches_inner_layers_and_passes_over_what_has_no_weights() -> None:
    network = nn.Sequential(nn.Sequential(nn.Conv2d(16, 16, 3, bias=False)), nn.InstanceNorm2d(16), nn.ReLU())
    initialize(network, std=0.0)
    assert not any(weight.any() for weight in network.parameters())


@pytest.mark.parametrize("network", [partial(UpsampleGenerator, 64), StridedDiscriminator])
def test_initial_weights_are_the_papers_or_torchs(network: Callable[..., nn.Module]) -> None:
    def largest(initialization: str) -> Tensor:
        torch.manual_seed(0)
        weights = network((1, 32, 32), initialization=initialization).parameters()
        return max((weight for weight in weights if weight.ndim == 4), key=torch.numel)

    assert largest("normal").std().item() == pytest.approx(0.02, rel=0.05)
    weight = largest("torch")
    bound = weight[0].numel() ** -0.5  # torch draws evenly up to 1 / sqrt(inputs)
    assert weight.abs().max().item() == pytest.approx(bound, rel=0.05)


@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_every_weight_is_registered_and_learns(normalization: Literal["batch", "none"]) -> None:
    generator = UpsampleGenerator(8, (1, 16, 16))
    discriminator = StridedDiscriminator((1, 16, 16), normalization=normalization)
    discriminator(generator(torch.randn(8, 8))).square().mean().backward()
    for network in (generator, discriminator):
        for name, weight in network.named_parameters():
            assert weight.grad is not None, name
            assert weight.grad.any(), name


def test_options_left_out_leave_the_networks_as_they_were() -> None:
    assert all(name.startswith("layers.") for name in UpsampleGenerator(8, (1, 16, 16)).state_dict())
    assert all(name.startswith("layers.") for name in StridedDiscriminator((1, 16, 16)).state_dict())


def test_a_narrower_generator() -> None:
    generator = UpsampleGenerator(8, (3, 16, 24), width=32)
    widths = [layer.out_channels for layer in generator.modules() if isinstance(layer, nn.Conv2d)]
    assert widths == [32, 16, 3]
    assert generator(torch.randn(2, 8)).shape == (2, 3, 16, 24)


def test_a_generator_is_given_classes_as_vectors_beside_the_noise() -> None:
    torch.manual_seed(0)
    generator, noise = UpsampleGenerator(8, (1, 16, 16), classes=3).eval(), torch.randn(2, 8)
    assert generator.classes is not None
    images = generator(noise, torch.tensor([2, 0]))
    generator.classes.weight.data[1] += 100
    assert torch.equal(generator(noise, torch.tensor([2, 0])), images)
    generator.classes.weight.data[2] += 100
    changed = (generator(noise, torch.tensor([2, 0])) != images).flatten(1).any(1)
    assert changed.tolist() == [True, False]


def test_a_discriminator_adds_the_product_of_class_and_features() -> None:
    torch.manual_seed(0)
    discriminator = StridedDiscriminator((1, 16, 16), classes=3, initialization="torch").eval()
    image, label = torch.randn(2, 1, 16, 16), torch.tensor([2, 0])
    assert discriminator.classes is not None
    plain = discriminator.layers(image)
    torch.testing.assert_close(discriminator(image, label), plain)
    vectors = nn.init.normal_(discriminator.classes.weight)
    product = (discriminator.layers[:-1](image) * vectors[label]).sum(1, keepdim=True)
    assert product.abs().min() > 0.01
    torch.testing.assert_close(discriminator(image, label), plain + product)


def test_a_discriminator_with_several_answers() -> None:
    discriminator = StridedDiscriminator((1, 20, 12), outputs=4)
    assert discriminator(torch.randn(2, 1, 20, 12)).shape == (2, 4)


def test_a_classifier_gives_the_features_that_its_logits_are_made_of() -> None:
    torch.manual_seed(0)
    classifier, images = StridedClassifier((3, 20, 12), 7, width=4, noise=0.5), torch.randn(2, 3, 20, 12)
    logits, features = classifier.eval()(images)
    assert logits.shape == (2, 7)
    assert features.shape == (2, 32 * 2 * 1)
    torch.testing.assert_close(classifier.head[-1](features), logits)
    assert torch.equal(classifier(images)[0], logits)
    assert not torch.equal(classifier.train()(images)[0], classifier(images)[0])  # noise, in training alone
    assert isinstance(classifier, Discriminator)
