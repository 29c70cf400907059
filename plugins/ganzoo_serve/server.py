"""The server: a socket, the page behind its gate, and an end without noise."""

import contextlib
import errno
import os
import socket
from dataclasses import dataclass

import gradio
import uvicorn
from fastapi import FastAPI

from ganzoo.errors import OptionError, typed
from ganzoo_serve.gate import RequestFilter, is_loopback
from ganzoo_serve.page import looks
from ganzoo_serve.quiet import quietly

LOCAL = ("localhost", "127.0.0.1", "::1")
PATIENCE = 2
"""Seconds for which an end waits for what is under way."""
LINES = 64
"""Connections that are held beside those of the queue: a browser opens up to six for a page."""
TRIES = 100
"""Ports that are tried, to name one that is free."""


@dataclass(frozen=True)
class Place:
    """Where pages are served: a socket that is taken already."""

    socket: socket.socket
    asked: str
    """The host as it was asked for."""

    @property
    def address(self) -> str:
        """The IP address."""
        return str(self.socket.getsockname()[0])

    @property
    def port(self) -> int:
        """The port."""
        return int(self.socket.getsockname()[1])

    @property
    def is_loopback(self) -> bool:
        """Whether it can be reached from this computer only."""
        return is_loopback(self.address)

    @property
    def url(self) -> str:
        """What to type into a browser on this computer."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def reach(self) -> str:
        """Who can reach it."""
        if self.is_loopback:
            return "this computer only"
        return "everyone who can reach this computer on the network, without a password"


def take(host: str, port: int) -> Place:
    """Takes a port; 0: any that is free.

    Raises:
        OptionError: it is in use, or there is no such host here.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise OptionError(f"option 'host' cannot be {typed(host)}: {_reason(error)}; try 127.0.0.1") from error
    taken = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # else the port of a server that has just ended could not be taken for a minute
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise _cannot(host, port, error) from error
    return Place(taken, host)


def _cannot(host: str, port: int, error: OSError) -> OptionError:
    if error.errno == errno.EADDRINUSE:
        return OptionError(f"port {port} of {host} is in use; try --port {_free(host, port)}")
    if error.errno == errno.EACCES:
        return OptionError(f"port {port} cannot be taken: {_reason(error)}; try --port 7860")
    return OptionError(f"option 'host' cannot be {typed(host)}: {_reason(error)}; try 127.0.0.1")


def _free(host: str, port: int) -> int:
    """The next port that is free; 0, which means any, where there is none near."""
    for other in range(port + 1, min(port + TRIES, 2**16)):
        with contextlib.suppress(OSError), socket.create_server((host, other)):
            return other
    return 0


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def server(blocks: gradio.Blocks, place: Place, most_bytes: int, queue: int) -> uvicorn.Server:
    """What serves a page there; `run(sockets=[place.socket])` does, until it is asked to stop.

    Args:
        blocks: the page.
        place: where.
        most_bytes: how large an uploaded file may be.
        queue: how many requests may wait; of connections, a few for each are held at once, and one more is refused.
    """
    app = quietly(lambda: _mounted(blocks, place, most_bytes))
    blocks.has_launched = (
        True  # without it, Gradio checks no paths that it is sent; `launch` sets it, mounting does not
    )
    names = () if place.is_loopback else (socket.gethostname(), socket.getfqdn())
    hosts = {*LOCAL, place.address, place.asked, *names} - {""}
    most = most_bytes * 4 // 3 + 2**16  # base64 takes four letters for three bytes
    config = uvicorn.Config(
        RequestFilter(app, most, hosts, addresses=not place.is_loopback),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
        limit_concurrency=LINES + 4 * queue,  # each may hold an upload
    )
    return uvicorn.Server(config)


def _mounted(blocks: gradio.Blocks, place: Place, most_bytes: int) -> FastAPI:
    return gradio.mount_gradio_app(
        FastAPI(openapi_url=None),
        blocks,
        "/",
        server_name=place.address,
        server_port=place.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        max_file_size=most_bytes,
        **looks(),
    )
