"""For the tests of pages: a run served, and the pictures that a browser shows of it."""

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganzoo_serve.maker import PageBackend
from ganzoo_serve.page import page as build
from ganzoo_serve.server import server, take
from PIL import Image
from playwright.sync_api import Locator, Page
from torch import Tensor

from ganzoo.api import load
from ganzoo.pictures import grid, to_picture
from ganzoo.sampling.trained import TrainedGAN

MOST = 2**20
"""Bytes of an upload."""


@contextmanager
def serving(run: Path | TrainedGAN, queue: int = 32) -> Iterator[str]:
    """Within, the page of a run is served at the address given."""
    trained = load(run, device="cpu") if isinstance(run, Path) else run
    place = take("127.0.0.1", 0)
    serving = server(build(PageBackend(trained, MOST), queue), place, MOST, queue)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [place.socket]}, daemon=True)
    thread.start()
    try:
        while not serving.started and thread.is_alive():
            thread.join(0.02)
        yield place.url
    finally:
        serving.should_exit = True
        thread.join(30)
        place.socket.close()


def decoded(address: str) -> Image.Image:
    """The picture in a data URL."""
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def shown(page: Page, name: str) -> Locator:
    """The picture of that name, once there is one."""
    page.wait_for_selector(f"#{name} figure:not(.empty)")
    return page.locator(f"#{name} img")


def picture(page: Page, name: str) -> Image.Image:
    """What is to be seen in it."""
    return decoded(shown(page, name).get_attribute("src") or "")


def same(image: Image.Image, tensor: Tensor) -> bool:
    """Whether a picture shows that image, C x H x W, or that grid of them, N x C x H x W."""
    expected = to_picture(tensor) if tensor.dim() == 3 else grid(tensor, max(1, round(len(tensor) ** 0.5)))
    return image.mode == expected.mode and image.tobytes() == expected.tobytes()


def until_it_shows(page: Page, name: str, tensor: Tensor) -> None:
    """Waits until the picture is that one; fails if it never is."""
    for _ in range(600):
        if same(picture(page, name), tensor):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"#{name} does not show what was expected")
