"""WGAN: its weights are clipped after each of the critic's moves, and it moves as the paper says."""

from typing import cast

import torch
from ganzoo_wgan import WGAN

from ganzoo import Engine, PerformanceOptions, RMSprop
from ganzoo.data.example import example_batch, example_spec
from ganzoo.options.run import resolve


def test_clipping_holds_after_each_move_of_the_critic_alone() -> None:
    torch.manual_seed(0)
    gan, spec = WGAN(clip=0.02), example_spec(WGAN.needs, (1, 16, 16))
    engine = Engine(gan, gan.networks(spec), speed=PerformanceOptions.plain())
    assert max(weight.abs().max().item() for weight in engine.nets.discriminator.parameters()) > 0.02
    for _ in range(6):
        engine.step(example_batch(spec, gan.noise_shape()))
        largest = max(weight.abs().max().item() for weight in engine.nets.discriminator.parameters())
        assert 0.019 < largest <= 0.0201
    assert max(weight.abs().max().item() for weight in engine.nets.generator.parameters()) > 0.02


def test_it_has_the_papers_recipe() -> None:
    gan = cast("WGAN", resolve(WGAN, {"recipe": "paper"}).gan)
    assert gan.optimizer == RMSprop(lr=5e-5)
    assert gan.clip == 0.01
    assert [player.every for player in gan.players()] == [5, 1]
