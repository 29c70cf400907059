"""Two real processes against one: what they tell each other, and that they train as one would with the whole batch."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from shared import Together
from torch import nn

import ganzoo
from ganzoo import Batch, DataSpec, Engine, Losses, Networks, PerformanceOptions, Player
from ganzoo.data.in_memory import InMemoryLoader
from ganzoo.distributed.batchnorm import synchronise
from ganzoo.distributed.context import DistributedContext, LaggedVote
from ganzoo.errors import OutOfMemory
from ganzoo.losses import gradient
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.training.dry_run import advised

CPU = torch.device("cpu")
SHAPE = (1, 4, 4)
SPEC = DataSpec(dataset="random", shapes={"image": SHAPE})


def conversation() -> dict[str, Any]:
    """All that they can say to each other."""
    distributed = DistributedContext.join(CPU)
    mine = float(distributed.rank)
    start = torch.full((2, 3), mine + 5).T  # not contiguous, as channels_last weights are not
    distributed.broadcast([start, number := torch.tensor(distributed.rank + 7)])
    gradients = [torch.full((2, 2), mine), None, torch.full((3,), 10 * mine, dtype=torch.float64)]
    vote = LaggedVote(distributed)
    return {
        "rank": distributed.rank,
        "count": distributed.world_size,
        "leads": distributed.is_main_process,
        "start": [*start.flatten().tolist(), number.item()],
        "average": [
            None if value is None else (value.dtype, value.tolist()) for value in distributed.average(gradients)
        ],
        "mean": distributed.mean(torch.tensor([mine, 3.0])).tolist(),
        "tell": [
            distributed.broadcast_object(f"from {distributed.rank}".encode()),
            distributed.broadcast_object(b"" if distributed.is_main_process else b"more"),
        ],
        "gather": [distributed.gather(b"x" * (3 * distributed.rank)), distributed.gather(b"")],
        "any": [distributed.any(False), distributed.any(distributed.rank == 1), distributed.any(True)],
        "votes": [vote.vote(15 if step == 1 and distributed.rank == 1 else 0) for step in range(4)],
        "least": distributed.least(torch.tensor([distributed.rank, 5 - distributed.rank])).tolist(),
    }


def test_processes_tell_each_other_what_each_should_know(together: Together) -> None:
    first, second = together(conversation)
    assert (first["rank"], second["rank"], first["leads"], second["leads"]) == (0, 1, True, False)
    assert first["gather"] == [[b"", b"xxx"], [b"", b""]]
    assert second["gather"] == [[], []]
    for said in (first, second):
        assert said["count"] == 2
        assert said["start"] == [5.0] * 6 + [7]
        assert said["average"] == [(torch.float32, [[0.5, 0.5]] * 2), None, (torch.float64, [5.0] * 3)]
        assert said["mean"] == [0.5, 3.0]
        assert said["tell"] == [b"from 0", b""]
        assert said["any"] == [False, True, True]
        assert said["least"] == [0, 4]
        assert said["votes"] == [0, 0, 15, 0]  # an iteration later, and in both


def beyond_gloo() -> str:
    try:
        DistributedContext.join(CPU).total(torch.zeros(2, dtype=torch.uint16))
    except RuntimeError as error:
        return str(error)
    return ""


def test_a_mistake_in_what_is_sent_is_no_lost_process(together: Together) -> None:
    for said in together(beyond_gloo):
        assert "scalar type" in said


def test_one_process_alone_hears_itself_at_once() -> None:
    distributed, gradients, values = DistributedContext.join(CPU), [torch.ones(2), None], torch.ones(3)
    assert distributed == DistributedContext.alone()
    assert distributed.average(gradients) is gradients
    assert distributed.mean(values) is values
    assert (
        distributed.broadcast_object(b"a"),
        distributed.gather(b"b"),
        distributed.any(True),
        distributed.any(False),
    ) == (b"a", [b"b"], True, False)
    assert [LaggedVote(distributed).vote(number) for number in (2, 0)] == [2, 0]
    assert distributed.least(values) is values


def asked_for(facts: dict[int, dict[str, object]]) -> str:
    distributed = DistributedContext.join(CPU)
    try:
        distributed.check_same(facts[distributed.rank])
    except ganzoo.UserError as error:
        return str(error)
    return ""


def test_processes_that_were_asked_for_different_things_are_refused(together: Together) -> None:
    first, second = together(asked_for, {0: {"epochs": 3, "lr": 0.1}, 1: {"epochs": 4, "lr": 0.1}})
    assert first == ""
    assert second.endswith("in process 1 epochs is 4, not 3")
    assert together(asked_for, {0: {"size": (1, 2)}, 1: {"size": (1, 2)}}) == ["", ""]


@pytest.mark.parametrize(("batch_size", "count", "near"), [(15, 2, 16), (9, 4, 8), (1, 2, 2), (2, 8, 8)])
def test_a_batch_that_cannot_be_divided_is_refused_with_one_that_can(batch_size: int, count: int, near: int) -> None:
    with pytest.raises(ganzoo.UserError, match=rf"among {count} processes; try --batch-size {near}$"):
        DistributedContext(world_size=count).local_batch_size(batch_size)
    assert DistributedContext(world_size=count).local_batch_size(near) == near // count


def test_shares_of_a_batch_are_disjoint_and_together_the_whole() -> None:
    streams = [{"row": torch.arange(10)}, {"other": torch.arange(7)}]
    whole = InMemoryLoader(streams, 6, (2,), seed=3)
    shares = [InMemoryLoader(streams, 6, (2,), seed=3, rank=rank, count=3) for rank in range(3)]
    assert {each.per_epoch for each in (whole, *shares)} == {1}
    for iteration in range(5):
        parts = [share[iteration] for share in shares]
        for name in ("row", "other", "noise"):
            assert torch.equal(torch.cat([part[name] for part in parts]), whole[iteration][name])
    rows = [set(share[0].row.tolist()) for share in shares]
    assert len(rows[0] | rows[1] | rows[2]) == 6


class Plain(ganzoo.Adversarial):
    """Neither BatchNorm nor dropout; every second time the critic's slope is held, in its own optimizer's state."""

    name = "plain"
    latent_dim: int = 3

    def networks(self, data: DataSpec) -> Networks:
        generator = nn.Sequential(nn.Linear(3, 8), *self.middle(8), nn.Tanh(), nn.Linear(8, 16), nn.Unflatten(1, SHAPE))
        layers = nn.Conv2d(1, 4, 3, padding=1), *self.inner(4), nn.Tanh(), nn.Flatten(), nn.Linear(64, 1)
        return Networks(generator=generator, discriminator=nn.Sequential(*layers))

    def middle(self, channels: int) -> list[nn.Module]:
        return []

    def inner(self, channels: int) -> list[nn.Module]:
        return []

    def players(self) -> Sequence[Player]:
        def slope(nets: Networks, batch: Batch) -> Losses:
            image = batch.image.detach().requires_grad_()
            slopes = gradient(nets.discriminator(image), image).flatten(1).square().sum(1)
            return {"slope": slopes.mean()}

        return *super().players(), Player("regulariser", slope, trains=("discriminator",), every=2)


class Normalised(Plain):
    """The same with BatchNorm in both networks."""

    name = "normalised"

    def middle(self, channels: int) -> list[nn.Module]:
        return [nn.BatchNorm1d(channels)]

    def inner(self, channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels)]


def trained(gan: ganzoo.GAN, sync: bool = True) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Weights, buffers and losses of six iterations with 32 images each, in float64, of however many processes."""
    distributed = DistributedContext.join(CPU)
    images = torch.randint(256, (64, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))
    batches = InMemoryLoader(
        [{"image": images}], 32, gan.noise_shape(), rank=distributed.rank, count=distributed.world_size
    )
    torch.manual_seed(distributed.rank)  # what the weights begin as is the leader's word
    engine = Engine(gan, gan.build(SPEC).double(), speed=PerformanceOptions.plain(), distributed=distributed)
    if sync and distributed.world_size > 1:
        synchronise(engine.nets, distributed)
    history = []
    for iteration in range(6):
        batch = batches[iteration]
        assert len(batch.image) == len(batch.noise) == 32 // distributed.world_size
        losses = engine.step(batch.replace(image=batch.image.double(), noise=batch.noise.double()))
        history.append({name: distributed.mean(value).item() for name, value in losses.items()})
    return {name: value.tolist() for name, value in engine.nets.state_dict().items()}, history


def close(one: dict[str, Any], other: dict[str, Any]) -> bool:
    pairs = [(torch.tensor(one[name]), torch.tensor(other[name])) for name in other]
    return one.keys() == other.keys() and all(torch.allclose(*pair, rtol=0, atol=1e-6) for pair in pairs)


@pytest.mark.parametrize("gan", [Plain(), Normalised()], ids=["without BatchNorm", "synchronised BatchNorm"])
def test_two_processes_with_sixteen_images_are_one_with_thirty_two(gan: ganzoo.GAN, together: Together) -> None:
    expected, losses = trained(gan)
    (first, theirs), (second, _) = together(trained, gan)
    assert first == second
    assert close(first, expected)
    assert [set(row) for row in theirs] == [set(row) for row in losses]
    for row, other in zip(theirs, losses, strict=True):
        assert row == pytest.approx(other, abs=1e-6)
    assert "regulariser/slope" in losses[1]
    assert "regulariser/slope" not in losses[2]


def test_without_synchronised_batchnorm_each_process_has_its_own_statistics(together: Together) -> None:
    expected, _ = trained(Normalised())
    (first, _), (second, _) = together(trained, Normalised(), False)
    assert not close(first, expected)
    weights = [name for name in first if not name.endswith(("mean", "var", "tracked"))]
    assert {name: first[name] for name in weights} == {name: second[name] for name in weights}
    assert first["generator.1.running_mean"] != second["generator.1.running_mean"]


def test_more_processes_than_there_are_is_an_error_that_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ganzoo.UserError, match="start your program with torchrun --nproc-per-node 2"):
        ganzoo.run("dcgan", processes=2, out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_what_several_processes_have_no_memory_for_is_not_tried_in_one(caplog: pytest.LogCaptureFixture) -> None:
    def attempt() -> None:
        raise OutOfMemory("there is not enough")

    options = resolve(zoo().gan("dcgan"), {"processes": 2})
    with pytest.raises(OutOfMemory, match=r"^there is not enough; try a smaller --batch-size"):
        advised(attempt, options, None)
    assert not caplog.records


def test_this_process_is_no_part_of_any_other() -> None:
    assert "RANK" not in os.environ  # or the comparisons above would compare nothing
