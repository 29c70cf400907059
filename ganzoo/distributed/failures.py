"""When several processes fail, the first alone says why: the others fail because it is gone, and know less."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from ganzoo.base.torchrun import local_rank, rank_and_count

LISTENING = timedelta(seconds=10)
"""How long a process that failed waits for the first that did to say why."""

_stores: list[Any] = []
"""What the agent keeps for all processes, once this one has met the others."""


def speak_through(store: Any) -> None:
    """From now on the processes agree by way of this store, which outlives each of them."""
    _stores.append(store)


def fails_first() -> bool:
    """Whether no other process has failed yet, so that this one should say why; to be followed by `has_spoken`.

    Where another has, this waits until it has said so: the first to end has the others ended, too.
    """
    store = _stores[0] if _stores else None
    if store is None:  # before they met, each machine speaks for itself
        return local_rank() == 0
    with suppress(RuntimeError):  # the agent, which keeps the store, is gone
        me = str(rank_and_count()[0])
        if store.compare_set("ganzoo/failed", "", me).decode() != me:
            store.wait(["ganzoo/spoken"], LISTENING)
            return False
    return True


def has_spoken() -> None:
    """Lets the processes that failed later end."""
    for store in _stores:
        with suppress(RuntimeError):
            store.set("ganzoo/spoken", "")
