"""The contract, proven on a toy of every family that the zoo is meant for: each trains, and moves only what it says."""

from collections.abc import Sequence

import pytest
import torch
from families import (
    FAMILIES,
    AnothersNetworks,
    Clipped,
    GradientPenalty,
    LazyRegulariser,
    Perceptual,
    ToyAdversarial,
    TwoGenerators,
)
from torch import Tensor
from toys import BATCH, SIZE, toy_data

import ganzoo
from ganzoo import Adam, Batch, Engine, Losses, Networks, PerformanceOptions, Player
from ganzoo.blocks import ReplayPool
from ganzoo.data.in_memory import InMemoryLoader
from ganzoo.engine.cuda_graphs import WARM_UP, CUDAGraphCache
from ganzoo.losses import CrossEntropy
from ganzoo.testing.cpu_recorder import CPURecorder


def trained(
    gan: ganzoo.GAN, iterations: int, speed: PerformanceOptions | None = None
) -> tuple[Engine, dict[str, Tensor], Losses]:
    """An engine after some iterations, the weights before them, and the last losses of every term."""
    data = toy_data(gan)
    torch.manual_seed(0)
    engine = Engine(gan, gan.build(data.spec), speed=speed or PerformanceOptions.plain())
    before = {name: value.clone() for name, value in engine.nets.state_dict().items()}
    batches = InMemoryLoader(data.streams, BATCH, gan.noise_shape())
    losses: Losses = {}
    for iteration in range(iterations):
        losses |= engine.step(batches[iteration])
    return engine, before, losses


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_trains_and_moves_only_what_it_says(gan: ganzoo.GAN) -> None:
    engine, before, losses = trained(gan, 10)
    assert all(torch.isfinite(value) for value in losses.values()), losses
    assert {name.split("/")[0] for name in losses} == {player.name for player in gan.players()}
    moved = {name for player in gan.players() for name in player.networks}
    changed = {
        name.split(".")[0] for name, value in engine.nets.named_parameters() if not torch.equal(value, before[name])
    }
    assert changed == moved


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_trains_with_every_speed_switch_on(gan: ganzoo.GAN) -> None:
    engine, before, losses = trained(gan, 10, PerformanceOptions(device="cpu", precision="bf16"))
    assert all(torch.isfinite(value) and value.dtype == torch.float32 for value in losses.values()), losses
    assert any(not torch.equal(value, before[name]) for name, value in engine.nets.named_parameters())


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_trains_alike_when_its_iterations_are_recorded(gan: ganzoo.GAN) -> None:
    engines, rows, data = [], [], toy_data(gan)
    for recorder in (None, CPURecorder()):
        torch.manual_seed(0)
        batches = InMemoryLoader(data.streams, BATCH, gan.noise_shape())
        speed = PerformanceOptions(device="cpu", precision="fp32")
        engine = Engine(gan, gan.build(data.spec), speed=speed, collate=batches.collate)
        engine.graphs = CUDAGraphCache(recorder, engine.device, engine.state) if recorder else None
        rows.append([engine.step(batches.draw(iteration)) for iteration in range((WARM_UP + 3) * engine.cycle)])
        engines.append(engine)
    assert engines[1].graphs is not None
    assert not engines[1].graphs.refusal
    assert rows[1] == rows[0]


@pytest.mark.parametrize("gan", FAMILIES, ids=lambda gan: f"{gan.name}-{getattr(gan, 'n_critic', 1)}")
def test_every_family_makes_images_from_its_inputs_alone(gan: ganzoo.GAN) -> None:
    engine, _, _ = trained(gan, 1)
    given = (gan.needs & gan.inputs) | {"noise", "step"}
    batch = InMemoryLoader(toy_data(gan).streams, BATCH, gan.noise_shape())[0]
    inputs = Batch(**{name: value for name, value in batch.items() if name in given})
    assert engine.sample(inputs).shape == (BATCH, 1, SIZE, SIZE)


def test_a_family_is_named_for_what_its_images_are_made_from() -> None:
    families = {gan.name: gan.family() for gan in FAMILIES}
    assert families["toy-cycle"] == families["toy-perceptual"] == "image to image"
    assert families["toy-semi"] == families["toy"] == "noise to image"
    assert families["toy-classes"] == "class to image"
    assert families["toy-captions"] == "text to image"


def test_a_family_that_makes_a_plain_mistake_is_told() -> None:
    class Reuses(AnothersNetworks):
        """Differentiates through fakes whose graph the generator's turn used up."""

        def information_loss(self, nets: Networks, batch: Batch) -> Losses:
            return {"information": nets.recogniser(batch.fake.flatten(1)).square().mean()}

    with pytest.raises(ganzoo.ContractError, match="call generate"):
        trained(Reuses(), 1)


def test_a_lazy_regulariser_shares_the_optimizer_of_the_networks_it_moves() -> None:
    engine, _, _ = trained(LazyRegulariser(), 8)
    assert list(engine.optimizers) == ["generator", "discriminator"]
    steps = [int(state["step"]) for state in engine.optimizers["discriminator"].state.values()]
    assert max(steps) == 8 + 2


def test_a_frozen_network_stays_in_evaluation_mode() -> None:
    engine, before, _ = trained(Perceptual(), 3)
    features = engine.nets.features
    assert not features.training
    assert all(torch.equal(value, before[f"features.{name}"]) for name, value in features.state_dict().items())
    engine.sample(InMemoryLoader(toy_data(engine.gan).streams, BATCH)[0])
    assert not features.training
    assert engine.nets.generator.training


def test_clipping_holds_after_every_move() -> None:
    engine, _, _ = trained(Clipped(), 3)
    assert max(weight.abs().max().item() for weight in engine.nets.discriminator.parameters()) <= 0.01


def test_a_pool_gives_back_what_it_was_given() -> None:
    engine, _, _ = trained(TwoGenerators(), 6)
    pool = engine.nets.target_pool
    assert isinstance(pool, ReplayPool)
    assert pool.images.abs().sum(dim=(1, 2, 3)).gt(0).all()


def test_critic_steps_come_before_the_generators() -> None:
    engine, before, _ = trained(GradientPenalty(), 4)
    assert torch.equal(engine.nets.state_dict()["generator.layers.0.weight"], before["generator.layers.0.weight"])
    engine, before, _ = trained(GradientPenalty(), 5)
    assert not torch.equal(engine.nets.state_dict()["generator.layers.0.weight"], before["generator.layers.0.weight"])


def test_an_unconditional_player_can_have_its_own_optimizer_for_shared_networks() -> None:
    class Apart(LazyRegulariser):
        """Says that its regulariser has an optimizer of its own."""

        def players(self) -> Sequence[Player]:
            *others, lazy = super().players()
            return *others, Player("r1", lazy.loss, trains=lazy.trains, every=lazy.every, optimizer=Adam(lr=1e-3))

    engine, _, _ = trained(Apart(), 4)
    assert list(engine.optimizers) == ["generator", "discriminator", "r1"]


def test_the_loss_is_a_choice_of_the_family() -> None:
    assert ToyAdversarial.model_validate({"loss": "hinge"}).loss.kind == "hinge"
    assert ToyAdversarial().loss == CrossEntropy()
