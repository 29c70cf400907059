"""What is let through to Gradio, and what is not: asked for as a stranger's program would."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import gradio
import pytest
from ganzoo_serve.gate import RequestFilter, is_loopback
from ganzoo_serve.server import Place, server
from ganzoo_serve.tests.opened import MOST, serving


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with serving(runs / "pix2pix") as url:
        yield url


def asked(
    address: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; nothing of the path is tidied up on the way."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


@pytest.mark.parametrize(
    "path",
    [
        "/file=/etc/passwd",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=https://example.com/",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/proxy=https://example.com/",
        "/gradio_api/stream/a/b/c/playlist-file",
        "/gradio_api/custom_component/a/client/b/c",
        "/assets/../../../../../../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "/static//etc/passwd",
        "/static/..\\..\\secret",
        "/config.json",
        "/checkpoints/",
        "/monitoring",
        "/docs",
        "/openapi.json",
        "/gradio_api/openapi.json",
        "/svelte/x",
        "/login_check",
    ],
)
def test_no_file_of_the_disk_is_handed_out(address: str, path: str) -> None:
    status, _, content = asked(address, "GET", path)
    assert status in (403, 404)
    assert b"root:" not in content


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/upload", "/gradio_api/component_server", "/gradio_api/run/translate", "/gradio_api/vibe-edit/"],
)
def test_nothing_but_requests_is_taken(address: str, path: str) -> None:
    assert asked(address, "POST", path, b"{}", {"Content-Type": "application/json"})[0] == 404
    assert asked(address, "PUT", "/", b"")[0] == 404


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "", "[", "127.0.0.1.evil.example"])
def test_by_another_name_the_page_cannot_be_asked_for(address: str, name: str) -> None:
    assert asked(address, "GET", "/", headers={"Host": name})[0] == 403


def test_by_the_names_of_its_own_computer_it_can(address: str) -> None:
    for name in ("localhost:7860", "127.0.0.1", "[::1]:99"):
        assert asked(address, "GET", "/", headers={"Host": name})[0] == 200


def status_of(gate: RequestFilter, host: str) -> int:
    """What is answered to who asks for the page by that name."""
    headers = [(b"host", host.encode())]
    refused = gate.refusal({"type": "http", "method": "GET", "path": "/", "headers": headers})
    return 200 if refused is None else refused.status_code


# Making an app collects what browsers and servers of tests before it left: event loops that their libraries leave open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_served_to_the_network_it_is_asked_for_by_address_or_its_own_name_only() -> None:
    with socket.create_server(("0.0.0.0", 0)) as opened:  # noqa: S104 - the point
        serving = server(gradio.Blocks(), Place(opened, "Studio.lan"), MOST, 8)
    gate = serving.config.app
    assert isinstance(gate, RequestFilter)
    own = socket.gethostname()
    for host in ("192.168.1.2:7860", "10.0.0.1", "[fe80::1]:7860", "localhost:7860", "studio.lan:7860", own, f"{own}."):
        assert status_of(gate, host) == 200, host
    for host in ("evil.example", "evil.example:7860", "", "192.168.1.2.evil.example", "[", "studio.lan.evil.example"):
        assert status_of(gate, host) == 403, host
    assert serving.config.limit_concurrency == 64 + 4 * 8


def test_from_another_page_it_cannot_be_used(address: str) -> None:
    body = json.dumps({"data": [], "fn_index": 0, "session_hash": "a"}).encode()
    for origin in ("https://evil.example", "null", "http://localhost:1", "http://["):
        headers = {"Content-Type": "application/json", "Origin": origin}
        assert asked(address, "POST", "/gradio_api/queue/join", body, headers)[0] == 403


def test_too_large_a_request_is_refused_whether_or_not_it_says_how_large_it_is(address: str) -> None:
    status, _, content = asked(address, "POST", "/gradio_api/queue/join", bytes(2 * MOST))
    assert (status, content) == (413, b"1.4 MiB is the most that can be sent")
    place = urlsplit(address)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=20) as line:
        line.sendall(
            b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        try:
            for _ in range(40):
                line.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            answer = line.recv(100)
        except ConnectionError:  # it had answered, and did not read on
            answer = b"HTTP/1.1 413"
    assert answer.startswith(b"HTTP/1.1 413")


def test_the_browser_is_told_to_load_nothing_from_elsewhere(address: str) -> None:
    for path in ("/", "/config", "/theme.css"):
        status, headers, _ = asked(address, "GET", path)
        assert status == 200
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_path_of_the_server_is_no_picture(address: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    for file in (str(tmp_path / "secret.png"), "https://example.com/x.png", f"file://{tmp_path}/secret.png"):
        value = {"file": file, "path": file, "url": file, "meta": {"_type": "gradio.FileData"}}
        said = outcome(address, [value])
        assert "process_completed" in said
        assert '"success":false' in said.replace(" ", "")
        assert "secret" not in said.replace("secret.png", "")


def outcome(address: str, data: list[object]) -> str:
    """What is answered to a request to translate."""
    config = json.loads(asked(address, "GET", "/config")[2])
    number = next(one["id"] for one in config["dependencies"] if one["api_name"] == "translate")
    body = json.dumps({"data": data, "fn_index": number, "session_hash": "stranger"}).encode()
    status, _, _ = asked(address, "POST", "/gradio_api/queue/join", body, {"Content-Type": "application/json"})
    assert status == 200
    return asked(address, "GET", "/gradio_api/queue/data?session_hash=stranger")[2].decode()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_addresses_of_this_computer_only(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.2", "fe80::1%1"])  # noqa: S104 - nothing is bound
def test_addresses_that_others_reach(address: str) -> None:
    assert not is_loopback(address)
