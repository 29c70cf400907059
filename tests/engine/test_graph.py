"""Recorded iterations: on the CPU by the tape, which repeats operations in the same memory as a CUDA graph does."""

import logging
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

import ganzoo
from ganzoo import Batch, DataSpec, Engine, Losses, Networks, PerformanceOptions, Player
from ganzoo.data.in_memory import InMemoryLoader
from ganzoo.engine.cuda_graphs import WARM_UP, CUDAGraphCache, Iteration, Recorder, Recording
from ganzoo.testing.cpu_recorder import CPURecorder

SHAPE = (1, 8, 8)
SPEC = DataSpec(dataset="random", shapes={"image": SHAPE})
CPU = torch.device("cpu")
FUSED = PerformanceOptions.plain().model_copy(update={"fused": True})
"""An optimizer that counts its steps on the device: another can be part of a graph on a GPU only."""


class Toy(ganzoo.Adversarial):
    """Dropout, BatchNorm and a schedule that reads the step."""

    name = "toy"
    latent_dim: int = 4
    n_critic: int = 2

    def networks(self, data: DataSpec) -> Networks:
        generator = nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64), nn.Tanh(), nn.Unflatten(1, SHAPE))
        return Networks(generator=generator, discriminator=nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 1)))

    def discriminator_loss(self, nets: Networks, batch: Batch) -> Losses:
        return super().discriminator_loss(nets, batch) | {"late": nets.discriminator(batch.image).mean() * batch.step}


def built(gan: ganzoo.GAN, recorder: Recorder | None) -> tuple[Engine, InMemoryLoader]:
    torch.manual_seed(0)
    images = torch.randint(256, (32, *SHAPE), dtype=torch.uint8)
    batches = InMemoryLoader([{"image": images}], 4, gan.noise_shape())
    engine = Engine(gan, gan.build(SPEC), speed=FUSED, collate=batches.collate)
    engine.graphs = CUDAGraphCache(recorder, CPU, engine.state) if recorder else None
    return engine, batches


def run(
    gan: ganzoo.GAN, iterations: int, recorded: bool, recorder: Recorder | None = None
) -> tuple[Engine, list[dict[str, float]]]:
    engine, batches = built(gan, recorder or CPURecorder() if recorded else None)
    rows = [engine.step(batches.draw(iteration)) for iteration in range(iterations)]
    return engine, [{name: value.item() for name, value in row.items()} for row in rows]


def test_what_is_replayed_is_what_would_have_been_computed() -> None:
    (plain, expected), (recorded, found) = run(Toy(), 14, recorded=False), run(Toy(), 14, recorded=True)
    assert found == expected
    for name, weight in plain.nets.state_dict().items():
        assert torch.equal(weight, recorded.nets.state_dict()[name]), name


def test_each_set_of_due_players_has_a_recording_of_its_own_after_its_warm_up() -> None:
    engine, _ = run(Toy(), 2 * WARM_UP + 1, recorded=True)
    assert engine.graphs is not None
    assert set(engine.graphs._recordings) == {("discriminator",)}
    engine, _ = run(Toy(), 2 * WARM_UP + 2, recorded=True)
    assert engine.graphs is not None
    assert set(engine.graphs._recordings) == {("discriminator",), ("generator", "discriminator")}


class Impatient(Toy):
    """Looks at a number in the middle of an iteration."""

    name = "impatient"

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        losses = super().generator_loss(nets, batch)
        return losses if losses["adversarial"].item() < 100 else {}


class FromPython(Toy):
    """Makes a tensor of Python numbers in the middle of an iteration."""

    name = "from-python"

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        return {"adversarial": nets.discriminator(batch.fake).mean() * torch.tensor([2.0, 3.0]).sum()}


@pytest.mark.parametrize(
    ("gan", "reason"), [(Impatient(), "_local_scalar_dense must be waited for"), (FromPython(), "torch.tensor")]
)
def test_what_cannot_be_recorded_is_made_as_usual_and_the_reason_said(
    gan: ganzoo.GAN, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (_, expected), (recorded, found) = run(gan, 14, recorded=False), run(gan, 14, recorded=True)
    assert found == expected
    assert recorded.graphs is not None
    assert reason in recorded.graphs.refusal
    assert [reason in message for message in caplog.messages] == [True]


class Refusing(CPURecorder):
    """A recorder on which recording breaks off, as a capture does that runs out of memory."""

    def record(self, iteration: Iteration) -> Recording:
        raise RuntimeError("out of memory\nin many lines")


def test_a_recording_that_breaks_off_costs_nothing_but_speed() -> None:
    (_, expected), (engine, found) = (
        run(Toy(), 10, recorded=False),
        run(Toy(), 10, recorded=True, recorder=Refusing()),
    )
    assert found == expected
    assert engine.graphs is not None
    assert engine.graphs.refusal == "out of memory"


def test_a_batch_of_another_form_is_made_as_usual() -> None:
    engine, _ = run(Toy(), 10, recorded=True)
    assert engine.graphs is not None
    before = dict(engine.graphs._recordings)
    engine.collate = None
    engine.step(Batch(image=torch.zeros(6, *SHAPE), noise=torch.randn(6, 4), step=torch.tensor(0)))
    assert engine.graphs._recordings == before
    assert not engine.graphs.refusal


def test_a_recording_is_dropped_when_the_memory_it_works_on_is() -> None:
    engine, _ = run(Toy(), 10, recorded=True)
    assert engine.graphs is not None
    engine.load_optimizer_state(engine.optimizers.state())
    assert not engine.graphs._recordings


def test_losses_given_out_are_not_overwritten_by_the_next_iteration() -> None:
    engine, batches = built(Toy(), CPURecorder())
    kept: list[Tensor] = []
    values: list[float] = []
    for iteration in range(12):
        kept.append(engine.step(batches.draw(iteration))["discriminator/adversarial"])
        values.append(kept[-1].item())
    assert [value.item() for value in kept] == values


class Counting(Toy):
    """Counts in Python, which no graph repeats."""

    name = "counting"

    def players(self) -> Sequence[Player]:
        calls = iter(range(1, 1000))

        def loss(nets: Networks, batch: Batch) -> Losses:
            return {"adversarial": nets.discriminator(batch.image).mean() * next(calls)}

        return Player("generator", self.generator_loss), Player("discriminator", loss)


def test_numbers_that_live_in_python_are_not_frozen_but_found_and_left_to_train_as_usual() -> None:
    _, expected = run(Counting(), 3 * WARM_UP, recorded=False)
    engine, found = run(Counting(), 3 * WARM_UP, recorded=True)
    assert engine.graphs is not None
    assert "lives in Python" in engine.graphs.refusal
    assert found[: WARM_UP + 1] == expected[: WARM_UP + 1]
    assert len({row["discriminator/adversarial"] for row in found}) == len(found)


def test_the_check_of_a_plugin_finds_numbers_that_live_in_python() -> None:
    with pytest.raises(AssertionError, match="cannot be a CUDA graph: they give other losses"):
        ganzoo.testing.check_gan(Counting, SHAPE)
