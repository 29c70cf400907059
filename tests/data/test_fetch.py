"""Archives from a server, which here is this machine."""

import gzip
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ganzoo.data import downloads, tar
from ganzoo.errors import DataError

CONTENT = bytes(range(256)) * 40


class Server(BaseHTTPRequestHandler):
    """Answers in turn as it was told to, and in the last way ever after."""

    def __init__(self, answers: list[str], *arguments: object) -> None:
        self.answers = answers
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server calls it

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if "://" in answer:
            self.send_response(302)
            self.send_header("Location", answer)
            self.end_headers()
            return
        if answer.isdecimal():
            self.send_error(int(answer))
            return
        content = gzip.compress(CONTENT) if "gzip" in answer else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if "half" in answer else content)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server will say. Proxies are not asked, and nobody waits."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(downloads, "PAUSES", (0, 0))
    return []


@pytest.fixture
def address(answers: list[str]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, answers)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/a.tar"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("answer", ["whole", "whole, gzip"])
def test_it_is_unpacked_and_in_memory(answer: str, address: str, answers: list[str]) -> None:
    answers += [answer]
    assert downloads.download(address).read() == CONTENT


@pytest.mark.parametrize("first", ["503", "429", "half", "half, gzip"])
def test_what_may_pass_is_tried_again(
    first: str, address: str, answers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    answers += [first, first, "whole"]
    assert downloads.download(address).read() == CONTENT
    assert len(caplog.messages) == 2
    assert all(message.startswith(f"'{address}' cannot be fetched: ") for message in caplog.messages)


@pytest.mark.parametrize("answer", ["503", "half", "half, gzip"])
def test_tries_have_an_end(answer: str, address: str, answers: list[str], caplog: pytest.LogCaptureFixture) -> None:
    answers += [answer]
    with pytest.raises(DataError, match=rf"'{address}' cannot be fetched: "):
        downloads.download(address)
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("answer", ["403", "404"])
def test_a_refusal_is_final(answer: str, address: str, answers: list[str], caplog: pytest.LogCaptureFixture) -> None:
    answers += [answer]
    with pytest.raises(DataError, match=rf"'{address}' cannot be fetched: HTTP Error {answer}"):
        downloads.download(address)
    assert caplog.messages == []


def test_what_is_too_large_is_not_asked_for_again(
    address: str, answers: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers += ["whole"]
    monkeypatch.setattr(tar, "LARGEST_ARCHIVE", 1000)
    with pytest.raises(DataError, match=rf"'{address}' is refused: unpacked, it is more than 1,000 bytes"):
        downloads.download(address)
    assert caplog.messages == []


def test_a_server_may_send_on_to_another_address(address: str, answers: list[str]) -> None:
    answers += [f"{address}?again", "whole"]
    assert downloads.download(address).read() == CONTENT


@pytest.mark.parametrize("onwards", ["ftp://127.0.0.1/a.tar", "file:///etc/hostname"])
def test_nobody_is_sent_to_what_is_no_web_address(
    onwards: str, address: str, answers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    answers += [onwards]
    with pytest.raises(DataError, match=rf"'{address}' .*{onwards}"):
        downloads.download(address)
    assert caplog.messages == []


def test_no_server(answers: list[str], caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # the port is taken, and nobody listens
        port = silent.getsockname()[1]
        with pytest.raises(DataError, match=rf"'http://127.0.0.1:{port}/' cannot be fetched: .*refused"):
            downloads.download(f"http://127.0.0.1:{port}/")
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/a.tar", "a.tar", "pipe:true"])
def test_nothing_else_is_fetched(address: str) -> None:
    with pytest.raises(DataError, match=rf"'{address}' is no http:// or https:// address"):
        downloads.download(address)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/\N{LATIN SMALL LETTER A WITH DIAERESIS}.tar", "http://a..b/", "http://[x/"]
)
def test_what_is_no_address_is_said(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DataError) as caught:
        downloads.download(address)
    assert str(caught.value).startswith(f"'{address}' is no address that can be fetched: ")
    assert caplog.messages == []
