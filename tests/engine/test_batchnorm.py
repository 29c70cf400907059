"""BatchNorm over two processes against torch's own on the whole batch: values, gradients, gradients of gradients."""

import copy
from typing import Any

import pytest
import torch
from shared import Together
from torch import Tensor, nn

from ganzoo.distributed.batchnorm import synchronise
from ganzoo.distributed.context import DistributedContext

CPU = torch.device("cpu")
KINDS = {"1d": (nn.BatchNorm1d, (8, 3)), "2d": (nn.BatchNorm2d, (8, 3, 2, 4)), "3d": (nn.BatchNorm3d, (8, 3, 2, 2, 2))}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"momentum": None},
    {"affine": False, "momentum": 0.3},
    {"track_running_stats": False},
]


def drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def worked_out(kind: str, options: dict[str, Any], split: int) -> dict[str, Any]:
    """What two batches in turn give; of two processes, the first has the rows up to `split`, the second the others."""
    distributed = DistributedContext.join(CPU)
    make, shape = KINDS[kind]
    layer = make(3, **options).double()
    for number, weight in enumerate(layer.parameters()):
        weight.data = drawn((3,), 100 + number)
    if distributed.world_size > 1:
        synchronise(layer, distributed)
    rows = (
        slice(None)
        if distributed.world_size == 1
        else slice(split)
        if distributed.is_main_process
        else slice(split, None)
    )
    found: dict[str, Any] = {}
    for step in range(2):
        batch = (drawn(shape, step) * 2 + 1)[rows].clone().requires_grad_()
        output = layer(batch)
        loss = (output * drawn(shape, 50 + step)[rows]).pow(3).sum()
        (slope,) = torch.autograd.grad(loss, batch, create_graph=True)
        weights = list(layer.parameters())
        twice = torch.autograd.grad(slope.square().sum() + loss, [batch, *weights])
        found[f"rows {step}"] = [value.detach().flatten(1).tolist() for value in (output, slope, twice[0])]
        found[f"weights {step}"] = [distributed.total(value).tolist() for value in twice[1:]]
    found["buffers"] = [buffer.tolist() for buffer in layer.buffers()]
    found["names"] = list(layer.state_dict())
    layer.eval()
    found["evaluating"] = layer(drawn(shape, 9)).flatten().tolist()
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_two_halves_are_the_whole_of_torchs_own(kind: str, options: dict[str, Any], together: Together) -> None:
    expected, halves = worked_out(kind, options, 4), together(worked_out, kind, options, 4)
    check(expected, halves)


def test_shares_may_differ_in_size(together: Together) -> None:
    check(worked_out("2d", {}, 3), together(worked_out, "2d", {}, 3))


def check(expected: dict[str, Any], halves: list[dict[str, Any]]) -> None:
    for step in range(2):
        for number, whole in enumerate(expected[f"rows {step}"]):
            rows = [row for half in halves for row in half[f"rows {step}"][number]]
            torch.testing.assert_close(torch.tensor(rows), torch.tensor(whole), rtol=1e-6, atol=1e-6)
    for half in halves:
        assert half["names"] == expected["names"]
        for name in ("weights 0", "weights 1", "buffers", "evaluating"):
            for mine, theirs in zip(half[name], expected[name], strict=True):
                assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-6)


def far_from_zero() -> tuple[list[float], float, list[float], str]:
    """Values whose mean is ten thousand times as large as their spread, in float32; and a half-precision batch."""
    distributed = DistributedContext.join(CPU)
    layer = nn.BatchNorm1d(2)
    synchronise(layer, distributed)
    values = drawn((64, 2), 1)[distributed.rank * 32 :][:32]
    spread = layer((10_000 + values).float()).std(0).tolist()
    with torch.autocast("cpu", torch.bfloat16):
        output = layer(values.bfloat16())
    copied = copy.deepcopy(layer)
    copied.weight.data.fill_(0.0)
    return spread, copied(values.float()).abs().max().item(), layer(values.float())[0].tolist(), str(output.dtype)


def test_variances_do_not_cancel_and_types_and_copies_are_kept(together: Together) -> None:
    for spread, of_copy, of_layer, dtype in together(far_from_zero):
        assert all(0.6 < value < 1.6 for value in spread)
        assert of_copy == 0.0  # a copy normalises by its own weights, and leaves the layer's alone
        assert any(of_layer)
        assert dtype == "torch.bfloat16"


def one_row_each() -> list[float]:
    layer = nn.BatchNorm1d(2)
    synchronise(layer, distributed := DistributedContext.join(CPU))
    return layer(torch.full((1, 2), float(distributed.rank)))[0].tolist()


def test_one_row_in_each_process_is_enough(together: Together) -> None:
    first, second = together(one_row_each)
    assert first == pytest.approx([-1.0, -1.0], abs=1e-4)
    assert second == pytest.approx([1.0, 1.0], abs=1e-4)


def compiled_or_not(compiled: bool) -> list[float]:
    torch.manual_seed(0)
    layers = nn.Sequential(first := nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Tanh())
    synchronise(layers, distributed := DistributedContext.join(CPU))
    if compiled:
        layers.compile(backend="eager", dynamic=False)
    values = drawn((8, 2), 3).float()[distributed.rank * 4 :][:4]
    loss = layers(values).square().sum()
    return [loss.item(), *torch.autograd.grad(loss, first.weight)[0].flatten().tolist()]


def test_networks_around_it_may_be_compiled(together: Together) -> None:
    compiled, written = together(compiled_or_not, True), together(compiled_or_not, False)
    for mine, theirs in zip(compiled, written, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-6)


def test_one_value_in_all_is_refused_in_torchs_words() -> None:
    layer = nn.BatchNorm1d(2)
    synchronise(layer, DistributedContext.alone())
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        layer(torch.zeros(1, 2))


class Scaled(nn.BatchNorm1d):
    """Gives twice what it inherits."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        return 2 * super().forward(input)


class Renamed(nn.BatchNorm1d):
    """Adds nothing to what it inherits."""


def test_a_forward_of_ones_own_is_kept_and_named(caplog: pytest.LogCaptureFixture) -> None:
    values = drawn((8, 2), 5).float()
    expected = 2 * nn.BatchNorm1d(2)(values)
    synchronise(nets := nn.ModuleList([Scaled(2), Scaled(2), Renamed(2)]), DistributedContext.alone())
    assert torch.equal(nets[0](values), expected)
    assert [("forward" in vars(layer)) for layer in nets] == [False, False, True]
    said = ["Scaled has a forward of its own: each process keeps its own statistics there"]
    assert [record.getMessage() for record in caplog.records] == said
