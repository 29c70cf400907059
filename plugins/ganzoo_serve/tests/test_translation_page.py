"""The page of a GAN that translates images, in a browser: drawing, uploading."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ganzoo_serve.tests.opened import MOST, picture, same, serving, shown, until_it_shows
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

import ganzoo
from ganzoo.data.images import open_image
from ganzoo.data.pair_transforms import HOLE
from ganzoo.sampling.trained import TrainedGAN


@pytest.fixture(scope="module")
def trained(runs: Path) -> TrainedGAN:
    return ganzoo.load(runs / "pix2pix", device="cpu")


@pytest.fixture(scope="module")
def address(trained: TrainedGAN) -> Iterator[str]:
    with serving(trained) as url:
        yield url


def draw(page: Page, *places: tuple[float, float]) -> None:
    """A line through these places: shares of the pad's width and height."""
    pad = page.locator("#pad canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    points = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def upload(page: Page, name: str, content: bytes) -> None:
    file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("#pad input[type=file]").set_input_files(file)


def photo() -> Image.Image:
    """A wide picture, each corner of another colour."""
    image = Image.new("RGB", (90, 60), "navy")
    image.paste("red", (0, 0, 45, 30))
    image.paste("yellow", (45, 30, 90, 60))
    return image


def test_a_drawing_is_translated_as_the_pen_is_lifted_and_another_line_changes_it(
    page: Page, address: str, trained: TrainedGAN, tmp_path: Path
) -> None:
    page.goto(address)
    draw(page, (0.2, 0.5), (0.5, 0.2), (0.8, 0.5))
    page.get_by_role("button", name="What it is shown").click()
    first, seen = picture(page, "made"), picture(page, "seen")
    grey = seen.convert("L")
    assert darkest(grey.crop((14, 5, 18, 9))) < 130  # thinner than a pixel, as the data's lines are at this size
    assert grey.crop((0, 20, 32, 32)).getextrema() == (255, 255)
    (made,) = trained.translate_pictures([open_image(saved(seen, tmp_path))])
    assert same(first, made)
    draw(page, (0.3, 0.8), (0.7, 0.8))
    for _ in range(100):
        if picture(page, "made").tobytes() != first.tobytes():
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the picture stays the same")
    assert darkest(picture(page, "seen").convert("L").crop((10, 20, 22, 32))) < 130
    page.get_by_role("button", name="Undo").click()
    until_it_shows(page, "made", made)


def darkest(grey: Image.Image) -> int:
    return min(grey.tobytes())


def saved(image: Image.Image, folder: Path) -> Path:
    image.save(folder / "picture.png")
    return folder / "picture.png"


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "photo.tif", "turned.jpg", "animated.gif"])
def test_an_upload_is_translated_as_the_command_line_does_it(
    page: Page, address: str, trained: TrainedGAN, tmp_path: Path, name: str
) -> None:
    file, image = tmp_path / name, photo()
    if name == "animated.gif":
        image.save(file, save_all=True, append_images=[Image.new("RGB", image.size)])
    elif name == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera was held upright
        image.save(file, exif=exif)
    else:
        image.save(file)
    page.goto(address)
    page.wait_for_selector("#pad canvas")
    upload(page, name, file.read_bytes())
    (made,) = trained.translate_pictures([open_image(file)])
    until_it_shows(page, "made", made)


def test_an_upload_that_is_no_image_is_told_on_the_page_and_the_next_one_is_made(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#pad canvas")
    upload(page, "letter.png", b"<svg onload=alert(1)>Dear server,")
    toast = page.get_by_test_id("toast-body").first
    expect(toast).to_contain_text("'letter.png' cannot be read: it is not an image")
    stream = io.BytesIO()
    photo().save(stream, "PNG")
    upload(page, "photo.png", stream.getvalue())
    shown(page, "made")
    expect(page.locator("#pad .hint")).to_be_hidden()
    upload(page, "other.png", b"Dear server,")
    page.wait_for_selector("#made figure.empty")
    expect(page.locator("#pad .hint")).to_be_visible()


def test_too_large_a_file_is_not_even_sent(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#pad canvas")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    upload(page, "large.png", bytes(MOST + 1))
    expect(page.locator("#pad .said")).to_have_text("large.png is too large: 1 MiB is the most; scale it down")
    assert sent == []


def test_holes_are_cut_where_the_gan_fills_them(page: Page, tmp_path: Path, data_folder: Path) -> None:
    options: dict[str, Any] = {"limit": 4, "batch_size": 2, "epochs": 1, "precision": "fp32", "device": "cpu"}
    trained = ganzoo.run(
        "context-encoder", out=tmp_path / "run", data_dir=data_folder, image_size=32, recipe="quick", **options
    )
    with serving(trained) as url:
        page.goto(url)
        page.wait_for_selector("#pad canvas")
        stream = io.BytesIO()
        photo().save(stream, "PNG")
        upload(page, "photo.png", stream.getvalue())
        page.get_by_role("button", name="What it is shown").click()
        seen, made = picture(page, "seen"), picture(page, "made")
        assert seen.crop((8, 8, 24, 24)).getextrema() == ((HOLE, HOLE),) * 3
        assert seen.getpixel((3, 3)) == made.getpixel((3, 3)) != (HOLE, HOLE, HOLE)
        assert seen.getpixel((16, 16)) != made.getpixel((16, 16))
