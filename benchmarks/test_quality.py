"""The proofs from end to end, tiny: a row and a picture of a GAN, and the tables that are made of rows."""

import json
from pathlib import Path

import pytest

from benchmarks import quality, quality_table
from benchmarks.proofs import proofs
from benchmarks.table import of_speed
from ganzoo.plugins import zoo


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_every_gan_has_a_proof(name: str) -> None:
    kinds = proofs(zoo().gan(name))
    assert kinds
    assert len({kind.name for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.options.keys() <= kind.tiny.keys() | {"batch_size"}, "tiny trainings are of the same data"


def test_parts_share_the_work() -> None:
    whole, *halves = (
        [work.stem for work in quality.planned(quality.parser().parse_args(["--part", part]))]
        for part in ("1/1", "1/2", "2/2")
    )
    assert sorted([*halves[0], *halves[1]]) == sorted(whole)
    assert len(set(whole)) == len(whole)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two tiny races leave."""
    folder = tmp_path_factory.mktemp("quality")
    words = ["dcgan:chapter", "dcgan:quick", "--equal-time", "1", "--samples", "100"]
    quality.main([*words, "--results", str(folder), "--pictures", str(folder), "--runs", str(folder / "runs")])
    return folder


def test_a_row_holds_trained_and_untrained_figures_and_the_command(rows: Path) -> None:
    row = json.loads((rows / "quality-equal-time-dcgan-chapter.json").read_text(encoding="utf-8"))
    assert row["trained"].keys() == row["untrained"].keys() == {"frechet", "entropy"}
    assert row["trained"]["frechet"] != row["untrained"]["frechet"]
    assert row["beside"]["train digits"]["frechet"] < row["trained"]["frechet"]
    assert row["command"].startswith("ganzoo run dcgan --recipe chapter --data mnist --image-size 32")
    assert row["images"] == row["iterations"] * row["options"]["batch_size"]
    assert 0.1 < row["seconds"] < 100
    assert (rows / "dcgan-chapter.png").stat().st_size > 1000
    assert not of_speed(rows)


def test_tables_are_written_from_rows(rows: Path, tmp_path: Path) -> None:
    text = (quality_table.DOCS / "quality.md").read_text(encoding="utf-8")
    (tmp_path / "quality.md").write_text(text, encoding="utf-8")
    quality_table.main([*map(str, rows.glob("*.json")), "--docs", str(tmp_path)])
    tables = (tmp_path / "quality.md").read_text(encoding="utf-8")
    assert "| `dcgan:chapter` |" in tables
    assert "| untrained |" in tables
    assert "| *train digits* |" in tables
