"""R3GAN: what each of its players minimises, and its options."""

import torch
from ganzoo_r3gan import R3GAN

from ganzoo import Batch, Networks
from ganzoo.data.example import example, example_spec

SPEC = example_spec(R3GAN.needs, (1, 16, 16))


def small() -> tuple[R3GAN, Networks, Batch]:
    """A small one, and a batch with its fakes."""
    torch.manual_seed(0)
    gan = R3GAN(width=4)
    nets = gan.networks(SPEC)
    return gan, nets, gan.generate(nets, example(SPEC, gan.noise_shape()))


def test_its_losses_and_penalties_are_logged_apart() -> None:
    gan, nets, batch = small()
    assert set(gan.generator_loss(nets, batch)) == {"adversarial"}
    assert set(gan.discriminator_loss(nets, batch)) == {"adversarial", "r1", "r2"}


def test_the_generators_loss_depends_on_the_real_images_beside_its_own() -> None:
    gan, nets, batch = small()
    others = gan.generator_loss(nets, batch.replace(image=-batch.image))
    assert others["adversarial"] != gan.generator_loss(nets, batch)["adversarial"]


def test_width_is_an_option() -> None:
    def size(gan: R3GAN) -> int:
        return sum(weight.numel() for weight in gan.networks(example_spec(R3GAN.needs)).parameters())

    assert size(R3GAN(width=16)) > 2 * size(R3GAN(width=8))
    assert size(R3GAN(blocks=2)) > 1.5 * size(R3GAN(blocks=1))
