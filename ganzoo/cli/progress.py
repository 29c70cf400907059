"""How far a command is that makes many things, on a terminal and nowhere else."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Sized(Protocol):
    """What comes in parts of several."""

    def __len__(self) -> int: ...


Part = TypeVar("Part", bound=Sized)


def shown(parts: Iterable[Part], total: int, what: str) -> Iterator[Part]:
    """The parts as they come, while the terminal shows how many of `total` have come; in the end it shows nothing.

    Args:
        parts: each counts as many as it is long.
        total: how many there will be.
        what: they are.
    """
    with counting(total, what) as tell:
        done = 0
        for part in parts:
            yield part
            done += len(part)
            tell(done)


@contextmanager
def counting(total: int, what: str) -> Iterator[Callable[[int], object]]:
    """Within, the terminal shows how many of `total` are done, as often as it is told."""
    terminal = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(f"{what}, left"), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
