"""The engine under every switch of speed and precision: what changes no number, and what stays near."""

import copy
from typing import Any, NamedTuple

import pytest
import torch
from engines import SPEC, batches, dcgan, engine_after
from torch import Tensor, nn

from ganzoo import Engine, Networks, PerformanceOptions


@pytest.mark.parametrize("switches", [["fused"], ["channels_last"], ["fused", "channels_last"]])
def test_a_speed_switch_does_not_change_the_numbers(switches: list[str]) -> None:
    # In float64, where another order of additions cannot look like another result; fakes and scores, not weights, for
    # a bias before BatchNorm changes nothing and its gradient is rounding alone.
    results = []
    for speed in (
        PerformanceOptions.plain(),
        PerformanceOptions.plain().model_copy(update=dict.fromkeys(switches, True)),
    ):
        engine = engine_after(4, speed, dtype=torch.float64)
        with engine.evaluating():
            fake = engine.nets.generator(batches()[9].noise.double())
            results.append((fake, engine.nets.discriminator(fake)))
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=1e-9)


def test_a_gradient_in_another_memory_order_moves_the_right_weights() -> None:
    moved = []
    for speed in (PerformanceOptions.plain(), PerformanceOptions(device="cpu", precision="fp32")):
        engine = engine_after(1, speed, dtype=torch.float64)
        weights = engine.weights["generator"]
        gradients = [torch.arange(1.0, weight.numel() + 1).view(weight.shape).sin().double() for weight in weights]
        engine.move(engine.players[0], gradients)
        moved.append(engine.nets.state_dict()["generator.convs.0.weight"])
    torch.testing.assert_close(*moved, rtol=0, atol=1e-9)


def test_bf16_stays_near_float32_and_gives_float32() -> None:
    speed = PerformanceOptions(device="cpu", precision="bf16")
    engine = engine_after(1, speed)
    sample = engine.sample(batches()[0])
    assert sample.dtype == torch.float32
    assert engine.nets.discriminator(sample).dtype == torch.float32
    reference = engine_after(1, PerformanceOptions.plain()).sample(batches()[0])
    assert 0 < (sample - reference).abs().mean() < 0.02


class Outputs(NamedTuple):
    """What a discriminator with two answers may give."""

    logits: Tensor
    classes: Tensor


def test_bf16_leaves_every_kind_of_output_as_it_was_but_float32() -> None:
    class Two(nn.Linear):
        """Gives a named tuple, in a list, in a dictionary."""

        def forward(self, input: Tensor) -> Any:  # noqa: A002 - torch's name for it
            answer = super().forward(input)
            return {"answers": [Outputs(answer, answer.argmax(1))]}

    nets = Networks(two=Two(4, 3))
    PerformanceOptions(device="cpu", precision="bf16").apply(nets, torch.device("cpu"))
    outputs = nets.two(torch.ones(2, 4))["answers"][0]
    assert isinstance(outputs, Outputs)
    assert outputs.logits.dtype == torch.float32
    assert outputs.classes.dtype == torch.int64


def test_a_copy_of_a_bf16_network_computes_with_its_own_weights() -> None:
    engine = engine_after(1, PerformanceOptions(device="cpu", precision="bf16"))
    copied = copy.deepcopy(engine.nets)
    for weight in copied.generator.parameters():
        nn.init.zeros_(weight)
    assert copied.generator(batches()[0].noise).abs().max() == 0
    assert engine.nets.generator(batches()[0].noise).abs().max() > 0


def test_bf16_leaves_alone_what_has_no_weights() -> None:
    nets = Networks(flat=nn.Flatten(), two=nn.Linear(4, 3))
    PerformanceOptions(device="cpu", precision="bf16").apply(nets, torch.device("cpu"))
    assert nets.two(nets.flat(torch.ones(2, 2, 2))).shape == (2, 3)


def test_networks_of_a_bf16_engine_compute_in_float32_for_the_next_one_that_says_so() -> None:
    first = engine_after(1, PerformanceOptions(device="cpu", precision="bf16"))
    plain = dcgan().networks(SPEC)
    plain.load_state_dict(first.nets.state_dict())
    noise = batches()[0].noise
    second = Engine(first.gan, first.nets, speed=PerformanceOptions.plain())
    reference = Engine(first.gan, plain, speed=PerformanceOptions.plain())
    with second.evaluating(), reference.evaluating():
        torch.testing.assert_close(second.nets.generator(noise), reference.nets.generator(noise), rtol=0, atol=1e-5)
