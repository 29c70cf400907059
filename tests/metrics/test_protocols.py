"""Named protocols, numbers of samples and of real images apart, and what is said of few."""

import json
import logging
from pathlib import Path

import pytest
import torch
from numbered import Numbered
from shared import Command
from test_evaluate import copied  # a fixture  # noqa: F401

import ganzoo
from ganzoo.data.load import load_some
from ganzoo.metrics.evaluate import data_of, ready_for
from ganzoo.metrics.protocol import Protocol
from ganzoo.metrics.sets import FrechetDistance
from ganzoo.options.evaluation import ALL, PROTOCOLS, EvaluationOptions
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_named_protocol_is_a_set_of_values_that_others_win_over(name: str) -> None:
    options = EvaluationOptions.model_validate({"protocol": name})
    named = PROTOCOLS[name]
    assert (options.samples, options.split, options.reals) == (named.samples, named.split, ALL)
    assert options.extractor is not None
    assert options.extractor.kind == named.extractor
    assert options.follows() == name
    for other in ({"samples": 7}, {"split": "test" if named.split == "train" else "train"}, {"extractor": "digits"}):
        changed = EvaluationOptions.model_validate({"protocol": name, **other})
        assert changed.follows() is None
        assert changed.metric == options.metric
    assert EvaluationOptions.model_validate({"protocol": name, "seed": 5}).follows() == name


def test_fid50k_full_is_what_stylegan_papers_measure() -> None:
    options = EvaluationOptions.model_validate({"protocol": "fid50k-full"})
    assert [metric.kind for metric in options.metric] == ["fid"]
    assert (options.samples, options.split) == (50_000, "train")
    assert options.extractor == zoo().extractors["inception"]()
    assert PROTOCOLS["fid10k-test"].split == "test"


def test_a_run_is_measured_by_a_named_protocol(
    command: Command,
    copied: Path,  # noqa: F811 - the fixture
) -> None:
    words = "evaluate dcgan --protocol fid10k-test --extractor digits --samples 70 --json"
    answer = command(*words.split())
    assert answer.status == 0, answer.err
    line = json.loads(answer.out)
    assert line["figures"].keys() == {"fid"}
    assert (line["protocol"]["samples"], line["protocol"]["reals"]) == (70, 10_000)
    assert "name" not in line["protocol"], "it is not that protocol"


def test_fakes_and_reals_may_be_of_other_numbers(copied: Path) -> None:  # noqa: F811 - the fixture
    trained = ganzoo.load(copied / "dcgan")
    line = ganzoo.evaluate(trained, metric="fid", samples=130, reals=300)
    ready = ready_for(trained, {"metric": "fid", "samples": 130, "reals": 300})
    made = torch.cat([images for _, images in ready._made(trained.nets)])
    real = load_some(data_of(RunFolder(copied / "dcgan")), frozenset({"image"}), "test", 300).columns["image"]
    digits = zoo().extractors["digits"]().build(copied)
    with torch.no_grad():
        features = [digits(images)[0] for images in (real.float() / 127.5 - 1, made)]
    assert list(map(len, features)) == [300, 130]
    assert line["figures"]["fid"] == pytest.approx(FrechetDistance().measure(*features), rel=1e-5)
    same = ganzoo.evaluate(trained, metric="fid", samples=130, reals=130)
    assert same["protocol"] == ganzoo.evaluate(trained, metric="fid", samples=130)["protocol"]


@pytest.mark.parametrize(("samples", "rows"), [(3, [0, 2, 5]), (8, [0, 1, 2, 3, 4, 5, 6, 7]), (10, [*range(8), 0, 1])])
def test_conditions_are_taken_in_turn_or_at_even_distances(samples: int, rows: list[int], place: Path) -> None:
    trained = ganzoo.run(Numbered, image_size=8, limit=8, batch_size=4, epochs=1, out=place / "run")
    ready = ready_for(trained, {"samples": samples, "reals": 8, "metric": "fid"})
    assert ready.rows.tolist() == rows
    labels = ready.columns["label"][ready.rows]
    made = torch.cat([images for _, images in ready._made(trained.nets)])
    torch.testing.assert_close(made[:, 0, 0, 0], labels / 10, atol=1 / 254, rtol=0)


def test_of_few_images_fid_is_measured_with_a_warning(
    copied: Path,  # noqa: F811 - the fixture
    caplog: pytest.LogCaptureFixture,
) -> None:
    trained = ganzoo.load(copied / "dcgan")
    with caplog.at_level(logging.WARNING, "ganzoo"):
        ganzoo.evaluate(trained, metric="fid", samples=65)
        assert "fid" not in caplog.text
        ganzoo.evaluate(trained, metric="fid", samples=64, reals=100)
    assert "fid: 64 images are too few for a covariance of 64 features to have full rank" in caplog.text
    assert "2,048 images are too few" in FrechetDistance().caution(2048, 2048)
    assert FrechetDistance().caution(2049, 2048) == ""


PROTOCOL = Protocol(
    data="mnist", split="test", samples=100, seed=0, shape=(1, 8, 8), images="a" * 64, metrics={}, extractor="digits"
)


def test_protocols_of_other_numbers_of_real_images_are_not_alike() -> None:
    more = PROTOCOL.model_copy(update={"reals": 500, "images": "b" * 64})
    assert PROTOCOL.differences(more)["reals"] == "reals is 100, not 500"
    assert "--reals 500" in more.command("run", {"reals", "images"})
    assert not more.beyond_options({"reals", "images"})
    assert not PROTOCOL.differences(PROTOCOL.model_copy(update={"name": "some"}))
    assert not PROTOCOL.differences(PROTOCOL.model_copy(update={"reals": 100}))


def test_fewer_translations_than_pairs_are_held_against_their_own_targets(copied: Path) -> None:  # noqa: F811 - the fixture
    trained = ganzoo.load(copied / "pix2pix")
    line = ganzoo.evaluate(trained, metric="l1", samples=3, reals=7)
    columns = load_some(data_of(RunFolder(copied / "pix2pix")), trained.gan.needs, "test", 7).columns
    source, target = (columns[name][[0, 2, 4]].float() / 127.5 - 1 for name in ("source", "target"))
    made = ((trained.translate(source) + 1) * 127.5).round() / 127.5 - 1
    assert line["figures"]["l1"] == pytest.approx((made - target).abs().mean().item() / 2, abs=1e-5)
    assert (line["protocol"]["samples"], line["protocol"]["reals"]) == (3, 7)
