"""Batches of data in memory: which rows come when, what stays together, and that a seed decides it."""

import pytest
import torch
from torch import Tensor

from ganzoo.base.rng import seeded
from ganzoo.contract.batch import Batch
from ganzoo.data.in_memory import BLOCK, InMemoryLoader, fixed_latents, to_float


def numbered(count: int, name: str = "row") -> dict[str, Tensor]:
    return {name: torch.arange(count)}


def same(one: Batch, other: Batch) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_batch_depends_on_nothing_but_seed_and_iteration() -> None:
    streams = [numbered(50), numbered(7, "other")]
    forward, backward = InMemoryLoader(streams, 8, (3,), seed=5), InMemoryLoader(streams, 8, (3,), seed=5)
    ahead = [forward[i] for i in range(40)]
    behind = [backward[i] for i in reversed(range(40))][::-1]
    assert all(same(one, other) for one, other in zip(ahead, behind, strict=True))
    assert same(InMemoryLoader(streams, 8, (3,), seed=5)[33], ahead[33])


@pytest.mark.parametrize(("rows", "size"), [(10, 5), (10, 4), (7, 3), (3, 8), (1, 4), (13, 13)])
def test_every_row_is_seen_equally_often_and_none_is_dropped(rows: int, size: int) -> None:
    batches = InMemoryLoader([numbered(rows)], size)
    seen = torch.cat([batches[i].row for i in range(4 * rows)])
    for turn in torch.split(seen, rows):
        assert turn.sort().values.tolist() == list(range(rows))
    assert set(torch.bincount(seen).tolist()) == {4 * size}


def test_each_turn_has_another_order() -> None:
    batches = InMemoryLoader([numbered(100)], 100)
    orders = {tuple(batches[i].row.tolist()) for i in range(5)}
    assert len(orders) == 5
    assert tuple(range(100)) not in orders


def test_seeds_differ() -> None:
    one, other = InMemoryLoader([numbered(100)], 50, (4,), seed=1), InMemoryLoader([numbered(100)], 50, (4,), seed=2)
    assert not torch.equal(one[0].row, other[0].row)
    assert not torch.equal(one[0].noise, other[0].noise)


def test_columns_of_a_stream_stay_together_and_streams_do_not() -> None:
    together = {"a": torch.arange(100), "b": torch.arange(100) * 2}
    batch = InMemoryLoader([together, numbered(100, "c"), numbered(30, "d")], 20)[3]
    assert torch.equal(batch.a * 2, batch.b)
    assert not torch.equal(batch.a, batch.c)
    assert batch.d.max() < 30


def test_an_epoch_is_the_longest_stream_once() -> None:
    assert InMemoryLoader([numbered(10), numbered(100, "other")], 8).per_epoch == 12
    assert InMemoryLoader([numbered(3)], 8).per_epoch == 1


def test_noise_and_step() -> None:
    batches = InMemoryLoader([numbered(10)], 6, (2, 3))
    assert batches[4].noise.shape == (6, 2, 3)
    assert batches[4].noise.dtype == torch.float32
    assert not torch.equal(batches[4].noise, batches[5].noise)
    assert batches[4].step.item() == 4
    assert (batches[4].step.dtype, batches[4].step.dim()) == (torch.int64, 0)
    assert "noise" not in InMemoryLoader([numbered(10)], 6)[0]
    many = torch.cat([InMemoryLoader([numbered(10)], 100, (10,))[i].noise for i in range(20)])
    assert abs(many.mean()) < 0.02
    assert abs(many.std() - 1) < 0.02


def test_torchs_own_generator_is_neither_used_nor_moved() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    batch = InMemoryLoader([numbered(10)], 6, (2,))[0]
    fixed_latents(3, (2,), 0)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert same(batch, InMemoryLoader([numbered(10)], 6, (2,))[0])


def test_images_are_normalised_and_all_else_stays() -> None:
    ramp = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)
    images = to_float(ramp)
    assert images.dtype == torch.float32
    assert torch.equal(images, ramp.float() / 127.5 - 1)
    assert (images.min().item(), images.max().item()) == (-1, 1)
    assert ramp.dtype == torch.uint8
    for other in (torch.arange(4), torch.ones(4, 5, dtype=torch.uint8), torch.zeros(4, 2)):
        assert to_float(other) is other


def test_batches_pick_the_rows_of_images() -> None:
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1).expand(-1, 3, 2, 2).contiguous()
    batch = InMemoryLoader([{"image": images, "row": torch.arange(10)}], 4)[1]
    assert torch.equal(((batch.image[:, 0, 0, 0] + 1) * 127.5).round().long(), batch.row)


@pytest.mark.parametrize("shape", [(5,), (2, 3), (64,)])
def test_a_latent_row_is_the_same_whatever_the_count(shape: tuple[int, ...]) -> None:
    most = fixed_latents(3 * BLOCK + 5, shape, seed=3)
    assert most.shape == (3 * BLOCK + 5, *shape)
    for count in (0, 1, 2, 15, 16, 17, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3):
        assert torch.equal(fixed_latents(count, shape, seed=3), most[:count])
    assert len({tuple(row.flatten().tolist()) for row in most}) == len(most)
    assert not torch.equal(fixed_latents(4, shape, seed=4), most[:4])


def test_seeds_are_the_same_on_every_machine() -> None:
    assert seeded(0, "noise", 1).initial_seed() == 1975832920945326368
    assert seeded(0, 11).initial_seed() != seeded(0, 1, 1).initial_seed()
