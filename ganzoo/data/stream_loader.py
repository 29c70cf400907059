"""Batches of a stream, read and decoded in worker processes, and resumable at the exact position."""

import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from typing import Any

import torch
from torch.utils.data import DataLoader

from ganzoo.contract.batch import Batch
from ganzoo.data.in_memory import noise, own_rows, to_float
from ganzoo.data.loader import BatchLoader, State
from ganzoo.data.stream import Position, Stream
from ganzoo.data.stream_worker import StreamWorker, WorkerBatch, obey_the_parent_alone
from ganzoo.errors import DataError, typed

log = logging.getLogger(__name__)

AHEAD = 4
"""Batches to prefetch per worker, which bridge delays of one worker."""


class StreamLoader(BatchLoader):
    """Batches of a stream, in sequence.

    Each training process has its own readers, one in each of its `workers`, or in itself if there are none. All readers
    have disjoint shares; each fills whole batches, which are used in turn. Batches follow from the seed, the number of
    readers and the iteration; `state` is enough to resume.

    Args:
        stream: stream to read.
        batch_size: number of rows of an iteration, over all processes.
        noise_shape: shape of one row of `noise`; empty for none.
        seed: seed of order and noise.
        device: training device.
        workers: number of processes that read ahead; 0: read in `draw`.
        rank: rank of this training process.
        count: number of training processes, which share a batch evenly (`DistributedContext.local_batch_size`).
    """

    def __init__(
        self,
        stream: Stream,
        batch_size: int,
        noise_shape: tuple[int, ...] = (),
        seed: int = 0,
        device: torch.device | str = "cpu",
        workers: int = 0,
        rank: int = 0,
        count: int = 1,
    ) -> None:
        self.stream = stream
        self.batch_size = batch_size
        self.noise_shape = noise_shape
        self.seed = seed
        self.device = torch.device(device)
        self.workers = workers
        self.rank, self.count = rank, count
        self.iteration = 0
        """Next iteration."""
        self._positions: list[Position] = [()] * max(1, workers)
        self._turn = 0
        self._deliveries: Iterator[WorkerBatch] | None = None
        self._end: Finalize | None = None

    @property
    def per_epoch(self) -> int:
        """Number of iterations per pass through the stream; at least 1."""
        return max(1, len(self.stream) // self.batch_size)

    def draw(self, iteration: int) -> Batch:
        """Return this process's rows of a batch, on the host, and their noise.

        Iterations are drawn in sequence, from 0 or the position of `load_state`. Any other iteration restarts reading
        at the beginning of the pass that it belongs to.

        Raises:
            DataError: the data is missing or broken, or a reader process was killed.
        """
        if iteration != self.iteration:
            self._begin_pass(iteration)
        if self._deliveries is None:
            self._deliveries = self._read()
        delivery = self._next(self._deliveries)
        self._positions[self._turn] = delivery.position
        self._turn = (self._turn + 1) % len(self._positions)
        self.iteration += 1
        own = own_rows(self.batch_size, self.rank, self.count)
        drawn = noise(self.batch_size, self.noise_shape, self.seed, iteration, own)
        return Batch(step=torch.tensor(iteration), **delivery.fields, **drawn)

    def collate(self, drawn: Batch) -> Batch:
        return Batch(**{name: to_float(value) for name, value in drawn.items()})

    def state(self) -> State:
        """Return the position of each reader of this process after the last batch, without those read ahead.

        It is valid for the same rank and the same numbers of processes and workers.
        """
        readers = {f"reader {number}": list(position) for number, position in enumerate(self._positions)}
        return {"iteration": [self.iteration], "share": self._share, "turn": [self._turn], **readers}

    def load_state(self, state: State) -> None:
        """Restore a position, to continue with the same batches.

        With another number of processes or workers, the pass restarts in another order, with a warning. An empty state
        is the beginning.

        Raises:
            ValueError: an invalid state.
        """
        self.close()
        if not state:
            self.iteration, self._turn, self._positions = 0, 0, [()] * len(self._positions)
            return
        (iteration,), (turn,) = _counts(state, "iteration", 1), _counts(state, "turn", 1)
        if _counts(state, "share", 3) != tuple(self._share):
            self._begin_pass(iteration)
            return
        if turn >= len(self._positions):
            raise ValueError(f"it is the turn of reader {turn}, of {len(self._positions)}")
        positions = [_counts(state, f"reader {number}") for number in range(len(self._positions))]
        self.iteration, self._turn, self._positions = iteration, turn, positions

    def close(self) -> None:
        """Stop the reader processes; the next `draw` restarts them after the last batch."""
        if self._end:
            self._end()
        self._deliveries = self._end = None

    @property
    def _share(self) -> list[int]:
        return [self.rank, self.count, len(self._positions)]

    def _begin_pass(self, iteration: int) -> None:
        self.close()
        turn = iteration * self.batch_size // len(self.stream)
        if iteration:
            log.warning(
                "the data is read again from the beginning of pass %d, in another order: no reader was at iteration %d "
                "with %d processes of %d workers",
                turn,
                iteration,
                self.count,
                self.workers,
            )
        self.iteration, self._turn, self._positions = iteration, 0, [(turn,)] * len(self._positions)

    def _read(self) -> Iterator[WorkerBatch]:
        readers = len(self._positions)
        feed = StreamWorker(
            stream=self.stream,
            seed=self.seed,
            rows=self.batch_size // self.count,
            first=self.rank * readers,
            parts=self.count * readers,
            positions=tuple(self._positions),
            turn=self._turn,
        )
        if not self.workers:
            return iter(feed)
        hear, say = multiprocessing.Pipe(duplex=False)
        self._end = Finalize(self, _dismiss, (hear, say), exitpriority=1)  # before waiting for processes at exit
        with warnings.catch_warnings():  # about more workers than cores, and forking with threads
            warnings.simplefilter("ignore")
            loader = DataLoader(
                feed,
                batch_size=None,
                num_workers=self.workers,
                collate_fn=_as_it_is,
                worker_init_fn=partial(obey_the_parent_alone, os.getpid(), hear),
                prefetch_factor=AHEAD,
                # Other start methods import the caller's script again, and lack plugins of loose files. macOS, whose
                # libraries do not survive forking, and Windows have only those.
                multiprocessing_context="fork" if sys.platform == "linux" else None,
                generator=torch.Generator(),  # instead of the one of training
            )
            deliveries = iter(loader)
        _translate_ends()
        return deliveries

    def _next(self, deliveries: Iterator[WorkerBatch]) -> WorkerBatch:
        try:
            delivery = next(deliveries)
        except DataError:
            self.close()
            raise
        except RuntimeError as error:
            self.close()
            if not re.search(r"DataLoader worker \(pid", str(error)):
                raise
            raise _has_ended(error) from error
        for record in delivery.said:
            if (logger := logging.getLogger(record.name)).isEnabledFor(record.levelno):
                logger.handle(record)
        if delivery.complaint:
            self.close()
            raise DataError(delivery.complaint)
        return delivery


def _counts(state: State, name: str, length: int | None = None) -> tuple[int, ...]:
    """Return non-negative integers from a state."""
    values = state.get(name)
    if not isinstance(values, Sequence) or not all(type(value) is int and value >= 0 for value in values):
        raise ValueError(f"'{name}' of the data is {typed(values)}")
    if length is not None and len(values) != length:
        raise ValueError(f"'{name}' of the data is {typed(values)}, and not {length} numbers")
    return tuple(values)


def _as_it_is(delivery: Any) -> Any:
    return delivery


def _has_ended(error: RuntimeError) -> DataError:
    return DataError(
        f"a process that reads data has ended: {error}\nit may have run out of memory; try --workers 1, or "
        "smaller shards"
    )


def _translate_ends() -> None:
    """Also explain a worker's death when torch raises it from a signal handler during training."""
    handler = signal.getsignal(signal.SIGCHLD) if hasattr(signal, "SIGCHLD") else None
    if not callable(handler) or not getattr(handler, "__module__", "").startswith("torch."):
        return  # no handler of torch, or already wrapped
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, partial(_translated, handler))


def _translated(handler: Callable[..., Any], *signalled: object) -> None:
    try:
        handler(*signalled)
    except RuntimeError as error:
        raise _has_ended(error) from error


def _dismiss(_: Connection, over: Connection) -> None:  # holds the other end too, so that it stays open
    over.send_bytes(b"over")
