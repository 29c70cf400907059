"""The moving average: what it follows, what it makes of BatchNorm, where it is used."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

import ganzoo
from ganzoo import Networks, PerformanceOptions
from ganzoo.data.example import example_batch, example_spec
from ganzoo.engine.cuda_graphs import WARM_UP, CUDAGraphCache
from ganzoo.engine.ema import EMA, RAMP
from ganzoo.engine.engine import Engine
from ganzoo.options.optimization import OptimizationOptions
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.testing.cpu_recorder import CPURecorder
from ganzoo.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("toy")

SPEC = example_spec(frozenset({"image"}), (1, 16, 16))


def engine(half_life: int | None, speed: PerformanceOptions | None = None) -> Engine:
    torch.manual_seed(0)
    gan = zoo().gan("dcgan")()
    return Engine(
        gan,
        gan.build(SPEC),
        speed=speed or PerformanceOptions.plain(),
        learning=OptimizationOptions(ema_images=half_life),
    )


def train(engine: Engine, iterations: int) -> None:
    torch.manual_seed(1)
    for iteration in range(iterations):
        engine.step(example_batch(SPEC, engine.gan.noise_shape(), rows=8).replace(step=torch.tensor(iteration)))


class Line(ganzoo.Generator):
    """One weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self) -> torch.Tensor:
        return self.weight


def kept(average: EMA) -> float:
    return next(average.own.parameters()).item()


def test_all_weights_at_once_move_as_each_by_itself() -> None:
    torch.manual_seed(0)
    nets = Networks(
        generator=nn.Sequential(nn.Conv2d(8, 16, 3), nn.Linear(33, 5)).to(memory_format=torch.channels_last)
    )
    average = EMA(nets, nets.parameters(), half_life=100)
    expected = [weight.clone() for weight in average.own.parameters()]
    for iteration in (0, 3, 50, 1000):
        for weight in nets.parameters():
            weight.data.normal_()
        average.update(torch.tensor(iteration), 16)
        half_life = (RAMP * torch.tensor(iteration * 16.0)).clamp(min=1e-3, max=100)
        for mine, theirs in zip(expected, nets.parameters(), strict=True):
            mine.lerp_(theirs.detach(), 1 - 0.5 ** (16 / half_life))
    for mine, weight in zip(expected, average.own.parameters(), strict=True):
        assert torch.equal(mine, weight)


def test_it_is_the_exponential_average_with_that_half_life() -> None:
    line = Line()
    average = EMA(Networks(generator=line), line.parameters(), half_life=100)
    line.weight.data.fill_(1.0)
    for iteration in range(1000, 1010):  # long after the ramp: 10 iterations of 10 images are one half-life
        average.update(torch.tensor(iteration), 10)
    assert kept(average) == pytest.approx(0.5, abs=1e-4)


def test_at_first_it_is_a_copy_and_early_weights_are_soon_forgotten() -> None:
    line = Line()
    average = EMA(Networks(generator=line), line.parameters(), half_life=10**6)
    line.weight.data.fill_(3.0)
    average.update(torch.tensor(0), 10)
    assert kept(average) == 3.0
    line.weight.data.fill_(0.0)
    average.update(torch.tensor(100), 10)
    share = 0.5 ** (10 / (RAMP * 1000))
    assert kept(average) == pytest.approx(3.0 * share, rel=1e-5)


def test_only_what_makes_images_is_averaged() -> None:
    average = engine(100).average
    assert average is not None
    assert list(average.own) == ["generator"]
    assert list(average.nets) == ["generator", "discriminator"]


def test_training_is_the_same_with_and_without_it() -> None:
    engines = [engine(100), engine(None)]
    for each in engines:
        train(each, 5)
    for (name, one), other in zip(
        engines[0].nets.state_dict().items(), engines[1].nets.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name


def test_the_statistics_of_batchnorm_are_those_of_its_own_weights() -> None:
    each = engine(10_000)
    train(each, 30)
    assert each.average is not None
    each.recalibrate_batchnorm(example_batch(SPEC, each.gan.noise_shape(), rows=64))
    own = each.average.own.generator
    estimated = {name: value.clone() for name, value in own.named_buffers() if "running" in name}
    with torch.no_grad():  # what its own layers see, all in one large batch
        for layer in own.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()
                layer.momentum = None
                layer.train()
        own(torch.randn(2000, 64))
    live = dict(each.nets.generator.named_buffers())
    for name, value in own.named_buffers():
        if "running_mean" in name:
            error, gap = (estimated[name] - value).norm(), (live[name] - value).norm()
            assert error < gap, name
            assert error < 0.1 * value.norm() + 0.05, name


def test_samples_come_from_it_and_training_misses_nothing() -> None:
    averaged, plain = engine(10_000), engine(None)
    inputs = example_batch(SPEC, averaged.gan.noise_shape())
    for each in (averaged, plain):
        train(each, 3)
    assert not torch.equal(averaged.sample(inputs), plain.sample(inputs))
    assert torch.equal(averaged.sample(inputs), averaged.sample(inputs))
    for each in (averaged, plain):
        train(each, 2)
    assert averaged.nets.training
    for one, other in zip(averaged.nets.parameters(), plain.nets.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_recorded_iteration_moves_it_too() -> None:
    speed, results = PerformanceOptions(device="cpu", precision="fp32", keep_memory=False), []
    for recorder in (None, CPURecorder()):
        each = engine(500, speed)
        each.graphs = CUDAGraphCache(recorder, each.device, each.state) if recorder else None
        train(each, WARM_UP + 4)
        assert not (each.graphs and each.graphs.refusal)
        assert each.average is not None
        results.append(each.average.state())
    for name, value in results[0].items():
        torch.testing.assert_close(results[1][name], value, msg=name)


def test_it_is_in_the_checkpoint_and_in_what_is_loaded(tmp_path: Path) -> None:
    options: dict[str, Any] = {"image_size": 16, "limit": 64, "batch_size": 16, "precision": "fp32", "ema_images": 200}
    run = ganzoo.run("toy", out=tmp_path / "run", epochs=3, **options)
    checkpoint = max((tmp_path / "run" / "checkpoints").iterdir())
    assert (checkpoint / "average.safetensors").is_file()
    live = ganzoo.run("toy", out=tmp_path / "live", epochs=3, **{**options, "ema_images": None})
    weights = [dict(each.nets.generator.named_parameters()) for each in (run, live)]
    assert any(not torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert json.loads((tmp_path / "run" / "config.json").read_text())["ema_images"] == 200
    kept = safetensors.torch.load_file(checkpoint / "average.safetensors")
    loaded = run.nets.state_dict()
    assert {name.partition(".")[0] for name in kept} == {"generator"}
    assert all(torch.equal(loaded[name], value) for name, value in kept.items())


def test_zero_images_switch_a_recipes_average_off() -> None:
    gan = zoo().gan("dcgan")
    assert resolve(gan, {}).ema_images
    options = resolve(gan, {"ema_images": 0})
    assert options.ema_images == 0
    assert Trainer.setup(resolve(gan, {"ema_images": 0, "limit": 32, "image_size": 16})).engine.average is None
