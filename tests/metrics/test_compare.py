"""`ganzoo compare`: figures of one protocol side by side, and what other seeds would have made of them."""

import json
import math
import shlex
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from shared import Command
from torch import Tensor

import ganzoo
from ganzoo.config import validate
from ganzoo.data.load import DataOptions
from ganzoo.metrics.compare import STUDENT, by_chance, letters
from ganzoo.metrics.neighbors import NearestRatio
from ganzoo.metrics.selection import settled
from ganzoo.options.evaluation import EvaluationOptions
from ganzoo.plugins import zoo

PROTOCOL: dict[str, Any] = {
    "data": "mnist",
    "split": "test",
    "samples": 1000,
    "seed": 0,
    "shape": [1, 32, 32],
    "images": "a" * 64,
    "metrics": {"fid": {}, "coverage": {"neighbours": 5}},
    "extractor": "digits",
    "weights": "b" * 64,
    "resizer": "bilinear",
}


def line(fid: float, coverage: float = 0.5, iteration: int = 100, **changes: object) -> dict[str, Any]:
    figures = {"fid": fid, "coverage": coverage}
    return {"iteration": iteration, "when": "2026-01-01T00:00:00+00:00", "protocol": PROTOCOL | changes,
            "figures": figures}  # fmt: skip


def run(place: Path, name: str, *lines: object, seed: int = 0, **options: object) -> None:
    (place / name).mkdir()
    config = {"gan": {"name": "some", "latent_dim": 8}, "seed": seed, "log_every": 50, **options}
    (place / name / "config.json").write_text(json.dumps(config))
    (place / name / "evaluations.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))


def compare(command: Command, *words: str) -> dict[str, Any]:
    answer = command("compare", *words, "--json")
    assert answer.status == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_runs_that_differ_in_nothing_but_their_seed_are_one_group(command: Command, place: Path) -> None:
    for seed, fid in enumerate((10.0, 11.0, 12.0)):
        run(place, f"a{seed}", line(fid), seed=seed, log_every=seed + 1, device="cpu" if seed else "auto")
        run(place, f"b{seed}", line(fid + 5, 0.5 + 0.1 * seed), seed=seed, epochs=7)
    found = compare(command, "a0", "b0", "a1", "b1", "a2", "b2")
    assert [row["group"] for row in found["runs"]] == ["A", "B"] * 3
    assert [group["seeds"] for group in found["groups"]] == [3, 3]
    assert found["groups"][0]["mean"] == {"fid": 11, "coverage": 0.5}
    assert found["groups"][0]["deviation"] == {"fid": 1, "coverage": 0}
    fid, coverage = found["differences"]
    assert (fid["difference"], fid["better"]) == (-5, "A")
    assert fid["chance"] == pytest.approx(2.776 * math.sqrt(2 / 3))
    assert coverage["difference"] == pytest.approx(-0.1)
    assert coverage["better"] is None, "0.1 is less than its spread of 0, 0.1 and 0.2 would make"
    out = command("compare", "a0", "b0", "a1", "b1", "a2", "b2").out
    assert "A is better" in out
    assert "verdict" in out
    assert "may be chance" in out
    assert "11 ± 1" in out
    assert "1,000 images made" in out


def test_which_is_better_depends_on_the_metric(command: Command, place: Path) -> None:
    for seed in range(2):
        run(place, f"a{seed}", line(10, 0.9 + 0.001 * seed), seed=seed)
    run(place, "b", line(10, 0.1), epochs=7)
    fid, coverage = compare(command, "a0", "a1", "b")["differences"]
    assert (fid["difference"], fid["better"]) == (0, None)
    assert coverage["better"] == "A", "one seed beside two is enough"


def test_of_one_seed_each_nothing_is_said(command: Command, place: Path) -> None:
    run(place, "a", line(10))
    run(place, "b", line(90), epochs=7)
    assert [each["chance"] for each in compare(command, "a", "b")["differences"]] == [None, None]
    out = command("compare", "a", "b").out
    assert "one seed each: whether another seed would have turned it round, nothing here can tell" in out
    assert "better" not in out


def test_a_figure_that_a_run_lacks_is_said_to_be_not_measured_for_it(command: Command, place: Path) -> None:
    run(place, "a", line(10))
    other = line(11)
    del other["figures"]["coverage"]
    run(place, "b", other, seed=1)
    assert "\ncoverage: not measured for b\n" in command("compare", "a", "b").out
    assert compare(command, "a", "b")["not_measured"] == {"coverage": ["b"]}


def test_runs_of_other_length_are_no_group(command: Command, place: Path) -> None:
    run(place, "a", line(10))
    run(place, "b", line(11, iteration=200), seed=1)
    assert [group["seeds"] for group in compare(command, "a", "b")["groups"]] == [1, 1]


@pytest.mark.parametrize(
    ("changes", "said", "advice"),
    [
        ({"samples": 500}, "its samples is 500, not 1000", "`ganzoo evaluate b --samples 1000 --split test --seed 0"),
        ({"split": "train", "images": "c" * 64}, "its split is train, not test", "--extractor digits --metric fid"),
        ({"metrics": {"coverage": {"neighbours": 3}}}, "{'neighbours': 3}, not {'neigh", "--metric coverage:neighbo"),
        ({"weights": "c" * 64}, "its weights is cccccccc..., not bbbbbbbb...", "no option makes them alike"),
        ({"images": "c" * 64}, "its images is cccccccc..., not aaaaaaaa...", "no option makes them alike"),
        (
            {"extractor": "inception", "weights": "c" * 64},
            "its extractor is inception, not digits",
            "--extractor digits",
        ),
        ({"data": "fashion-mnist", "images": "c" * 64}, "its data is fashion-mnist", "--seed 0 --data mnist --ex"),
        ({"extractor_options": {"a": 1}}, "its extractor_options is {'a': 1}, not {}", "--extractor digits --metric"),
        ({"resizer": "none"}, "its resizer is none, not bilinear", "no option makes them alike: its resizer"),
        ({"shape": [1, 64, 64]}, "its shape is (1, 64, 64), not (1, 32, 32)", "no option makes them alike"),
    ],
)
def test_figures_of_other_protocols_are_refused_with_what_differs(
    changes: dict[str, Any], said: str, advice: str, command: Command, place: Path
) -> None:
    run(place, "a", line(10))
    run(place, "b", line(10, **changes), seed=1)
    answer = command("compare", "a", "b")
    assert (answer.status, answer.out) == (2, "")
    assert "figures of 'b' and of 'a' cannot be compared" in answer.err
    assert said in answer.err
    assert advice in answer.err


def test_options_of_how_images_are_made_are_made_alike_by_an_option(command: Command, place: Path) -> None:
    run(place, "a", line(10, sampling={"truncation": 0.7, "other": 1}))
    run(place, "my runs", line(10, sampling={"truncation": 1.0, "other": 1}), seed=1)
    said = command("compare", "a", "my runs").err
    assert "its sampling.truncation is 1.0, not 0.7" in said
    typed = said.split("`")[1]
    assert typed.startswith("ganzoo evaluate 'my runs' --samples 1000")
    assert typed.endswith(" -O truncation=0.7")


def test_what_it_says_to_type_runs_no_code_of_a_folder(command: Command, place: Path) -> None:
    code = "$(touch here); x"
    hostile = line(10, metrics={"fid": {code: 1}, "coverage": {"neighbours": code}, code: {}}, samples=500)
    run(place, "a", hostile)
    run(place, "b", line(10), seed=1)
    typed = command("compare", "a", "b").err.split("`")[1]
    *usual, last = shlex.split(typed)
    assert " ".join(usual) == (
        "ganzoo evaluate b --samples 500 --split test --seed 0 --extractor digits --metric fid --metric"
    )
    assert last == f"coverage:neighbours={code}"
    run(place, "c", line(10, extractor=code))
    said = command("compare", "c", "b").err
    assert "no option makes them alike: its extractor is digits, not $(touch" in said
    assert "`" not in said


def test_the_best_of_seeds_are_one_group_whenever_each_was_at_its_best(command: Command, place: Path) -> None:
    for seed in range(2):
        run(place, f"a{seed}", line(5, iteration=100 * (seed + 1)), line(9, iteration=400), seed=seed)
    found = compare(command, "a0", "a1", "--best", "fid")
    assert [row["iteration"] for row in found["runs"]] == [100, 200]
    assert [group["seeds"] for group in found["groups"]] == [2]


def test_a_default_that_a_run_was_told_makes_it_no_other_experiment(command: Command, place: Path) -> None:
    for seed, more in enumerate(({}, {"init_from": None, "precision": "auto"})):
        run(place, f"a{seed}", line(5), seed=seed, **more)
        config = {"gan": {"name": "dcgan"}, "data": "mnist", "seed": seed, **more}
        (place / f"a{seed}" / "config.json").write_text(json.dumps(config))
    assert [group["seeds"] for group in compare(command, "a0", "a1")["groups"]] == [2]


def test_the_latest_lines_of_one_protocol_are_taken_or_the_best(command: Command, place: Path) -> None:
    run(place, "a", line(7), line(10), line(3, samples=50))
    run(place, "b", line(9), line(12), line(2, samples=60), seed=1)
    latest, best = compare(command, "a", "b"), compare(command, "a", "b", "--best", "fid")
    assert [row["figures"]["fid"] for row in latest["runs"]] == [10, 12]
    assert [row["figures"]["fid"] for row in best["runs"]] == [7, 9]
    assert "no metric is called 'sharpness'" in command("compare", "a", "b", "--best", "sharpness").err
    assert (
        "'kid' was not measured of 'a'; there are: coverage, fid" in command("compare", "a", "b", "--best", "kid").err
    )


class Needy(ganzoo.SetMetric):
    """Must be told something."""

    kind = "needy"
    usual = True
    higher_is_better = True
    depth: int = Field(description="how deep")

    def measure(self, real: Tensor, fake: Tensor) -> float:
        return float(self.depth)


def test_the_best_is_known_by_a_metric_that_must_be_told_something(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(zoo().metrics.entries, "needy", Needy)
    for seed, name in enumerate("ab"):
        run(place, name, *({**line(1), "figures": {"needy": figure}} for figure in (3, 7, 5)), seed=seed)
    found = compare(command, "a", "b", "--best", "needy")
    assert [row["figures"]["needy"] for row in found["runs"]] == [7, 7]
    data = validate(DataOptions, {"data": "mnist"})
    usual = settled(zoo().gan("dcgan")(), data, EvaluationOptions(), and_usual=False)
    assert usual
    assert "needy" not in {metric.kind for metric in usual}


def test_lines_that_are_none_are_left_out(command: Command, place: Path) -> None:
    broken = [3, [], {"iteration": 1}, {**line(1), "figures": None}, {**line(1), "protocol": {"samples": "many"}}]
    run(place, "a", line(10), *broken)
    with (place / "a" / "evaluations.jsonl").open("a") as file:
        file.write(json.dumps(line(4)).replace('"iteration": 100', '"iteration": 1e999') + "\n")
        file.write('{"iteration": 9, "fig')
    run(place, "b", {**line(12), "figures": {"fid": 12, "coverage": None}}, seed=1)
    found = compare(command, "a", "b")
    assert [row["figures"]["fid"] for row in found["runs"]] == [10, 12]
    assert found["groups"][0]["mean"].keys() == {"fid"}


def test_what_cannot_be_compared_is_said(command: Command, place: Path) -> None:
    run(place, "a", line(10))
    run(place, "copy", line(10))
    run(place, "none")
    for words, said in (
        (["a"], "name at least two runs"),
        (["a", "nowhere"], "nowhere is no run folder"),
        (["a", "none"], "none was not measured yet: `ganzoo evaluate none` does it"),
        (["a", "copy"], "'a' and 'copy' are the same run with the same seed, 0: leave one out"),
        (["a", "a"], "the same run with the same seed"),
    ):
        answer = command("compare", *words)
        assert (answer.status, answer.out) == (2, ""), words
        assert said in answer.err


def test_chance_is_students_t() -> None:
    assert by_chance([1.0], [5.0]) is None
    assert by_chance([1.0, 3.0], [5.0]) == pytest.approx(STUDENT[0] * math.sqrt(2) * math.sqrt(1.5))
    assert by_chance([1.0, 1.0], [5.0, 5.0]) == 0
    many = by_chance([0.0, 1.0] * 50, [0.0, 1.0] * 50)
    assert many == pytest.approx(STUDENT[-1] * math.sqrt(0.25 * 100 / 99 / 50))
    assert list(STUDENT) == sorted(STUDENT, reverse=True)
    assert [letters(number) for number in (0, 25, 26, 27, 52)] == ["A", "Z", "AA", "AB", "BA"]


def test_of_a_ratio_the_one_nearer_to_1_is_better(command: Command, place: Path) -> None:
    for seed in range(3):
        for name, ratio in (("copies", 0.2), ("fine", 0.95), ("far", 2.5)):
            figures = {"figures": {"nearest-ratio": ratio + seed / 100}}
            worse = {"figures": {"nearest-ratio": 3.0}, "iteration": 200}
            run(place, f"{name}{seed}", line(1) | figures, line(1) | worse, seed=seed, epochs=len(name))
    runs = [f"{name}{seed}" for name in ("copies", "fine", "far") for seed in range(3)]
    found = compare(command, *runs, "--best", "nearest-ratio")
    assert [each["better"] for each in found["differences"]] == ["B", "A", "B"], "A: copies, B: fine, C: far"
    assert {row["iteration"] for row in found["runs"]} == {100}
    assert NearestRatio.better() == "about 1"
    assert NearestRatio().score(0.5) == NearestRatio().score(1.5) > NearestRatio().score(0.9)
