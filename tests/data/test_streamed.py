"""Batches of a stream: their order, and where they go on."""

import json
import logging
import multiprocessing
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from streams import Numbers, drawn, rows, started_since

from ganzoo.data.in_memory import InMemoryLoader
from ganzoo.data.stream_loader import StreamLoader

WORKERS = pytest.mark.parametrize("workers", [0, 1, 2])


def through_json(state: Mapping[str, Sequence[int]]) -> Mapping[str, Sequence[int]]:
    """The state as a checkpoint would give it back."""
    again: Mapping[str, Sequence[int]] = json.loads(json.dumps(state))
    return again


@pytest.mark.parametrize("count", [1, 2])
@WORKERS
def test_ranks_and_workers_see_every_row_of_a_pass_once(workers: int, count: int) -> None:
    distributed = [StreamLoader(Numbers(), 4, seed=3, workers=workers, rank=rank, count=count) for rank in range(count)]
    assert distributed[0].per_epoch == 6
    seen = [row for batches in distributed for batch in drawn(batches, range(18)) for row in batch]
    assert sorted(seen) == [(turn, row) for turn in range(3) for row in range(24)]


@pytest.mark.parametrize(("rank", "count"), [(0, 1), (1, 2)])
@WORKERS
def test_after_any_iteration_the_same_follows_as_without_a_stop(workers: int, rank: int, count: int) -> None:
    def fresh() -> StreamLoader:  # 20 rows: passes end within batches
        return StreamLoader(Numbers(20), 6, (2,), seed=5, workers=workers, rank=rank, count=count)

    whole, states, batches = [], [], fresh()
    for iteration in range(13):
        states.append(through_json(batches.state()))
        whole.append(batches.draw(iteration))
    for stop in (0, 1, 2, 5, 8):
        batches = fresh()
        batches.load_state(states[stop])
        for iteration in range(stop, stop + 4):
            again = batches.draw(iteration)
            assert again.keys() == whole[iteration].keys() == {"row", "turn", "image", "noise", "step"}
            assert all(torch.equal(again[name], whole[iteration][name]) for name in again)
        assert through_json(batches.state()) == states[stop + 4]


@WORKERS
def test_going_back_within_a_run(workers: int) -> None:
    batches = StreamLoader(Numbers(), 4, workers=workers)
    begun = drawn(batches, range(3))
    state = batches.state()
    ahead = drawn(batches, range(3, 9))
    batches.load_state(state)
    assert drawn(batches, range(3, 9)) == ahead
    assert drawn(batches, range(3)) == begun, "iteration 0 is the beginning"
    batches.load_state({})
    assert drawn(batches, range(3)) == begun


def test_closed_batches_go_on_after_the_last_that_was_drawn() -> None:
    whole = drawn(StreamLoader(Numbers(), 4, workers=2), range(6))
    before, batches = multiprocessing.active_children(), StreamLoader(Numbers(), 4, workers=2)
    assert drawn(batches, range(3)) == whole[:3]
    batches.close()
    assert started_since(before) == []
    assert drawn(batches, range(3, 6)) == whole[3:]


@pytest.mark.parametrize(("workers", "rank", "count"), [(1, 0, 1), (3, 0, 1), (2, 0, 2), (2, 1, 2)])
def test_other_numbers_begin_the_pass_anew_and_say_so(
    workers: int, rank: int, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = StreamLoader(Numbers(), 4, workers=2)
    drawn(before, range(15))  # of passes of 6: in the middle of the third
    batches = StreamLoader(Numbers(), 4, workers=workers, rank=rank, count=count)
    batches.load_state(before.state())
    assert "from the beginning of pass 2" in caplog.text
    assert f"{count} processes of {workers} workers" in caplog.text
    batch = batches.draw(15)
    assert set(batch.turn.tolist()) == {2}
    assert (len(batch.row), batch.step.item()) == (4 // count, 15)


def test_an_iteration_out_of_turn_begins_its_pass_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    batches = StreamLoader(Numbers(), 4)
    first = drawn(batches, [0])
    assert drawn(batches, [0]) == first
    assert caplog.records == []
    assert {turn for turn, _ in rows(batches.draw(13))} == {2}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert batches.iteration == 14


def test_noise_is_that_of_batches_in_memory_shared_among_ranks() -> None:
    whole = InMemoryLoader([{"row": torch.arange(9)}], 6, (3, 2), seed=4)
    distributed = [StreamLoader(Numbers(), 6, (3, 2), seed=4, rank=rank, count=2) for rank in range(2)]
    for iteration in range(3):
        parts = [batches.draw(iteration).noise for batches in distributed]
        assert torch.equal(torch.cat(parts), whole.draw(iteration).noise)


def test_batches_in_memory_have_nothing_to_remember() -> None:
    batches = InMemoryLoader([{"row": torch.arange(9)}], 6, (3, 2), seed=4)
    first = batches.draw(0)
    batches.draw(1)
    assert batches.state() == {}
    batches.load_state({})
    assert torch.equal(batches.draw(0).noise, first.noise)


def test_images_are_scaled_and_all_else_stays() -> None:
    batch = StreamLoader(Numbers(), 4)[0]
    assert batch.image.dtype == torch.float32
    assert torch.equal(((batch.image[:, 0, 0, 0] + 1) * 127.5).round().long(), batch.row)


@WORKERS
def test_torchs_own_generator_is_neither_used_nor_moved(workers: int) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = drawn(StreamLoader(Numbers(), 4, (2,), workers=workers), range(2))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert drawn(StreamLoader(Numbers(), 4, (2,), workers=workers), range(2)) == first


BAD: dict[str, list[Any]] = {
    "turn": [[2], [-1], [0.0], [], [0, 0], [True], 1],
    "iteration": [[-1], [1.5], [], [[1]], 3],
    "share": [[0, 1], [0, 1, -2], [0.0, 1.0, 2.0], 2],
    "reader 0": [[-1], [0.5, 1], [[0], [1]], 0],
    "reader 1": [["a"], None],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_what_is_no_state_is_refused_when_it_is_loaded(name: str, value: Any) -> None:
    batches = StreamLoader(Numbers(), 4, workers=2)
    state = dict(batches.state())
    batches.load_state(state)
    for bad in (state | {name: value}, {other: state[other] for other in state if other != name}):
        with pytest.raises(ValueError, match=rf"'{name}' of the data is|it is the turn of reader 2, of 2"):
            batches.load_state(bad)
