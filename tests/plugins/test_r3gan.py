"""R3GAN: what each of its players minimises, and its options."""

import torch
from ganzoo_r3gan import R3GAN

from ganzoo import Batch, Networks
from ganzoo.blocks.grouped import GroupedResidual
from ganzoo.data.example import example_batch, example_spec
from ganzoo.options.run import resolve

SPEC = example_spec(R3GAN.needs, (1, 16, 16))


def small() -> tuple[R3GAN, Networks, Batch]:
    """A small one, and a batch with its fakes."""
    torch.manual_seed(0)
    gan = R3GAN(width=4)
    nets = gan.networks(SPEC)
    return gan, nets, gan.generate(nets, example_batch(SPEC, gan.noise_shape()))


def test_its_losses_and_penalties_are_logged_apart() -> None:
    gan, nets, batch = small()
    assert set(gan.generator_loss(nets, batch)) == {"adversarial"}
    assert set(gan.discriminator_loss(nets, batch)) == {"adversarial", "r1", "r2"}


def test_the_generators_loss_depends_on_the_real_images_beside_its_own() -> None:
    gan, nets, batch = small()
    others = gan.generator_loss(nets, batch.replace(image=-batch.image))
    assert others["adversarial"] != gan.generator_loss(nets, batch)["adversarial"]


def test_penalties_take_the_logits_that_there_are_and_are_the_same_as_from_new_ones() -> None:
    gan, nets, batch = small()
    for name, weight in nets.named_parameters():
        if name.endswith("project.weight"):
            torch.nn.init.normal_(weight, std=0.1)
    calls: list[int] = []
    nets.discriminator.register_forward_hook(lambda *call: calls.append(1))
    losses = gan.discriminator_loss(nets, batch)
    assert len(calls) == 2
    real, fake = batch.image, batch.fake.detach()
    logits = [gan.discriminate(nets, images, batch) for images in (real, fake)]
    anew = gan.discriminator_terms(nets, batch.replace(fake=fake), *logits)
    assert len(calls) == 6
    assert {name: term.item() for name, term in losses.items()} == {name: term.item() for name, term in anew.items()}
    assert not real.requires_grad
    weights = list(nets.discriminator.parameters())
    found, again = (
        torch.autograd.grad(sum(terms.values(), torch.zeros(())), weights, allow_unused=True)
        for terms in (losses, anew)
    )
    for one, other in zip(found, again, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other)


def test_the_authors_networks_are_recipes() -> None:
    def widths(recipe: str, side: int) -> list[int]:
        gan = resolve(R3GAN, {"recipe": recipe, "data": "cifar10"}).gan
        with torch.device("meta"):
            nets = gan.networks(example_spec(R3GAN.needs, (3, side, side)))
        return [
            module.expand.in_channels for module in nets.discriminator.modules() if isinstance(module, GroupedResidual)
        ]

    assert widths("cifar", 32) == [768] * 8  # two blocks of each
    assert widths("paper", 64) == [384, 384, *[768] * 8]
    assert widths("quick", 32) == [16, 32, 64, 128]


def test_width_is_an_option() -> None:
    def size(gan: R3GAN) -> int:
        return sum(weight.numel() for weight in gan.networks(example_spec(R3GAN.needs)).parameters())

    assert size(R3GAN(width=16)) > 2 * size(R3GAN(width=8))
    assert size(R3GAN(max_width=32)) < size(R3GAN(max_width=128)) / 2
    assert size(R3GAN(blocks=2)) > 1.5 * size(R3GAN(blocks=1))
