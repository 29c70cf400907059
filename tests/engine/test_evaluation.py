"""Evaluations on the way: training goes on as if there were none, and the best weights stay."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from shared import Command
from trained import Stop, tensors

import ganzoo
from ganzoo.contract.callback import Callback
from ganzoo.runs import checkpoint
from ganzoo.runs.folder import RunFolder
from ganzoo.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("toy")

TINY: dict[str, Any] = {"image_size": 16, "limit": 16, "batch_size": 4, "checkpoint_every": 100, "precision": "fp32"}
OFTEN: dict[str, Any] = {"evaluate_every": 3, "evaluate_samples": 70}


class Look(Callback):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def on_evaluate(self, trainer: Trainer, line: dict[str, Any]) -> None:
        self.lines.append(line)


def lines(folder: Path) -> list[dict[str, Any]]:
    return RunFolder(folder).lines(folder / "evaluations.jsonl")


@pytest.mark.parametrize("options", [{}, {"ema_images": 8}])
def test_weights_and_random_numbers_are_the_same_with_and_without(options: dict[str, Any], tmp_path: Path) -> None:
    look = Look()
    ganzoo.run("toy", out=tmp_path / "without", epochs=2, **TINY, **options)
    ganzoo.run("toy", out=tmp_path / "with", epochs=2, callback=look, **TINY, **options, **OFTEN)
    without, measured = tensors(tmp_path / "without"), tensors(tmp_path / "with")
    assert without.keys() == measured.keys()
    assert all(torch.equal(without[key], measured[key]) for key in without)
    assert [line["iteration"] for line in look.lines] == [3, 6, 8]
    assert lines(tmp_path / "with") == look.lines
    trained = ganzoo.load(tmp_path / "with")
    again = ganzoo.evaluate(trained, samples=70)
    assert again["protocol"] == look.lines[-1]["protocol"]
    assert again["figures"] == pytest.approx(look.lines[-1]["figures"])


def test_the_best_by_the_metric_that_was_chosen_stays(tmp_path: Path) -> None:
    look = Look()
    ganzoo.run("toy", out=tmp_path / "run", epochs=3, callback=look, keep_last=1, metric="density",
               **TINY, **OFTEN)  # fmt: skip
    scores = {line["iteration"]: line["figures"]["density"] for line in look.lines}
    best = max(scores, key=lambda iteration: scores[iteration])
    assert ganzoo.load(tmp_path / "run", checkpoint="best").iteration == best
    assert {best, 12} == {int(path.name) for path in checkpoint.checkpoints(tmp_path / "run" / "checkpoints")}
    assert next(iter(look.lines[0]["figures"])) == "density"
    assert "fid" in look.lines[0]["figures"]


def test_a_run_that_goes_on_measures_as_one_that_was_not_stopped(tmp_path: Path) -> None:
    options = {**TINY, **OFTEN, "checkpoint_every": 5}
    ganzoo.run("toy", out=tmp_path / "whole", epochs=3, **options)
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run("toy", out=tmp_path / "stopped", epochs=3, callback=Stop(10), **options)
    ganzoo.run("toy", out=tmp_path / "stopped", epochs=3, **options)
    whole, stopped = ([(line["iteration"], line["figures"]) for line in lines(tmp_path / name)]
                      for name in ("whole", "stopped"))  # fmt: skip
    assert whole == stopped
    assert [iteration for iteration, _ in whole] == [3, 6, 9, 12]
    assert best_of(tmp_path / "whole") == best_of(tmp_path / "stopped")


def best_of(folder: Path) -> object:
    last = checkpoint.checkpoints(folder / "checkpoints")[-1]
    return json.loads((last / "state.json").read_text())["best"]


def test_another_metric_makes_earlier_scores_say_nothing(tmp_path: Path) -> None:
    ganzoo.run("toy", out=tmp_path / "run", epochs=1, **TINY, **OFTEN)
    first = best_of(tmp_path / "run")
    assert isinstance(first, list)
    assert first[1] > 0
    ganzoo.run("toy", out=tmp_path / "run", epochs=2, metric="coverage", **TINY, **OFTEN)
    second = best_of(tmp_path / "run")
    assert isinstance(second, list)
    assert second[0] > 4
    assert second[1] <= 0, "higher is better, so its sign is turned round"


@pytest.mark.slow
def test_the_best_is_chosen_on_the_split_that_is_asked_for_and_anew_on_another(tmp_path: Path) -> None:
    ganzoo.run("toy", out=tmp_path / "run", epochs=1, evaluate_split="train", **{**TINY, "limit": 70}, **OFTEN)
    assert {line["protocol"]["split"] for line in lines(tmp_path / "run")} == {"train"}
    first, done = best_of(tmp_path / "run"), lines(tmp_path / "run")[-1]["iteration"]
    assert isinstance(first, list)
    ganzoo.run("toy", out=tmp_path / "run", epochs=2, **{**TINY, "limit": 70}, **OFTEN)
    second = best_of(tmp_path / "run")
    assert isinstance(second, list)
    assert second[0] > done >= first[0]
    assert lines(tmp_path / "run")[-1]["protocol"]["split"] == "test"


def test_errors_come_before_the_first_iteration_and_nothing_is_written(command: Command, place: Path) -> None:
    line = "run dcgan --image-size 16 --limit 8 --batch-size 4 --epochs 1 --out run --evaluate-every 2"
    words = line.split()
    for more, said in (
        ("--metric l1", "'l1' cannot be measured here: what 'dcgan' makes has no targets"),
        ("--metric kid --evaluate-samples 100", "'kid' cannot be measured here: it takes 1,000 samples or more"),
        ("--extractor inception --extractor.weights nowhere.pth", "there are no weights of Inception in 'nowhere.pth'"),
        ("--evaluate-samples 3 --metric coverage", "it takes 6 samples or more"),
        ("--metric nonsense", "no metric is called 'nonsense'"),
    ):
        for trial in ([], ["--dry-run"]):
            answer = command(*words, *more.split(), *trial)
            assert answer.status == 2, more
            assert said in answer.err
    assert not (place / "run").exists()


def test_a_dry_run_counts_evaluations_and_writes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganzoo.options.run import resolve
    from ganzoo.plugins import zoo
    from ganzoo.training.run import dry_run

    monkeypatch.setattr("ganzoo.training.dry_run.SECONDS", 0.1)
    given = {**TINY, "epochs": 50}
    without, measured = (
        dry_run(resolve(zoo().gan("toy"), {**given, **more})) for more in ({}, {**OFTEN, "evaluate_every": 1})
    )
    assert measured.whole > without.whole + 0.5 * measured.iterations * 0.001
    assert not list(place.iterdir())


def test_the_terminal_shows_the_figures_and_resume_may_ask_for_them(command: Command, place: Path) -> None:
    line = "run toy --image-size 16 --limit 8 --batch-size 4 --epochs 1 --out run --precision fp32"
    assert command(*line.split()).status == 0
    more = "resume run --epochs 2 --evaluate-every 1 --evaluate-samples 70 --metric fid"
    answer = command(*more.split())
    assert answer.status == 0, answer.err
    assert "measured at iteration 3:  fid " in answer.out
    assert "(the best so far)" in answer.out
    assert [each["iteration"] for each in lines(place / "run")] == [3, 4]


def test_networks_that_make_no_numbers_are_not_judged(tmp_path: Path) -> None:
    kind = type(ganzoo.run("toy", out=tmp_path / "other", epochs=1, **TINY).gan)
    look = Look()

    class Broken(kind):  # type: ignore[misc, valid-type]  # whatever class the plugin has
        def sample(self, nets: ganzoo.Networks, batch: ganzoo.Batch) -> torch.Tensor:
            made: torch.Tensor = super().sample(nets, batch)
            return made * torch.nan if len(made) == 64 else made

    ganzoo.run(Broken, out=tmp_path / "run", epochs=1, callback=look, **TINY, **OFTEN)
    assert set(look.lines[-1]["figures"].values()) == {None}
    assert "nothing is measured: the images that it makes are NaN" in (tmp_path / "run" / "log.txt").read_text()
    assert best_of(tmp_path / "run") is None
