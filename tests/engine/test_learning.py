"""Schedules of learning rates, and gradients held short."""

from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo import PerformanceOptions
from ganzoo.contract.callback import Callback
from ganzoo.data.example import example_batch, example_spec
from ganzoo.engine.cuda_graphs import WARM_UP, CUDAGraphCache
from ganzoo.engine.engine import Engine
from ganzoo.options.optimization import OptimizationOptions
from ganzoo.plugins import zoo
from ganzoo.testing.cpu_recorder import CPURecorder
from ganzoo.training.trainer import Trainer

SPEC = example_spec(frozenset({"image"}), (1, 16, 16))


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("linear", [1, 1, 1, 0.5, 0]),
        ("cosine", [1, 0.8536, 0.5, 0.1464, 0]),
        ("step", [1, 1, 0.1, 0.1, 0.1]),
    ],
)
def test_a_schedule_says_what_learning_rates_are_multiplied_by(schedule: str, factors: list[float]) -> None:
    learning = OptimizationOptions.model_validate({"lr_schedule": schedule})
    found = [learning.lr_factor(done) for done in (0, 0.25, 0.5, 0.75, 1)]
    assert found == pytest.approx(factors, abs=1e-4)
    assert learning.lr_factor(1.5) == learning.lr_factor(1)


def test_a_run_follows_its_schedule_to_the_end(tmp_path: Path) -> None:
    rates: list[float] = []

    class Look(Callback):
        def on_step_end(self, trainer: Trainer) -> None:
            optimizer = trainer.engine.optimizers["discriminator"]
            rates.append(optimizer.param_groups[0]["lr"])

    ganzoo.run(
        "dcgan",
        out=tmp_path / "run",
        callback=Look(),
        image_size=16,
        limit=32,
        batch_size=8,
        epochs=2,
        lr_schedule="linear",
        player={"discriminator.lr": "0.4"},
    )
    assert rates == pytest.approx([0.4, 0.4, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1])


def trained(learning: OptimizationOptions, *, recorded: bool = False, iterations: int = WARM_UP + 5) -> Engine:
    torch.manual_seed(0)
    gan = zoo().gan("dcgan")()
    speed = PerformanceOptions(device="cpu", precision="fp32", keep_memory=False)
    engine = Engine(gan, gan.build(SPEC), speed=speed, learning=learning, iterations=iterations)
    for optimizer in engine.optimizers.values():  # as they are where iterations are recorded
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"])
    engine.graphs = CUDAGraphCache(CPURecorder(), engine.device, engine.state) if recorded else None
    for iteration in range(iterations):
        engine.step(example_batch(SPEC, gan.noise_shape(), rows=8).replace(step=torch.tensor(iteration)))
    assert not (engine.graphs and engine.graphs.refusal)
    return engine


def test_recorded_iterations_follow_it_too() -> None:
    learning = OptimizationOptions(lr_schedule="cosine", clip_gradient=0.1)
    engines = [trained(learning, recorded=recorded) for recorded in (False, True)]
    other = trained(OptimizationOptions(clip_gradient=0.1))
    states = [engine.nets.state_dict() for engine in (*engines, other)]
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, msg=name)
    assert any(not torch.allclose(states[2][name], value) for name, value in states[0].items())


def test_gradients_longer_than_the_limit_are_shortened_to_it_and_no_others() -> None:
    engine = trained(OptimizationOptions(clip_gradient=1.0), iterations=1)
    weights = engine.weights["discriminator"]
    seen: list[float] = []

    def look(*_: object) -> None:
        seen.append(torch.stack([weight.grad.norm() for weight in weights if weight.grad is not None]).norm().item())

    engine.optimizers["discriminator"].register_step_pre_hook(look)
    for size in (100.0, 1e-3):
        engine.optimizers.step("discriminator", [torch.full_like(weight, size) for weight in weights])
    count = sum(weight.numel() for weight in weights)
    assert seen == pytest.approx([1.0, 1e-3 * count**0.5], rel=1e-3)


def test_each_player_can_have_a_learning_rate_of_its_own() -> None:
    gan = zoo().gan("dcgan")
    from ganzoo.options.run import resolve

    players = resolve(gan, {"player": {"discriminator.lr": "4e-4", "generator.lr": "1e-4"}}).players()
    rates = {player.name: player.optimizer.lr for player in players if isinstance(player.optimizer, ganzoo.Optimizer)}
    assert rates == {"generator": 1e-4, "discriminator": 4e-4}
