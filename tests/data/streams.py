"""Streams to test with, which several tests share."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from multiprocessing.process import BaseProcess

import torch

import ganzoo
from ganzoo.base.rng import seeded
from ganzoo.contract.batch import Batch
from ganzoo.data.stream_loader import StreamLoader
from ganzoo.errors import DataError


def started_since(before: Collection[BaseProcess]) -> list[BaseProcess]:
    """The processes of this one that are alive and were not among those: other tests may have left some."""
    return [process for process in multiprocessing.active_children() if process not in before]


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


class Anxious(Numbers):
    """Warns when it begins to read."""

    def read(
        self, seed: int, part: int, parts: int, position: ganzoo.Position
    ) -> Iterator[tuple[ganzoo.Row, ganzoo.Position]]:
        logging.getLogger("ganzoo.data.anxious").warning("beware of %d", part)
        yield from super().read(seed, part, parts, position)


class Streamed(ganzoo.Dataset):
    """A data set that is a stream."""

    name = "streamed"
    provides = frozenset({"image", "source", "target", "label"})
    rows: int = 40

    def load(self, request: ganzoo.DataRequest) -> ganzoo.Stream:
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


def drawn(batches: StreamLoader, iterations: Sequence[int]) -> list[list[tuple[int, int]]]:
    return [rows(batches.draw(iteration)) for iteration in iterations]
