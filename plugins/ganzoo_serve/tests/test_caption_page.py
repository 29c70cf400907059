"""The page of a GAN that makes images from captions, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ganzoo_serve.tests.opened import picture, serving, until_it_shows
from playwright.sync_api import Page, expect

import ganzoo
from ganzoo.sampling.trained import TrainedGAN


@pytest.fixture(scope="module")
def trained(runs: Path) -> TrainedGAN:
    return ganzoo.load(runs / "text2image", device="cpu")


@pytest.fixture(scope="module")
def address(trained: TrainedGAN) -> Iterator[str]:
    with serving(trained) as url:
        yield url


def test_a_caption_is_shown_when_return_is_pressed_and_another_looks_otherwise(
    page: Page, address: str, trained: TrainedGAN
) -> None:
    page.goto(address)
    caption = page.get_by_label("Caption").first
    caption.fill("grinning face")
    caption.press("Enter")
    until_it_shows(page, "images", trained.generate(9, text="grinning face"))
    before = picture(page, "images").tobytes()
    caption.fill("cat face")
    page.get_by_role("button", name="Make images").click()
    until_it_shows(page, "images", trained.generate(9, text="cat face"))
    assert picture(page, "images").tobytes() != before


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("x" * 10_000, "keep 64; say it in fewer words"),
        ("   ", "say what is to be seen"),
        ("", "say what is to be seen"),
    ],
    ids=["10,000 letters", "blank", "none"],
)
def test_what_cannot_be_a_caption_is_told_on_the_page(page: Page, address: str, caption: str, words: str) -> None:
    page.goto(address)
    page.get_by_label("Caption").first.fill(caption)
    page.get_by_role("button", name="Make images").click()
    expect(page.get_by_test_id("toast-body").first).to_contain_text(words)
    expect(page.locator("#images figure")).to_have_class("made empty")


def test_markup_in_a_caption_is_shown_as_it_was_typed(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Caption").first.fill("<img src=x onerror='window.hurt = 1'>" + "x" * 64)
    page.get_by_role("button", name="Make images").click()
    expect(page.get_by_test_id("toast-body").first).to_contain_text("<img src=x onerror=")
    assert page.evaluate("window.hurt === undefined")
