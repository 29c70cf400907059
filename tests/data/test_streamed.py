"""Batches of a stream, in this process and in real workers."""

import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

import ganzoo
from ganzoo.config import build
from ganzoo.data.batch import Batch
from ganzoo.data.batches import Batches, seeded
from ganzoo.data.load import DataOptions, load
from ganzoo.data.streamed import AHEAD, StreamedBatches
from ganzoo.errors import ContractError, DataError, OptionError

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and processes as Linux has them")
WORKERS = pytest.mark.parametrize("workers", [0, 1, 2])


class Numbers(ganzoo.Stream):
    """Numbered rows, each with the pass that it came in. A position is (pass, rows taken)."""

    def __init__(self, rows: int = 24, broken: int | None = None, deadly: int | None = None) -> None:
        self.rows = rows
        self.broken = broken
        self.deadly = deadly

    def __len__(self) -> int:
        return self.rows

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        turn, taken = (*position, 0, 0)[:2]
        while True:
            order = torch.randperm(self.rows, generator=seeded(seed, turn))[part::parts].tolist()
            for row in order[taken:]:
                if row == self.broken:
                    raise DataError("row 'seven' is broken")
                if row == self.deadly:
                    os.kill(os.getpid(), signal.SIGKILL)
                taken += 1
                image = torch.full((3, 2, 2), row, dtype=torch.uint8)
                yield {"row": torch.tensor(row), "turn": torch.tensor(turn), "image": image}, (turn, taken)
            turn, taken = turn + 1, 0


class Ending(Numbers):
    """Breaks the contract."""

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        return islice(super().read(seed, part, parts, position), 5)


class Streamed(ganzoo.Dataset):
    """A data set that is a stream."""

    name = "streamed"
    provides = frozenset({"image", "source", "target", "label"})
    rows: int = 40

    def load(self, request: ganzoo.Request) -> ganzoo.Stream:
        return Pairs(self.rows)


class Pairs(Numbers):
    """Sources from 0, targets from 100; no labels."""

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        for row, after in super().read(seed, part, parts, position):
            yield {"image": row["image"], "source": row["image"], "target": row["image"] + 100}, after


def rows(batch: Batch) -> list[tuple[int, int]]:
    return list(zip(batch.turn.tolist(), batch.row.tolist(), strict=True))


def drawn(batches: StreamedBatches, iterations: Sequence[int]) -> list[list[tuple[int, int]]]:
    return [rows(batches.draw(iteration)) for iteration in iterations]


def through_json(state: Mapping[str, Sequence[int]]) -> Mapping[str, Sequence[int]]:
    """The state as a checkpoint would give it back."""
    again: Mapping[str, Sequence[int]] = json.loads(json.dumps(state))
    return again


@pytest.mark.parametrize("count", [1, 2])
@WORKERS
def test_ranks_and_workers_see_every_row_of_a_pass_once(workers: int, count: int) -> None:
    ranks = [StreamedBatches(Numbers(), 4, seed=3, workers=workers, rank=rank, count=count) for rank in range(count)]
    assert ranks[0].per_epoch == 6
    seen = [row for batches in ranks for batch in drawn(batches, range(18)) for row in batch]
    assert sorted(seen) == [(turn, row) for turn in range(3) for row in range(24)]


@pytest.mark.parametrize(("rank", "count"), [(0, 1), (1, 2)])
@WORKERS
def test_after_any_iteration_the_same_follows_as_without_a_stop(workers: int, rank: int, count: int) -> None:
    def fresh() -> StreamedBatches:  # 20 rows: passes end within batches
        return StreamedBatches(Numbers(20), 6, (2,), seed=5, workers=workers, rank=rank, count=count)

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
    batches = StreamedBatches(Numbers(), 4, workers=workers)
    begun = drawn(batches, range(3))
    state = batches.state()
    ahead = drawn(batches, range(3, 9))
    batches.load_state(state)
    assert drawn(batches, range(3, 9)) == ahead
    assert drawn(batches, range(3)) == begun, "iteration 0 is the beginning"
    batches.load_state({})
    assert drawn(batches, range(3)) == begun


def test_closed_batches_go_on_after_the_last_that_was_drawn() -> None:
    whole = drawn(StreamedBatches(Numbers(), 4, workers=2), range(6))
    batches = StreamedBatches(Numbers(), 4, workers=2)
    assert drawn(batches, range(3)) == whole[:3]
    batches.close()
    assert multiprocessing.active_children() == []
    assert drawn(batches, range(3, 6)) == whole[3:]


@pytest.mark.parametrize(("workers", "rank", "count"), [(1, 0, 1), (3, 0, 1), (2, 0, 2), (2, 1, 2)])
def test_other_numbers_begin_the_pass_anew_and_say_so(
    workers: int, rank: int, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    before = StreamedBatches(Numbers(), 4, workers=2)
    drawn(before, range(15))  # of passes of 6: in the middle of the third
    batches = StreamedBatches(Numbers(), 4, workers=workers, rank=rank, count=count)
    batches.load_state(before.state())
    assert "from the beginning of pass 2" in caplog.text
    assert f"{count} processes of {workers} workers" in caplog.text
    batch = batches.draw(15)
    assert set(batch.turn.tolist()) == {2}
    assert (len(batch.row), batch.step.item()) == (4 // count, 15)


def test_an_iteration_out_of_turn_begins_its_pass_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    batches = StreamedBatches(Numbers(), 4)
    first = drawn(batches, [0])
    assert drawn(batches, [0]) == first
    assert caplog.records == []
    assert {turn for turn, _ in rows(batches.draw(13))} == {2}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert batches.iteration == 14


def test_noise_is_that_of_batches_in_memory_shared_among_ranks() -> None:
    whole = Batches([{"row": torch.arange(9)}], 6, (3, 2), seed=4)
    ranks = [StreamedBatches(Numbers(), 6, (3, 2), seed=4, rank=rank, count=2) for rank in range(2)]
    for iteration in range(3):
        parts = [batches.draw(iteration).noise for batches in ranks]
        assert torch.equal(torch.cat(parts), whole.draw(iteration).noise)


def test_batches_in_memory_have_nothing_to_remember() -> None:
    batches = Batches([{"row": torch.arange(9)}], 6, (3, 2), seed=4)
    first = batches.draw(0)
    batches.draw(1)
    assert batches.state() == {}
    batches.load_state({})
    assert torch.equal(batches.draw(0).noise, first.noise)


def test_images_are_scaled_and_all_else_stays() -> None:
    batch = StreamedBatches(Numbers(), 4)[0]
    assert batch.image.dtype == torch.float32
    assert torch.equal(((batch.image[:, 0, 0, 0] + 1) * 127.5).round().long(), batch.row)


@WORKERS
def test_torchs_own_generator_is_neither_used_nor_moved(workers: int) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = drawn(StreamedBatches(Numbers(), 4, (2,), workers=workers), range(2))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert drawn(StreamedBatches(Numbers(), 4, (2,), workers=workers), range(2)) == first


def test_processes_share_a_batch_evenly() -> None:
    with pytest.raises(OptionError, match="option 'batch_size' cannot be '5': 2 processes share it evenly"):
        StreamedBatches(Numbers(), 5, count=2)


@WORKERS
def test_broken_data_is_said_in_its_own_words(workers: int) -> None:
    batches = StreamedBatches(Numbers(broken=7), 4, workers=workers)
    with pytest.raises(DataError, match=r"^row 'seven' is broken$"):
        drawn(batches, range(6))
    assert multiprocessing.active_children() == []


@WORKERS
def test_a_stream_that_ends_breaks_the_contract(workers: int) -> None:
    with pytest.raises(ContractError, match=r"Ending\.read\(\) came to an end"):
        drawn(StreamedBatches(Ending(), 4, workers=workers), range(6))


@LINUX
def test_a_worker_that_dies_is_no_riddle() -> None:
    with pytest.raises(DataError, match=r"a process that reads data has ended: .*(?s:.*)try --workers 1"):
        drawn(StreamedBatches(Numbers(deadly=7), 4, workers=1), range(6))


@LINUX
def test_signals_to_a_whole_job_leave_the_workers_at_work() -> None:
    last = range(2, 4 * AHEAD)  # more than was read ahead
    undisturbed = StreamedBatches(Numbers(), 4, workers=2)
    drawn(undisturbed, range(2))
    expected = drawn(undisturbed, last)
    undisturbed.close()
    batches = StreamedBatches(Numbers(), 4, workers=2)
    drawn(batches, range(2))
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    names = "'SIGINT', 'SIGTERM', 'SIGUSR1'"
    sender = f"import os, signal, sys; [os.kill(int(p), getattr(signal, s)) for p in sys.argv[1:] for s in ({names})]"
    subprocess.run([sys.executable, "-c", sender, *(str(worker.pid) for worker in workers)], check=True)
    assert drawn(batches, last) == expected
    assert all(worker.is_alive() for worker in workers)
    batches.close()
    assert not any(worker.is_alive() for worker in workers)


STUCK = """
import multiprocessing, sys, threading
from ganzoo.data.streamed import StreamedBatches
from test_streamed import Numbers

class Stuck(Numbers):
    def read(self, *given):
        yield next(super().read(*given))
        threading.Event().wait()  # as on a server that keeps silent

if __name__ == "__main__":
    batches = StreamedBatches(Stuck(), 1, workers=2)
    batches.draw(0)
    print(*(worker.pid for worker in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


@LINUX
@pytest.mark.parametrize("end", ["killed", "over"])
def test_workers_end_with_their_parent_whatever_they_wait_for(end: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    line, pipe = [sys.executable, "-c", STUCK], subprocess.PIPE
    with subprocess.Popen(line, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as parent:
        assert parent.stdin
        assert parent.stdout
        workers = [Path("/proc") / pid for pid in parent.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(runs, workers))
        if end == "killed":
            parent.kill()
        _, complaints = parent.communicate(timeout=60)
    assert (parent.returncode, complaints) == (-signal.SIGKILL if end == "killed" else 0, "")
    deadline = time.monotonic() + 30
    while any(map(runs, workers)):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.1)


def runs(process: Path) -> bool:
    """Whether a process is there and more than a name that waits to be struck off."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def options(**values: object) -> DataOptions:
    return build(DataOptions, {"data": Streamed(), "image_size": 2, "batch_size": 4} | values)


def numbers(images: Tensor) -> set[int]:
    return set(images[:, 0, 0, 0].tolist())


def test_a_streamed_data_set_is_opened_and_its_first_rows_shown() -> None:
    data = load(options(), frozenset({"image"}))
    assert (data.streams, data.spec.dataset, data.spec.shapes) == ((), "streamed", {"image": (3, 2, 2)})
    assert data.stream is not None
    assert len(data.stream) == 40
    assert data.preview.keys() == {"image"}
    assert len(numbers(data.preview["image"])) == 25
    assert len(load(options(data=Streamed(rows=9)), frozenset({"image"})).preview["image"]) == 9


def test_backward_swaps_source_and_target() -> None:
    needs = frozenset({"source", "target"})
    data = load(options(direction="backward"), needs)
    assert data.stream is not None
    batch = StreamedBatches(data.stream, 4).draw(0)
    assert batch.keys() == needs | {"step"}
    assert torch.equal(batch.source, batch.target + 100)
    assert min(numbers(data.preview["source"])) >= 100 > max(numbers(data.preview["target"]))


def test_what_a_stream_cannot_do_is_said_plainly() -> None:
    image = frozenset({"image"})
    with pytest.raises(DataError, match="'streamed' is streamed, so no rows can be picked from it; leave --limit out"):
        load(options(limit=8), image)
    with pytest.raises(DataError, match="'streamed' gives 40 images, too few for a batch of 41; try --batch-size 40"):
        load(options(batch_size=41), image)
    with pytest.raises(DataError, match="in one order, but the GAN wants target in an order of its own"):
        load(options(), frozenset({"source", "target"}), [frozenset({"target"})])
    with pytest.raises(DataError, match="'streamed' has no label here; it has: image"):
        load(options(), frozenset({"image", "label"}))
