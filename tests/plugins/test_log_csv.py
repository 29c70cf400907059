"""metrics.csv and evaluations.csv: tables of what the .jsonl files beside them hold."""

import csv
from pathlib import Path

import pytest
from looked_on import OPTIONS, Evaluates
from trained import Stop
from trained import rows as metrics

import ganzoo
from ganzoo.plugins import zoo

pytestmark = pytest.mark.usefixtures("toy")


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, strict=True))


def as_numbers(rows: list[dict[str, str]]) -> list[dict[str, float]]:
    return [{name: float(value) for name, value in row.items() if value} for row in rows]


def test_it_holds_what_the_lines_hold(tmp_path: Path) -> None:
    ganzoo.run("toy", out=tmp_path / "run", callback="csv", **OPTIONS)
    assert as_numbers(table(tmp_path / "run" / "metrics.csv")) == metrics(tmp_path / "run")
    assert (tmp_path / "run" / "metrics.csv").read_text().startswith("iteration,epoch,images,images_per_second,gen")
    assert not (tmp_path / "run" / "evaluations.csv").exists()


def test_a_run_that_goes_on_drops_what_is_made_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run("toy", out=run, callback=["csv", Stop(8)], **OPTIONS)
    assert [row["iteration"] for row in table(run / "metrics.csv")] == ["2", "4", "6"]
    with (run / "metrics.csv").open("a") as file:
        file.write("1,2")  # as a crash may leave it
    ganzoo.run("toy", out=run, callback="csv", **OPTIONS)
    assert as_numbers(table(run / "metrics.csv")) == metrics(run)
    assert [row["iteration"] for row in table(run / "metrics.csv")] == ["2", "4", "6", "8", "10", "12"]


def test_a_run_that_had_no_table_before_gets_a_whole_one(tmp_path: Path) -> None:
    ganzoo.run("toy", out=tmp_path / "run", **OPTIONS)
    ganzoo.run("toy", out=tmp_path / "run", callback="csv", **{**OPTIONS, "epochs": 4})
    assert as_numbers(table(tmp_path / "run" / "metrics.csv")) == metrics(tmp_path / "run")


def test_losses_that_come_seldom_have_a_column_in_every_row(tmp_path: Path) -> None:
    options = {**OPTIONS, "log_every": 1, "player": {"generator.every": "5"}}
    ganzoo.run("toy", out=tmp_path / "run", callback="csv", **options)
    rows = table(tmp_path / "run" / "metrics.csv")
    assert [bool(row["generator/adversarial"]) for row in rows] == [number % 5 == 0 for number in range(1, 13)]
    assert as_numbers(rows) == metrics(tmp_path / "run")


def test_a_run_that_went_back_has_no_rows_of_what_does_not_count(tmp_path: Path) -> None:
    class Breaks(ganzoo.Callback):
        broke = False

        def on_step_end(self, trainer: ganzoo.Trainer) -> None:
            if trainer.engine.iteration == 9 and not self.broke:
                self.broke = True
                next(trainer.engine.nets.parameters()).data.fill_(float("nan"))

    run = tmp_path / "run"
    ganzoo.run("toy", out=run, callback=["csv", Breaks()], on_nan="rollback", **OPTIONS)
    assert "going back to iteration 5" in (run / "log.txt").read_text()
    assert as_numbers(table(run / "metrics.csv")) == metrics(run)


def test_figures_stand_in_a_table_of_their_own_beside_how_they_were_measured(tmp_path: Path) -> None:
    logger = zoo().callbacks["csv"]().build()
    ganzoo.run("toy", out=tmp_path / "run", callback=[logger, Evaluates(logger)], **OPTIONS)
    first, second = table(tmp_path / "run" / "evaluations.csv")
    assert (first["iteration"], first["figures.fid"], first["figures.late"]) == ("3", "20.0", "")
    assert (second["figures.fid"], second["figures.late"], second["protocol.samples"]) == ("10.0", "2.5", "8")
