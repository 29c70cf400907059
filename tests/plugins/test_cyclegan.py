"""CycleGAN: what its players minimise, and which images its discriminators see."""

import pytest
import torch
from ganzoo_cyclegan import CycleGAN, turned
from torch import Tensor
from torch.nn import functional as F

from ganzoo import Batch, DataSpec, Engine, PerformanceOptions, SizeError
from ganzoo.blocks import ReplayPool
from ganzoo.data.example import example_batch
from ganzoo.losses import WassersteinGP

SPEC = DataSpec(dataset="x", shapes={"source": (3, 32, 32), "target": (3, 32, 32)})


def small(**options: object) -> CycleGAN:
    return CycleGAN.model_validate({"width": 4, "blocks": 1, "pool": 4, **options})


def test_the_generators_losses_are_the_papers() -> None:
    torch.manual_seed(0)
    gan = small(cycle=7.0, identity=0.25)
    nets = gan.networks(SPEC)
    batch = gan.generate(nets, example_batch(SPEC, rows=2))
    losses = gan.generator_loss(nets, batch)

    def expected(there: Tensor, back: Tensor, logits: Tensor, source: Tensor, target: Tensor) -> list[Tensor]:
        return [(logits - 1).square().mean() / 2, 7 * F.l1_loss(there, source), 7 / 4 * F.l1_loss(back, target)]

    forth, back = nets.generator, nets.back_generator
    source, target = batch.source, batch.target
    there = expected(back(forth(source)), forth(target), nets.discriminator(forth(source)), source, target)
    again = expected(forth(back(target)), back(source), nets.back_discriminator(back(target)), target, source)
    terms = ["adversarial", "cycle", "identity"]
    wanted = dict(zip([*terms, *(f"back_{term}" for term in terms)], there + again, strict=True))
    assert losses.keys() == wanted.keys()
    for term, value in wanted.items():
        torch.testing.assert_close(losses[term], value)


def test_turning_twice_changes_nothing() -> None:
    gan = small()
    nets = gan.networks(SPEC)
    batch = gan.generate(nets, example_batch(SPEC, rows=2))
    back, turned_batch = turned(nets, batch)
    assert back.generator is nets.back_generator
    assert turned_batch.fake is batch.back_fake
    assert turned_batch.step is batch.step
    again, same = turned(back, turned_batch)
    assert dict(again.named_children()) == dict(nets.named_children())
    assert all(same[name] is batch[name] for name in batch)


def test_each_player_moves_its_own_and_the_pools_fill() -> None:
    torch.manual_seed(0)
    gan = small()
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    losses = engine.step(example_batch(SPEC, rows=2))
    assert {name.split("/")[0] for name in losses} == {"generator", "discriminator", "back_discriminator"}
    moves = {player.name: set(player.networks) for player in engine.players}
    assert moves["generator"] == {"generator", "back_generator"}
    assert moves["back_discriminator"] == {"back_discriminator"}
    for name in ("pool", "back_pool"):
        pool = getattr(engine.nets, name)
        assert isinstance(pool, ReplayPool)
        assert int(pool.filled) == 2


def test_each_discriminator_is_shown_images_of_its_own_side() -> None:
    gan = small(pool=2)
    nets = gan.networks(SPEC)
    seen: dict[str, list[Tensor]] = {"discriminator": [], "back_discriminator": []}
    for name, images in seen.items():
        getattr(nets, name).register_forward_hook(lambda _, given, __, images=images: images.append(given[0]))
    batch = gan.generate(nets, example_batch(SPEC, rows=2))
    _, there, back = gan.players()
    there.loss(nets, batch)
    back.loss(nets, batch)
    for name, (real, fake) in {
        "discriminator": ("target", "fake"),
        "back_discriminator": ("source", "back_fake"),
    }.items():
        assert torch.equal(seen[name][0], batch[real])
        assert torch.equal(seen[name][1], batch[fake])  # the pool was empty


def test_it_takes_other_losses_with_all_they_need() -> None:
    torch.manual_seed(0)
    gan = small(loss=WassersteinGP(), n_critic=2)
    engine = Engine(gan, gan.networks(SPEC), speed=PerformanceOptions.plain())
    assert {player.name: player.every for player in engine.players} == {
        "generator": 2,
        "discriminator": 1,
        "back_discriminator": 1,
    }
    losses = engine.step(example_batch(SPEC, rows=2))
    assert {"discriminator/gradient_penalty", "back_discriminator/gradient_penalty"} <= losses.keys()
    assert all(value.isfinite() for value in losses.values())


def test_sides_of_other_channels_need_the_identity_loss_off() -> None:
    spec = DataSpec(dataset="x", shapes={"source": (1, 32, 32), "target": (3, 32, 32)})
    with pytest.raises(SizeError, match=r"1 and 3 channels; try --channels 3 or --identity 0$"):
        small().networks(spec)
    gan = small(identity=0.0)
    engine = Engine(gan, gan.networks(spec), speed=PerformanceOptions.plain())
    assert not any("identity" in term for term in engine.step(example_batch(spec, rows=2)))
    batch = example_batch(spec, rows=2)
    assert engine.sample(Batch(source=batch.source, step=batch.step)).shape == (2, 3, 32, 32)
