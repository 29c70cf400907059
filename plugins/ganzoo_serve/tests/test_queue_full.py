"""Too many at once: who is told so, and what of the others."""

import http.client
import json
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ganzoo_serve.maker import PageBackend
from ganzoo_serve.tests.opened import serving
from playwright.sync_api import Page, expect


def test_who_comes_when_the_queue_is_full_is_told_and_may_come_again(
    page: Page, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, made = threading.Event(), PageBackend.images

    def slow(self: PageBackend, *values: object) -> object:
        assert busy.wait(60)
        return made(self, *values)  # type: ignore[arg-type] # as it was called

    with serving(runs / "dcgan", queue=2) as address:
        page.goto(address)
        page.wait_for_selector("#images figure:not(.empty)")
        monkeypatch.setattr(PageBackend, "images", slow)
        statuses = [join(address, number) for number in range(6)]
        assert statuses.count(200) >= 2
        assert set(statuses) == {200, 503}
        page.get_by_role("button", name="Make images").click()
        expect(page.get_by_test_id("toast-body").first).to_contain_text("currently busy. Please try again")
        busy.set()


def join(address: str, number: int) -> int:
    """Whether a request is taken."""
    line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    line.request("GET", "/config")
    config = json.loads(line.getresponse().read())
    images = next(one["id"] for one in config["dependencies"] if one["api_name"] == "images")
    body = json.dumps({"data": [number, 1, None, None], "fn_index": images, "session_hash": f"s{number}"})
    line.request("POST", "/gradio_api/queue/join", body, {"Content-Type": "application/json"})
    status = line.getresponse().status
    line.close()
    return status
