"""What stands before Gradio: only what the page needs is let through, and of that only so much, from nobody else.

Gradio brings ways to upload files, to have files of the server's disk handed out or fetched from the network, to call
components' own functions, and more. The page does without all of them (`ganzoo_serve.parts`), so they are closed.
"""

import contextlib
import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GET = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/(assets|static)/[^.][^\0]*"
    r"|/gradio_api/(theme\.css|info/?|app_id/?|startup-events|queue/data|heartbeat/\w{1,64})"
)
"""The page, its scripts, styles and fonts, and the answers that it waits for."""
POST = re.compile(r"/gradio_api/(queue/join/?|cancel|reset/?)")
"""Its requests."""
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio's own, in the page and compiled
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""What a browser lets the page load: nothing from any other place."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class TooLarge(Exception):  # noqa: N818 - reads as what it is
    """More was sent than may be."""


class RequestFilter:
    """The application, behind a gate."""

    def __init__(self, app: ASGIApp, most_bytes: int, hosts: Iterable[str], *, addresses: bool = False) -> None:
        """A gate.

        Args:
            app: what is behind it.
            most_bytes: how large a request may be.
            hosts: the names that it may be asked for by, so that no other name can be made to lead here (DNS
                rebinding).
            addresses: whether it may be asked for by any IP address, too.
        """
        self.app = app
        self.most_bytes = most_bytes
        self.hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self.addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a web socket, which Gradio does not use
            return
        if refused := self.refusal(scope):
            await refused(scope, receive, send)
            return
        taken, begun, over = 0, False, False

        async def counted() -> Message:
            nonlocal taken, over
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.most_bytes:
                over = True
                raise TooLarge
            return message

        async def signed(message: Message) -> None:
            nonlocal begun
            if over and not begun:  # it answers, but does not know why it was stopped
                return
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        with contextlib.suppress(TooLarge):
            await self.app(scope, counted, signed)
        if over and not begun:
            await self.too_large()(scope, receive, send)

    def refusal(self, scope: Scope) -> PlainTextResponse | None:
        """The answer to a request that is not let through. None: it is let through."""
        headers, path = Headers(scope=scope), scope["path"]
        allowed = {"GET": GET, "HEAD": GET, "POST": POST}.get(scope["method"])
        if allowed is None or not allowed.fullmatch(path) or ".." in path or "\\" in path:
            return PlainTextResponse("there is no such page", 404)
        host = _split(f"//{headers.get('host', '')}").hostname or ""
        if host.rstrip(".") not in self.hosts and not (self.addresses and is_address(host)):
            reach = "by its name or IP address" if self.addresses else "to its own computer"
            return PlainTextResponse(f"this page is served {reach} only", 403)
        origin = headers.get("origin")
        if origin is not None and _split(origin).netloc != headers.get("host"):
            return PlainTextResponse("this page cannot be used from another", 403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self.most_bytes:
            return self.too_large()
        return None

    def too_large(self) -> PlainTextResponse:
        """The answer, 413, to a request of more than `most_bytes`."""
        return PlainTextResponse(f"{mebibytes(self.most_bytes)} is the most that can be sent", 413)


def _split(address: str) -> SplitResult:
    """An address of a header in its parts; all of them empty: it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def mebibytes(size: int) -> str:
    """So many bytes, for people."""
    return f"{size / 2**20:.3g} MiB"


def is_address(host: str) -> bool:
    """Whether it is an IP address, which no name's owner can turn elsewhere."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether an address can be reached from its own computer only."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
