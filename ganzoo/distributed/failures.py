"""Error reports of several processes: only the first to fail reports, as the others fail in consequence."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from ganzoo.base.torchrun import local_rank, rank_and_count

LISTENING = timedelta(seconds=10)
"""Time that other failing processes wait for the first to report."""

_stores: list[Any] = []
"""Store of the agent, shared by all processes, once this one has connected."""


def speak_through(store: Any) -> None:
    """Set the store through which processes agree on who reports; it outlives each of them."""
    _stores.append(store)


def fails_first() -> bool:
    """Whether this process is the first to fail and should report its error, and then call `has_spoken`.

    Otherwise, wait until the first has reported: the first process to exit terminates the others.
    """
    store = _stores[0] if _stores else None
    if store is None:  # not connected yet: one report per machine
        return local_rank() == 0
    with suppress(RuntimeError):  # the agent with the store is gone
        me = str(rank_and_count()[0])
        if store.compare_set("ganzoo/failed", "", me).decode() != me:
            store.wait(["ganzoo/spoken"], LISTENING)
            return False
    return True


def has_spoken() -> None:
    """Allow the processes that failed later to exit."""
    for store in _stores:
        with suppress(RuntimeError):
            store.set("ganzoo/spoken", "")
