"""Notebooks executed in tests."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def execute(client: Any) -> None:
    """All cells of a client's notebook.

    Its own `execute` leaves an event loop open; and in this thread one may be running, that of a browser.
    """
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(client.async_execute())).result()
