"""Checks of streams of rows."""

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from multiprocessing.reduction import ForkingPickler
from typing import TypeAlias

import torch
from torch import Tensor

from ganzoo.data.stream import Position, Row, Stream
from ganzoo.errors import DataError
from ganzoo.testing.demands import complaining, demand

__tracebackhide__ = True

Mark: TypeAlias = tuple[tuple[str, bytes], ...]
MOST = 256
"""Rows read of a pass; longer streams are checked in part."""


def check_stream(stream: Stream, again: Stream) -> dict[str, Tensor]:
    """Check that each pass has every row once, in an order determined by the seed, and that reading can resume.

    Args:
        stream: stream to check.
        again: the same stream, opened again.

    Returns:
        Some of its rows, by field.
    """
    count = len(stream)
    demand(count > 0, "the stream has no rows; if there are none, raise a DataError")
    with complaining("a stream cannot be sent to the processes that read it ({}): hold names of files, no open ones"):
        ForkingPickler.dumps(stream)
    whole = count <= MOST
    rows = take(stream, 2 * count if whole else MOST)
    check_going_on(again, rows)
    if whole:
        passes = [Counter(mark(row) for row, _ in part) for part in (rows[:count], rows[count:])]
        demand(
            passes[0] == passes[1],
            f"two passes of {count} rows are not of the same rows: every pass has each row once, whatever its order",
        )
        check_shares(stream, passes[0])
    return {name: torch.stack([row[name] for row, _ in rows[:MOST]]) for name in rows[0][0]}


def take(stream: Stream, count: int, part: int = 0, parts: int = 1, at: Position = ()) -> list[tuple[Row, Position]]:
    """Return `count` rows of a share, each with the position after it."""
    rows = list(islice(stream.read(0, part, parts, at), count))
    demand(
        len(rows) == count,
        f"read() ended after {len(rows)} rows; it goes on with the next pass for ever: while True",
    )
    for _, position in rows:
        right = isinstance(position, tuple) and all(type(number) is int for number in position) and position
        demand(right, f"a position is {position!r}; expected a tuple of whole numbers, the first of which is the pass")
    return rows


def mark(row: Mapping[str, Tensor]) -> Mark:
    """Return a hashable form of a row."""
    return tuple((name, row[name].numpy().tobytes()) for name in sorted(row))


def check_shares(stream: Stream, whole: Counter[Mark]) -> None:
    """Check that two shares are disjoint and together make up a whole pass."""
    until, crossing = Counter[Mark](), Counter[Mark]()
    for part in range(2):
        try:
            for row, position in islice(stream.read(0, part, 2, ()), 2 * len(stream)):
                if position[0]:
                    crossing[mark(row)] += 1
                    break
                until[mark(row)] += 1
        except DataError:  # too few rows to share
            return
    # The next pass may be reported with the last row of a share, or with the first one after it.
    wrong = [((whole - found).total(), (found - whole).total()) for found in (until, until + crossing)]
    missing, twice = min(wrong, key=sum)
    demand(
        not missing + twice,
        f"of a pass that two readers share, {missing} rows are missing and {twice} come twice: take [part::parts] of "
        "one order",
    )


def check_going_on(again: Stream, rows: list[tuple[Row, Position]]) -> None:
    """Check that the same rows follow each position, also in a newly opened stream."""
    for place in (0, len(rows) // 4, len(rows) // 2, 3 * len(rows) // 4):
        position, following = rows[place][1], rows[place + 1 : place + 4]
        if following:
            found = take(again, len(following), at=position)
            demand(
                [(mark(row), at) for row, at in found] == [(mark(row), at) for row, at in following],
                f"after the position {position} other rows follow than when it was reached: the order follows from "
                "seed, share and position alone",
            )
