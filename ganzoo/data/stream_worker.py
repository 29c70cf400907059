"""Reader of a stream, in a worker process or not: its parameters, its batches, and its signal handling."""

import logging
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from queue import SimpleQueue

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from ganzoo.base.signals import NAMES
from ganzoo.data.stream import Position, Stream
from ganzoo.errors import ContractError, UserError


@dataclass(frozen=True)
class WorkerBatch:
    """One batch from a reader."""

    fields: dict[str, Tensor]
    position: Position
    """Position of the reader after its last row."""
    complaint: str = ""
    """Error in the data; there is then no batch, and none will follow."""
    said: Sequence[logging.LogRecord] = ()
    """Log records of a worker since its last batch."""


@dataclass(frozen=True)
class StreamWorker(IterableDataset[WorkerBatch]):
    """Parameters of the readers. The n-th worker runs the reader whose turn is n-th."""

    stream: Stream
    seed: int
    rows: int
    """Number of rows in one process's batch."""
    first: int
    """Share of the first reader."""
    parts: int
    positions: tuple[Position, ...]
    """Position of every reader of this process."""
    turn: int
    """Reader of the first batch."""

    def __iter__(self) -> Iterator[WorkerBatch]:
        worker = get_worker_info()
        reader = (self.turn + (worker.id if worker else 0)) % len(self.positions)
        heard = _listen() if worker else SimpleQueue[logging.LogRecord]()
        rows = self.stream.read(self.seed, self.first + reader, self.parts, self.positions[reader])
        while True:
            try:
                taken = list(islice(rows, self.rows))
            except UserError as error:  # raised here, it would arrive with a traceback
                yield WorkerBatch({}, (), str(error), _emptied(heard))
                return
            if len(taken) < self.rows:
                raise ContractError(f"{type(self.stream).__name__}.read() came to an end; it reads pass after pass")
            fields = {name: torch.stack([row[name] for row, _ in taken]) for name in taken[0][0]}
            yield WorkerBatch(fields, taken[-1][1], said=_emptied(heard))


def _listen() -> SimpleQueue[logging.LogRecord]:
    """Queue ganzoo's log records of this process for the training process, the only one that writes log.txt."""
    heard = SimpleQueue[logging.LogRecord]()
    logger = logging.getLogger("ganzoo")
    logger.handlers, logger.propagate = [QueueHandler(heard)], False
    return heard


def _emptied(heard: SimpleQueue[logging.LogRecord]) -> list[logging.LogRecord]:
    return [heard.get() for _ in range(heard.qsize())]


def obey_the_parent_alone(parent: int, over: Connection, _: int) -> None:
    """Ignore the signals that are sent to all processes of a job, which the parent process handles.

    The worker exits at once when its parent tells it to, or is gone.
    """
    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent, over), daemon=True).start()


def _watch(parent: int, over: Connection) -> None:
    while not over.poll(1) and os.getppid() == parent:
        pass
    os._exit(0)
