"""The page of one run in a real browser: it draws, it listens, and it asks for nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ganzoo_report import write
from ganzoo_report.tests.pages import grown, visit
from playwright.sync_api import Browser, Page, expect


@pytest.fixture(scope="module")
def report(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told")
    return write(grown(runs / "dcgan", folder / "dcgan"), folder / "report.html")


@pytest.fixture(scope="module")
def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """The report, opened once; a request for anything but itself fails the tests, and so does what scripts throw."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    visit(page, report)
    yield page
    page.close()
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [report.as_uri()]
    assert complaints == []


def test_a_report_draws_its_curves_terms_of_another_size_apart(opened: Page) -> None:
    titles = opened.locator(".chart:has(.plot) figcaption").all_inner_texts()
    terms = ["generator · adversarial", "generator · l1", "discriminator · adversarial"]
    assert titles == [*terms, "speed images/s", "fid"]
    assert opened.locator(".plot path.js-line").count() >= len(titles)


def test_figures_of_two_protocols_are_never_in_one_chart(opened: Page) -> None:
    metrics = opened.locator("#metrics")
    assert "Measured by 2 protocols" in metrics.inner_text()
    assert metrics.locator(".plot").evaluate("place => place.data.map(curve => curve.y)") == [[30.5, 20.5]]
    assert metrics.locator(".numbers dd").inner_text() == "44.5"
    assert [box.split("\n")[-5:] for box in metrics.locator(".protocol").all_inner_texts()] == [
        ["inception", "samples", "1000", "split", "test"],
        ["inception", "samples", "200", "split", "test"],
    ]


def test_the_slider_shows_the_grids_and_arrow_keys_move_it(opened: Page) -> None:
    film = opened.locator(".film")
    said = film.locator("output")
    expect(said).to_have_text("iteration 100, epoch 1.0")
    film.scroll_into_view_if_needed()
    opened.keyboard.press("ArrowLeft")
    expect(said).to_have_text("iteration 50, epoch 0.5")
    film.locator("input").press("ArrowLeft")
    expect(said).to_have_text("iteration 2, epoch 0.0")
    film.locator(".play").click()
    expect(said).to_have_text("iteration 100, epoch 1.0")


def test_curves_are_smoothed_and_put_on_other_axes_when_asked(opened: Page) -> None:
    axes = "place => [place._fullLayout.yaxis.type, place._fullLayout.xaxis.title.text, place.data.length]"
    plot = opened.locator(".plot").first
    assert plot.evaluate(axes) == ["linear", "iterations", 2]  # the curve, and its smooth one
    opened.locator("#log").check()
    opened.locator("#smooth").uncheck()
    opened.locator("#over").select_option("epoch")
    opened.wait_for_function("document.querySelector('.plot')._fullLayout.xaxis.title.text === 'epochs'")
    assert plot.evaluate(axes) == ["log", "epochs", 1]
    assert plot.evaluate("place => Math.max(...place.data[0].x)") == 1


def test_the_interpolation_changes_step_by_step(opened: Page) -> None:
    canvas = opened.locator(".walk canvas").first
    first = canvas.evaluate("canvas => canvas.toDataURL()")
    opened.locator(".walk input").press("End")
    expect(opened.locator(".walk output")).to_have_text("100 % of the way")
    assert canvas.evaluate("canvas => canvas.toDataURL()") != first


def test_the_last_grid_is_shown_large_and_closed_again(opened: Page) -> None:
    opened.locator(".enlarge").click()
    expect(opened.locator("#large img")).to_be_visible()
    opened.keyboard.press("Escape")
    expect(opened.locator("#large")).to_be_hidden()


def test_the_command_is_copied(opened: Page) -> None:
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.locator("#environment .copy").click()
    expect(opened.locator("#environment .copy")).to_have_text("Copied")
    command = opened.locator("#environment .command code").inner_text()
    assert opened.evaluate("navigator.clipboard.readText()") == command != ""


def test_all_pictures_buttons_and_charts_have_a_name(opened: Page) -> None:
    assert opened.locator("main img").count() == opened.locator("main img[alt]:not([alt=''])").count() > 0
    unnamed = "all => all.filter(one => !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).length"
    assert opened.locator("button, input, select").evaluate_all(unnamed) == 0
    label = opened.locator(".plot").first.get_attribute("aria-label")
    assert label == "generator · adversarial: adversarial goes from 1.02 to 2"


CONTRAST = """names => names.map(name => {
    const light = colour => {
        const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255);
        const [r, g, b] = parts.map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const element = document.querySelector(name);
    let behind = element;
    while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    const [low, high] = [element, behind].map((one, index) =>
        light(getComputedStyle(one)[index ? "backgroundColor" : "color"])).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
})"""
"""Of texts with what is behind them, as WCAG 2 defines it."""


TEXTS = ["h1", "h1 span", ".state", ".paper", "dt", "figcaption", ".protocol dt", ".told td", ".told th", ".absent"]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_page_fits_a_phone_and_can_be_read_by_day_and_by_night(opened: Page, scheme: str) -> None:
    dark = scheme == "dark"
    opened.emulate_media(color_scheme="dark" if dark else "light")
    opened.set_viewport_size({"width": 390, "height": 844})
    opened.wait_for_function("document.documentElement.scrollWidth === 390")  # charts follow in a moment
    there = [text for text in TEXTS if opened.locator(text).count()]
    assert len(there) >= len(TEXTS) - 1
    assert min(opened.evaluate(CONTRAST, there)) >= 4.5
    ink = "document.querySelector('.plot')._fullLayout.font.color"
    opened.wait_for_function(f"{ink} === '{'#ece9e2' if dark else '#1d1c1a'}'")  # the curves follow
    opened.set_viewport_size({"width": 1280, "height": 900})


def test_without_scripts_the_figures_are_there(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    row = page.locator(".chart tbody tr").first
    row.locator("xpath=ancestor::details").evaluate("details => details.open = true")
    assert row.inner_text().split() == ["adversarial", "1.02", "1.02", "2", "2"]
    assert page.locator(".copy:visible").count() == page.locator(".stage:visible").count() == 0
    context.close()
