"""The page of a GAN that makes images from noise, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ganzoo_serve.tests.opened import picture, serving, shown, until_it_shows
from playwright.sync_api import Page, expect

import ganzoo
from ganzoo.sampling.trained import TrainedGAN


@pytest.fixture(scope="module")
def trained(runs: Path) -> TrainedGAN:
    return ganzoo.load(runs / "dcgan", device="cpu")


@pytest.fixture(scope="module")
def address(trained: TrainedGAN) -> Iterator[str]:
    with serving(trained) as url:
        yield url


def test_the_page_shows_images_of_the_seed_that_is_typed_and_asks_for_nothing_elsewhere(
    page: Page, address: str, trained: TrainedGAN
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    until_it_shows(page, "images", trained.generate(16, seed=0))
    seed = page.get_by_label("Seed", exact=True)
    seed.fill("7")
    seed.press("Tab")
    until_it_shows(page, "images", trained.generate(16, seed=7))
    page.get_by_label("number input for Images").fill("1")
    page.get_by_label("number input for Images").press("Tab")
    until_it_shows(page, "images", trained.generate(1, seed=7)[0])
    assert asked
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


def test_the_page_says_what_it_is(page: Page, address: str) -> None:
    page.goto(address)
    about = page.locator("#about")
    expect(about.get_by_role("heading")).to_have_text("dcgan")
    for words in ("Radford", "trained on mnist", "16 x 16, grey", "iteration 2", "on cpu"):
        expect(about).to_contain_text(words)
    assert page.title() == "dcgan · ganzoo"


def test_another_seed_is_drawn_by_a_click_and_the_picture_can_be_saved(page: Page, address: str) -> None:
    page.goto(address)
    before = picture(page, "images").tobytes()
    page.get_by_role("button", name="Another seed").click()
    for _ in range(100):
        if picture(page, "images").tobytes() != before:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the picture stays the same")
    with page.expect_download() as download:
        page.locator("#images").get_by_text("Save as PNG").click()
    seed = page.get_by_label("Seed", exact=True).input_value()
    assert seed != "0"
    assert download.value.suggested_filename == f"dcgan-seed-{seed}.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_the_slider_leads_from_one_seed_to_the_other(page: Page, address: str, trained: TrainedGAN) -> None:
    page.goto(address)
    page.get_by_role("tab", name="Between two seeds").click()
    page.get_by_label("To seed").fill("5")
    page.get_by_label("To seed").press("Tab")
    until_it_shows(page, "between", trained.between(0, 5, [0.5])[0])
    slider = page.get_by_role("slider", name="Between them")
    slider.focus()
    slider.press("End")
    until_it_shows(page, "between", trained.generate(1, seed=5)[0])
    slider.press("Home")
    until_it_shows(page, "between", trained.generate(1, seed=0)[0])
    steps = picture(page, "way")
    assert steps.width > 6 * steps.height


def test_a_seed_that_cannot_be_is_told_on_the_page_and_nowhere_else(
    page: Page, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    page.goto(address)
    shown(page, "images")
    page.get_by_label("Seed", exact=True).fill("-3")
    page.get_by_role("button", name="Make images").click()
    words = "option 'seed' cannot be '-3': it is a whole number from 0 to 9007199254740991"
    expect(page.get_by_test_id("toast-body").first).to_contain_text(words)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page, address: str, scheme: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(address)
    shown(page, "images")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
