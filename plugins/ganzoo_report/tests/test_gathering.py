"""What a page is made of: curves that can be read, pictures that fit, ways between images, options told apart."""

import base64
import io
import json
from pathlib import Path

import pytest
import torch
from ganzoo_report import curves, images, settings, write
from ganzoo_report.record import Record, records
from ganzoo_report.tests.pages import evaluation, grown, trained, write_lines
from ganzoo_report.walk import STEPS, WALKS, walk
from PIL import Image

import ganzoo
from ganzoo import pictures
from ganzoo.options import resolve
from ganzoo.plugins import zoo


@pytest.fixture
def run(runs: Path, tmp_path: Path) -> Path:
    return grown(runs / "dcgan", tmp_path / "run")


def of(run: Path) -> Record:
    return records([run])[0]


def test_long_histories_become_means_of_so_many_points(run: Path) -> None:
    write_lines(run / "metrics.jsonl", [{"iteration": n, "p/loss": n % 2} for n in range(1, 4001)])
    (panel,) = curves.losses(of(run))
    (series,) = panel.series
    assert len(series.x) == len(series.y) <= curves.POINTS
    assert series.x[-1] == 4000
    assert all(value is not None and 0.3 < value < 0.7 for value in series.y[:-1])


def test_a_loss_that_is_no_number_leaves_a_gap(run: Path) -> None:
    write_lines(run / "metrics.jsonl", [{"iteration": n, "p/loss": None if n == 2 else 1.5} for n in (1, 2, 3)])
    assert curves.losses(of(run))[0].series[0].y == [1.5, None, 1.5]


def test_terms_of_one_size_share_a_chart(run: Path) -> None:
    row = {"g/adversarial": 0.7, "g/class": 2.0, "g/l1": 60.0, "g/r1": 0.001, "d/adversarial": 1.3}
    write_lines(run / "metrics.jsonl", [{"iteration": n, **row} for n in (1, 2, 3)])
    panels = [(panel.title, [series.name for series in panel.series]) for panel in curves.losses(of(run))]
    assert panels == [
        ("g", ["adversarial", "class"]),
        ("g · l1", ["l1"]),
        ("g · r1", ["r1"]),
        ("d · adversarial", ["adversarial"]),
    ]


def test_options_of_one_metric_matter_to_its_figures_only(run: Path) -> None:
    first = evaluation(1, 100, 9.0, metrics={"fid": {}, "kid": {"subsets": 5}})
    first["figures"]["kid"] = 0.5
    second = evaluation(2, 100, 8.0, metrics={"fid": {}, "kid": {"subsets": 50}})
    second["figures"]["kid"] = 0.4
    third = evaluation(3, 100, 7.0, metrics={"fid": {}}, sampling={"truncation": 0.7})
    write_lines(run / "evaluations.jsonl", [first, second, third])
    (one,) = curves.measured([of(run)])
    found = [(panel.title, panel.unit, [(part.name, part.y) for part in panel.series]) for panel in one.panels]
    assert found == [
        ("fid", "", [("fid", [9, 8]), ("fid, truncation 0.7", [7])]),
        ("kid", "subsets 5", [("kid", [0.5])]),
        ("kid", "subsets 50", [("kid", [0.4])]),
    ]


def test_the_first_figures_name_their_protocol(run: Path) -> None:
    write_lines(run / "evaluations.jsonl", [evaluation(1, 100, 9.0), evaluation(2, 100, 8.25)])
    assert curves.headlines(of(run)) == {"fid (inception, 100, test)": "8.25"}
    write_lines(run / "evaluations.jsonl", [evaluation(2, 100, 9.0), evaluation(2, 100, 8.5)])
    assert curves.headlines(of(run)) == {"fid (inception, 100, test)": "8.5"}
    write_lines(run / "evaluations.jsonl", [evaluation(2, 1000, 9.0), evaluation(1, 5000, 7.0), evaluation(2, 10, 8.5)])
    assert curves.headlines(of(run)) == {"fid (inception, 1000, test)": "9"}


def test_time_is_told_by_the_speed_that_was_logged(run: Path) -> None:
    rows = [
        trained(2) | {"images": 100, "images_per_second": 10},
        trained(4) | {"images": 200, "images_per_second": 50},
    ]
    write_lines(run / "metrics.jsonl", rows)
    assert curves.seconds(of(run)) == 12


def test_grids_are_thinned_and_the_first_and_last_stay(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for iteration in (2, 50, 100, *range(200, 320)):
        Image.new("RGB", (30, 20), (iteration % 256, 0, 0)).save(run / "samples" / f"{iteration:08}.png")
    found = images.film(of(run))
    assert len(found.frames) == images.GRIDS
    assert (found.frames[0].iteration, found.frames[-1].iteration) == (2, 319)
    assert found.notes == ["48 of 123 grids, evenly spaced; the folder has them all."]
    monkeypatch.setattr(images, "BUDGET", 1500)
    fewer = images.film(of(run))
    assert 1 < len(fewer.frames) < images.GRIDS
    assert (fewer.frames[0].iteration, fewer.frames[-1].iteration) == (2, 319)


def test_large_grids_are_scaled_down_and_the_page_says_so(run: Path) -> None:
    Image.linear_gradient("L").resize((3000, 1500)).save(run / "samples" / "00000900.png")
    found = images.film(of(run))
    assert (found.frames[-1].shot.width, found.frames[-1].shot.height) == (1024, 512)
    assert found.last is not None
    assert found.last.shot.width == images.LARGE
    assert found.notes == ["Scaled down to 1024 pixels."]


def test_a_translation_is_cut_into_source_made_and_target(runs: Path, tmp_path: Path) -> None:
    rows = images.translations(of(runs / "pix2pix"))
    assert len(rows) == 8
    assert all(row.target is not None and (row.made.width, row.made.height) == (32, 32) for row in rows)
    other = grown(runs / "pix2pix", tmp_path / "other")
    file = max((other / "samples").glob("*.png"))
    grid = Image.open(file).convert("RGB")
    tile, end = 32 + pictures.PADDING, len(rows) - 1
    columns = (grid.width - pictures.PADDING) // tile
    for place in (1, 3 * end, 3 * end + 1, 3 * end + 2):  # one that is made, and the whole last row
        left, top = (pictures.PADDING + part * tile for part in (place % columns, place // columns))
        grid.paste((0, 0, 0), (left, top, left + 32, top + 32))
    grid.save(file)
    fewer = images.translations(of(other))
    assert [(row.source, row.target) for row in fewer] == [(row.source, row.target) for row in rows[:end]]
    assert [row.made for row in fewer[1:]] == [row.made for row in rows[1:end]]
    Image.new("RGB", (77, 50)).save(other / "samples" / "00000900.png")
    assert images.translations(of(other)) == []  # laid out in another way
    assert images.translations(of(runs / "dcgan")) == []


def test_nearest_training_images_are_on_the_page_if_they_were_looked_for(run: Path, tmp_path: Path) -> None:
    assert images.neighbors(of(run)) is None
    assert 'id="neighbors"' not in write(run, tmp_path / "before.html").read_text()
    Image.linear_gradient("L").resize((120, 70)).save(run / "nearest.png")
    found = images.neighbors(of(run))
    assert found is not None
    assert (found.width, found.height) == (120, 70)
    page = write(run, tmp_path / "after.html").read_text()
    assert '<section id="neighbors">' in page
    assert found.uri in page
    (run / "nearest.png").write_bytes(b"no picture")
    assert images.neighbors(of(run)) is None


def test_a_way_begins_with_what_generate_makes(runs: Path) -> None:
    trained = ganzoo.load(runs / "dcgan", device="cpu")
    state = torch.random.get_rng_state()
    found = walk(trained, ())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (found.rows, found.steps, found.tile) == (WALKS, STEPS, (16, 16))
    strip = Image.open(io.BytesIO(base64.b64decode(found.shot.uri.partition(",")[2]))).convert("L")
    first = trained.generate(1)[0, 0]
    shown = torch.tensor(list(strip.crop((2, 2, 18, 18)).tobytes())).reshape(16, 16) / 127.5 - 1
    assert (first - shown).abs().max() < 0.02


def test_captions_are_what_the_rows_are_of(runs: Path) -> None:
    trained = ganzoo.load(runs / "text2image", device="cpu")
    assert walk(trained, ["a face", "a cat"]).labels == ["a face", "a cat"] * 2
    with pytest.raises(ganzoo.UserError, match="cannot be"):
        walk(trained, ["x" * 10_000])


def test_every_option_of_every_gan_is_described_under_a_heading(run: Path) -> None:
    for name, gan in sorted(zoo().gans.items()):
        (run / "config.json").write_text(json.dumps(resolve(gan, {}).model_dump(mode="json")))
        groups = settings.settings(of(run))
        assert next(iter(groups)) == name
        all_of_them = [setting for group in groups.values() for setting in group]
        assert not [setting.name for setting in all_of_them if setting.differs or not setting.help]
