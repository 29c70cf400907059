"""Several runs side by side, in a real browser."""

from pathlib import Path

import pytest
from ganzoo_report import write
from ganzoo_report.tests.pages import change, evaluation, grown, trained, visit, write_lines
from playwright.sync_api import Page
from shared import Command


@pytest.fixture(scope="module")
def pair(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs that differ in their seed, one of them measured by two protocols; and a third of another GAN."""
    folder = tmp_path_factory.mktemp("pair")
    first, second = (grown(runs / "dcgan", folder / name / "dcgan") for name in ("one", "two"))
    change(second / "config.json", seed=7, batch_size=8)
    write_lines(second / "evaluations.jsonl", [evaluation(50, 1000, 33.0), evaluation(100, 1000, 23.0)])
    write_lines(second / "metrics.jsonl", [trained(iteration) for iteration in range(2, 51, 2)])
    return [first, second]


def test_runs_are_overlaid_by_name_and_told_apart(pair: list[Path], runs: Path, page: Page, tmp_path: Path) -> None:
    visit(page, write([*pair, runs / "pix2pix"], tmp_path / "c.html"))
    assert page.locator("h1").inner_text() == "3 runs"
    names = ["one/dcgan", "two/dcgan", "pix2pix"]
    assert page.locator(".run h3").all_inner_texts() == names
    assert page.locator(".run img").count() == 3
    curves = "place => place.data.filter(curve => curve.showlegend !== false).map(curve => curve.name)"
    titles = page.locator("#losses .chart figcaption").all_inner_texts()
    drawn = dict(zip(titles, (plot.evaluate(curves) for plot in page.locator("#losses .plot").all()), strict=True))
    assert drawn["generator · l1"] == names
    assert drawn["discriminator · adversarial"] == names


def test_only_the_options_that_differ_are_listed(pair: list[Path], page: Page, tmp_path: Path) -> None:
    visit(page, write(pair, tmp_path / "c.html"))
    rows = page.locator(".differences tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [["batch_size", "4", "8"], ["seed", "0", "7"]]


def test_figures_of_one_protocol_share_a_chart_and_others_stand_apart(
    pair: list[Path], page: Page, tmp_path: Path
) -> None:
    visit(page, write(pair, tmp_path / "c.html"))
    figures = page.locator("#metrics .plot").evaluate("place => place.data.map(curve => [curve.name, curve.y])")
    assert figures == [["one/dcgan", [30.5, 20.5]], ["two/dcgan", [33, 23]]]
    assert page.locator("#metrics .numbers").inner_text().split()[:2] == ["fid", "one/dcgan"]
    assert "cannot be compared" in page.locator("#metrics").inner_text()


def test_a_run_that_is_named_twice_is_shown_once(pair: list[Path], page: Page, tmp_path: Path) -> None:
    visit(page, write([pair[0], pair[0] / "samples" / ".."], tmp_path / "c.html"))
    assert page.locator("h1").inner_text() == "dcgan on mnist"


def test_several_runs_are_written_into_the_working_directory(pair: list[Path], command: Command, place: Path) -> None:
    answer = command("report", *map(str, pair))
    assert (answer.status, answer.out) == (0, "comparison.html\n")
    assert (place / "comparison.html").stat().st_size < 4 * 2**20
