"""ACGAN: a class term for both players, and what each of them moves."""

import pytest
import torch
from ganzoo_acgan import ACGAN
from torch.nn import functional as F

from ganzoo import Batch, Networks
from ganzoo.data.example import example_batch, example_spec


def ready(gan: ACGAN) -> tuple[Networks, Batch]:
    torch.manual_seed(0)
    data = example_spec(gan.needs, (1, 16, 16))
    nets = gan.networks(data)
    return nets, gan.generate(nets, example_batch(data, gan.noise_shape(), rows=8))


def test_the_class_terms_are_the_papers() -> None:
    gan = ACGAN(class_weight=3.0)
    nets, batch = ready(gan)
    nets.eval()
    score, classes = gan.answers(nets, batch.fake)
    assert score.shape == (8, 1)
    assert classes.shape == (8, 5)
    assert torch.equal(gan.discriminate(nets, batch.fake, batch), score)
    named = F.cross_entropy(classes, batch.label)
    assert gan.generator_loss(nets, batch)["class"].item() == pytest.approx(3 * named.item(), rel=1e-5)
    both = named + F.cross_entropy(gan.answers(nets, batch.image)[1], batch.label)
    assert gan.discriminator_loss(nets, batch)["class"].item() == pytest.approx(3 * both.item() / 2, rel=1e-5)


def test_the_class_term_moves_the_generator_and_the_discriminator_each_in_its_turn() -> None:
    gan = ACGAN()
    nets, batch = ready(gan)
    own = {name: list(getattr(nets, name).parameters()) for name in nets}
    term = gan.discriminator_loss(nets, batch)["class"]
    moved = torch.autograd.grad(term, [*own["generator"], *own["discriminator"]], allow_unused=True)
    assert [gradient is not None for gradient in moved] == [False] * len(own["generator"]) + [True] * len(
        own["discriminator"]
    )
    moved = torch.autograd.grad(gan.generator_loss(nets, batch)["class"], own["generator"])
    assert all(gradient.isfinite().all() for gradient in moved)
    assert moved[0].any()
