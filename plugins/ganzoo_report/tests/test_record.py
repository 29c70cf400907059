"""Runs that lack something, and folders that anybody may have written: a report of what is there, or a plain error."""

import html
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from ganzoo_export.exporting import export
from ganzoo_report import write
from ganzoo_report.record import records
from ganzoo_report.tests.pages import change, grown, trained, visit, write_lines
from playwright.sync_api import Page
from shared import Command

from ganzoo.base.io import number
from ganzoo.errors import UserError
from ganzoo.runs.folder import RunFolder

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture
def run(runs: Path, tmp_path: Path) -> Path:
    """A run that a test may spoil."""
    return grown(runs / "dcgan", tmp_path / "spoiled")


def text_of(file: Path, part: str) -> str:
    """The words of a section, without its tags."""
    section = file.read_text().split(f'<section id="{part}">')[1].split("</section>")[0]
    section = re.sub("<script.*?</script>", " ", section, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", section)).split())


def test_a_run_is_reported_into_its_folder(run: Path, command: Command) -> None:
    answer = command("report", str(run))
    assert (answer.status, answer.out, answer.err) == (0, f"{run / 'report.html'}\n", "")
    assert [file.name for file in run.iterdir() if "report" in file.name] == ["report.html"]


def test_the_same_run_gives_the_same_file_and_stays_as_it_was(run: Path, tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    first, second = (write(run, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


def test_a_run_that_has_only_begun_is_reported(run: Path, tmp_path: Path) -> None:
    for part in ("checkpoints", "samples"):
        shutil.rmtree(run / part)
    for file in ("metrics.jsonl", "evaluations.jsonl", "log.txt", "environment.json"):
        (run / file).unlink()
    change(run / "status.json", state="stopped", reason="Ctrl-C")
    assert "stopped with nothing logged" in write(run, tmp_path / "r.html").read_text()
    with RunFolder(run).locked():
        report = write(run, tmp_path / "r.html")
    assert "begun, nothing logged yet" in report.read_text()
    assert "has no checkpoint yet" in text_of(report, "interpolation")
    assert "There is no sample grid that could be shown yet" in text_of(report, "samples")
    assert "Nothing was logged yet" in text_of(report, "losses")
    assert "ganzoo evaluate" in text_of(report, "metrics")


def test_an_export_says_that_it_is_one_and_shows_its_samples(runs: Path, tmp_path: Path) -> None:
    for name in ("dcgan", "pix2pix"):
        place = export(runs / name, out=tmp_path / name).folder
        report = write(place, tmp_path / f"{name}.html")
        page = report.read_text()
        assert ">an export, of iteration 2<" in page
        assert "The last sample grid: iteration 2" in page
        assert "An export keeps the last sample grid, shown above" in text_of(report, "samples")
        assert "An export has no losses" in text_of(report, "losses")
        assert "log.txt" not in page.partition("<script")[0]
        assert ('<section id="translations">' in page) == (name == "pix2pix")
    (tmp_path / "dcgan" / "samples.png").unlink()
    both = write([tmp_path / "dcgan", tmp_path / "pix2pix"], tmp_path / "both.html").read_text()
    assert both.count(">an export, of iteration 2<") == 2
    assert both.count("It has no sample grid.") == 1


def test_a_run_of_a_plugin_that_is_gone_is_reported_as_far_as_it_goes(run: Path, page: Page, tmp_path: Path) -> None:
    change(run / "config.json", gan={"name": "gone-gan", "depth": 3})
    visit(page, write(run, tmp_path / "r.html"))
    assert "is a run of 'gone-gan'" in page.locator(".hero").inner_text()
    assert page.locator(".plot").count() == 5
    assert page.locator(".options tbody tr").first.inner_text().split() == ["depth", "3", "not", "known"]


def test_an_unfinished_run_says_how_far_it_is(run: Path, tmp_path: Path) -> None:
    write_lines(run / "metrics.jsonl", [trained(iteration) for iteration in range(2, 41, 2)])
    change(run / "status.json", state="running")
    with RunFolder(run).locked():
        assert ">at 40%: epoch 0.40 of 1<" in write(run, tmp_path / "r.html").read_text()


def test_a_run_that_ended_early_says_why(run: Path, tmp_path: Path) -> None:
    write_lines(run / "metrics.jsonl", [trained(iteration) for iteration in range(2, 41, 2)])
    change(run / "status.json", state="failed", reason="a loss is no number")
    for runs in ([run], [run, shutil.copytree(run, tmp_path / "other")]):
        page = write(runs, tmp_path / "r.html").read_text()
        assert ">failed at 40%: epoch 0.40 of 1<" in page
        assert ">a loss is no number<" in page
    change(run / "status.json", state="running")
    page = html.unescape(write(run, tmp_path / "r.html").read_text())
    assert f">it was killed; `ganzoo resume {run}` goes on<" in page


def test_links_are_not_followed(run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("2026-01-01 WARNING hunter2\n")
    (tmp_path / "elsewhere.png").write_bytes(next((run / "samples").glob("*.png")).read_bytes())
    (run / "samples" / "00000900.png").symlink_to(tmp_path / "elsewhere.png")
    assert [file.name for file in RunFolder(run).grids()] == ["00000002.png", "00000050.png", "00000100.png"]
    (run / "log.txt").unlink()
    (run / "log.txt").symlink_to(secret)
    with pytest.raises(UserError, match=r"log\.txt is a link"):
        write(run, tmp_path / "linked.html")
    assert not (tmp_path / "linked.html").exists()


def test_data_without_an_image_to_make_is_said(run: Path, tmp_path: Path) -> None:
    change(run / "data.json", shapes={"source": [1, 16, 16]})
    assert "neither 'image' nor 'target'" in html.unescape(write(run, tmp_path / "r.html").read_text())


def test_what_is_hostile_stays_text(run: Path, page: Page, tmp_path: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    config["gan"] = {"name": HOSTILE, "note": HOSTILE}
    config["data"] = {"name": HOSTILE}
    (run / "config.json").write_text(json.dumps(config))
    change(run / "environment.json", command=HOSTILE, **{HOSTILE: HOSTILE})
    (run / "log.txt").write_text(f"2026-01-01 WARNING {HOSTILE}\n")
    write_lines(
        run / "metrics.jsonl",
        [{**trained(n), f"generator/{HOSTILE}": 1.0, "generator/%{x}</script>": 1.1} for n in range(1, 30)],
    )
    figures = {"iteration": 3, "protocol": {HOSTILE: HOSTILE}, "figures": {HOSTILE: 1.0}}
    write_lines(run / "evaluations.jsonl", [figures, {**figures, "iteration": 4}])
    visit(page, write(run, tmp_path / "r.html"))
    assert page.title() != "taken"
    assert page.locator("main script:not([type='application/json'])").count() == 0
    assert page.locator("img[onerror], img[src=x]").count() == 0
    assert HOSTILE in page.locator(".log").inner_text()
    assert HOSTILE in page.locator("h1").inner_text()


def test_policy_stops_a_script_that_got_in_all_the_same(run: Path, page: Page, tmp_path: Path) -> None:
    report = write(run, tmp_path / "r.html")
    broken = report.read_text().replace("</main>", "<script>document.title='taken'</script></main>")
    report.write_text(broken)
    visit(page, report)
    assert page.title() != "taken"


def test_lines_that_are_nonsense_are_left_out(run: Path, tmp_path: Path) -> None:
    strange = [
        '{"iteration": "x"}',
        "[]",
        '{"iteration": 1e999, "a/b": 1}',
        '{"iteration": 5, "a/b": "z", "c/d": null}',
    ]
    with (run / "metrics.jsonl").open("a") as file:
        file.write("\n".join(strange) + '\n{"iteration": 6, "a/')
    bad = ['{"iteration": 1}', '{"iteration": 1, "figures": [], "protocol": 3}', '{"iteration": true, "figures": {}}']
    (run / "evaluations.jsonl").write_text("\n".join(bad))
    (run / "samples" / "00000070.png").write_bytes(b"no picture")
    (run / "samples" / "notes.png").write_bytes(b"")
    report = write(run, tmp_path / "r.html")
    assert "Nothing was measured yet" in text_of(report, "metrics")
    assert "00000070.png' cannot be read: it is not an image" in text_of(report, "samples")
    assert len(records([run])[0].rows) == 51


def test_what_was_logged_before_the_first_iteration_counts(run: Path) -> None:
    write_lines(run / "metrics.jsonl", [trained(iteration) for iteration in range(3)])
    assert [row["iteration"] for row in records([run])[0].rows] == [0, 1, 2]


@pytest.mark.parametrize("value", [None, True, "1", [], float("nan"), float("inf"), 10**400])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    assert number(value) is None


def test_mistakes_are_plain_errors_and_nothing_is_written(run: Path, command: Command, place: Path) -> None:
    nothing = place / "nothing"
    nothing.mkdir()
    (place / "other").mkdir()
    (place / "other" / "config.json").write_text('{"gan": 3}')
    (place / "file.html").mkdir()
    pair = [str(run), str(run.parent / "spoiled2")]
    mistakes = {
        "is no run folder: it has no config.json": [str(nothing)],
        "does not say which GAN was trained; is it from a run?": [str(place / "other")],
        "is no run folder": [str(run), str(place / "missing")],
        "no checkpoint of iteration 77": [str(run), "--checkpoint", "77"],
        "option 'checkpoint' cannot be 'banana'": [str(run), "--checkpoint", "banana"],
        "option 'device'": [str(run), "--device", "toaster"],
        "is a folder; give a file in it": [str(run), "-o", str(place / "file.html")],
        "does not end in .html": [str(run), "-o", str(run / "config.json")],
        "does not make images from captions": [str(run), "--text", "three"],
        "option 'checkpoint' is for the report of one run": [*pair, "--checkpoint", "best"],
        "is for the interpolation of one run": [*pair, "--text", "three"],
        "cannot be written": [str(run), "-o", str(run / "log.txt" / "r.html")],
    }
    shutil.copytree(run, run.parent / "spoiled2")
    for words, arguments in mistakes.items():
        answer = command("report", *arguments)
        assert (answer.status, answer.out) == (2, ""), arguments
        assert words in answer.err
        assert "Traceback" not in answer.err
    assert not list(place.rglob("*.html.*"))
    assert [file for file in place.rglob("*.html") if file.is_file()] == []


def test_without_plotly_the_extra_is_named(run: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    answer = command("report", str(run))
    assert answer.status == 2
    assert "pip install 'ganzoo[report]'" in answer.err
