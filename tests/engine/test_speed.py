"""Switches: what they refuse, what they say, and what they leave as it was."""

import logging
import os
import shutil
from typing import Any

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo import Batch, DataSpec, Engine, Losses, Networks, PerformanceOptions
from ganzoo.base.system import available_cores
from ganzoo.errors import OptionError
from ganzoo.options import performance as speeds

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def _nothing_was_said_yet() -> None:
    speeds.warn_once.cache_clear()


def test_tf32_is_refused_on_the_cpu() -> None:
    with pytest.raises(OptionError, match="option 'precision' cannot be 'tf32' on the cpu"):
        PerformanceOptions(device="cpu", precision="tf32").apply(nn.Linear(2, 2), CPU)


@pytest.mark.parametrize("fast", [True, False])
def test_bf16_is_automatic_where_it_is_fast_and_said_to_be_slow_where_it_is_not(
    fast: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(speeds, "bfloat16_is_fast", lambda device: fast)
    assert PerformanceOptions(device="cpu").dtype(CPU) == (torch.bfloat16 if fast else torch.float32)
    with caplog.at_level(logging.WARNING):
        PerformanceOptions(device="cpu", precision="bf16").apply(nn.Sequential(nn.Linear(2, 2)), CPU)
    assert ["no bf16 arithmetic" in message for message in caplog.messages] == ([] if fast else [True])


def test_more_threads_than_cores_are_cut_to_them_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    before = torch.get_num_threads()
    try:
        with caplog.at_level(logging.WARNING):
            PerformanceOptions(device="cpu", threads=available_cores() + 62).set_up_process()
        assert torch.get_num_threads() == available_cores()
        assert f"{available_cores() + 62} threads were asked for" in caplog.text
        PerformanceOptions(device="cpu", threads=1).set_up_process()
        assert torch.get_num_threads() == 1
        PerformanceOptions(device="cpu").set_up_process()
        assert torch.get_num_threads() == 1, "what a program set itself is not raised"
    finally:
        torch.set_num_threads(before)


def test_deterministic_algorithms_are_on_within_and_as_before_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # so that what the run sets is undone
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    speed = PerformanceOptions(device="cpu", deterministic=True)
    speed.set_up_process()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    for before in (False, True):
        torch.use_deterministic_algorithms(before, warn_only=before)
        try:
            with speed.arithmetic(CPU):
                assert torch.are_deterministic_algorithms_enabled()
                assert not torch.is_deterministic_algorithms_warn_only_enabled()
            assert torch.are_deterministic_algorithms_enabled() is before
            assert torch.is_deterministic_algorithms_warn_only_enabled() is before
        finally:
            torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(("precision", "products"), [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "tf32")])
def test_a_gpus_arithmetic_is_as_asked_within_and_as_before_after(precision: Any, products: str) -> None:
    backends: Any = torch.backends

    def state() -> tuple[object, ...]:
        return (
            backends.cudnn.benchmark,
            backends.cudnn.conv.fp32_precision,
            backends.cuda.matmul.fp32_precision,
        )

    before = state()
    with PerformanceOptions(precision=precision).arithmetic(CUDA):
        assert state() == (True, products, products)
    assert state() == before
    with pytest.raises(ZeroDivisionError), PerformanceOptions(precision=precision).arithmetic(CUDA):
        raise ZeroDivisionError
    assert state() == before


class Compiled(ganzoo.Adversarial):
    """A gradient penalty for the discriminator, none for the generator."""

    name = "compiled"
    loss: ganzoo.Loss = ganzoo.losses.WassersteinGP()
    latent_dim: int = 4

    def networks(self, data: DataSpec) -> Networks:
        generator = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4)))
        critic = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1))
        return Networks(generator=generator, discriminator=critic)


class Paths(Compiled):
    """Its generator differentiates twice through what all players share, as a path length penalty does."""

    name = "paths"
    loss: ganzoo.Loss = ganzoo.losses.LeastSquares()

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        noise = batch.noise.detach().requires_grad_()
        return batch.replace(noise=noise, fake=nets.generator(noise))

    def generator_loss(self, nets: Networks, batch: Batch) -> Losses:
        slope = ganzoo.gradient(batch.fake.sum(), batch.noise)
        return super().generator_loss(nets, batch) | {"path": slope.square().mean()}


SPEC = DataSpec(dataset="random", shapes={"image": (1, 4, 4)})


def losses_of(gan: ganzoo.GAN, speed: PerformanceOptions) -> tuple[Engine, list[Losses], dict[str, torch.Tensor]]:
    """Three iterations with large steps, so that a wrong gradient shows in the losses after it."""
    torch.manual_seed(0)
    engine = Engine(gan, gan.build(SPEC), speed=speed)
    torch.manual_seed(1)
    batches = [Batch(image=torch.rand(8, 1, 4, 4), noise=torch.randn(8, 4), step=torch.tensor(n)) for n in range(3)]
    return engine, [engine.step(batch) for batch in batches], engine.nets.state_dict()


COMPILER = pytest.mark.skipif(not (shutil.which("c++") or shutil.which("g++")), reason="needs a C++ compiler")


@pytest.mark.slow
@COMPILER
@pytest.mark.filterwarnings("default:The .grad attribute:UserWarning")  # which torch hides by itself
@pytest.mark.parametrize(
    ("gan", "left_out"),
    [(Compiled(), {"generator": 0, "discriminator": 1}), (Paths(), {"generator": 2, "discriminator": 0})],
    ids=["penalty", "path-length"],
)
def test_compiled_networks_train_alike_and_whoever_differentiates_twice_without_them(
    gan: ganzoo.GAN, left_out: dict[str, int]
) -> None:
    gan = gan.model_copy(update={"optimizer": ganzoo.RMSprop(lr=0.05, eps=1.0)})  # which moves as far as gradients say
    plain = PerformanceOptions.plain()
    (_, expected, weights), (engine, found, moved) = (
        losses_of(gan, plain.model_copy(update={"compile": compiled})) for compiled in (False, True)
    )
    assert engine._as_written == left_out
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(moved, weights, rtol=1e-4, atol=1e-5)
    engine.sample(Batch(noise=torch.randn(2, 4), step=torch.tensor(0)))


def test_a_machine_that_cannot_compile_is_told_to_leave_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    monkeypatch.setattr("torch._inductor.config.force_disable_caches", True)
    torch.compiler.reset()
    gan = Compiled(latent_dim=4, loss=ganzoo.losses.Hinge())
    with pytest.raises(OptionError, match=r"the networks cannot be compiled here \(.*\); leave --compile out"):
        losses_of(gan, PerformanceOptions.plain().model_copy(update={"compile": True}))
