"""Gradio without what it does beside serving a page: reports to its makers, statistics of requests, other servers."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

TOLD = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),  # else a table of all requests is made anew, twice for each
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_MCP_SERVER": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_VIBE_MODE": "",
    "HF_HUB_DISABLE_TELEMETRY": "True",  # which Gradio sets, too, and would leave
}
"""Variables by which alone it can be told, and that it reads as a page is built."""


Made = TypeVar("Made")


def quietly(build: Callable[[], Made]) -> Made:
    """What `build` makes of Gradio's parts, told to do nothing of the kind; the variables are put back.

    It is called in a thread with an event loop: without one, Gradio makes several that nobody closes.
    """

    async def built() -> Made:
        return build()

    before = {name: os.environ.get(name) for name in TOLD}
    os.environ.update(TOLD)
    try:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(built())).result()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
