"""The proofs from end to end, tiny: rows and pictures of GANs, and the tables that are made of rows."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import ganzoo
from benchmarks import quality, quality_table, rows, showcase
from benchmarks.proofs import Proof, proofs
from benchmarks.proofs.proof import columns_with
from benchmarks.table import of_speed
from ganzoo.options.run import resolve
from ganzoo.plugins import zoo
from ganzoo.training.trainer import Trainer

PLAN = """
[gan]
epochs = 2
image_size = 16
limit = 64
precision = "fp32"

[digits]
gan = "gan"
minutes = 0.02
image_size = 16
precision = "fp32"
"""


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_every_gan_has_a_proof(name: str) -> None:
    kinds = proofs(zoo().gan(name))
    assert kinds
    assert len({kind.name for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.options.keys() <= kind.tiny.keys(), "tiny trainings are of the same data"


def test_nothing_that_chooses_is_measured_on_what_was_trained_on_or_on_the_test_split() -> None:
    parsed = quality.parser().parse_args(["gan", "pix2pix", "--choose"])
    for work in quality.planned(parsed):
        options = resolve(work.gan, work.options(0) | {"image_size": 32})
        proof = work.proof(options, 20, work.split)
        assert proof.protocol()["split"] == "held-out"
        field = "image" if "image" in proof.fields() else "target"
        real = proof.real[field]
        assert len(real) == 20
        trained_on = columns_with(field, Trainer.setup(options))[field]
        assert 0 < len(trained_on) < 60000 - 4999
        test = work.proof(options, 20).real[field]
        assert not torch.equal(real, test)
        if field == "image":
            pixels = ((real + 1) * 127.5).round().to(torch.uint8).flatten(1)
            assert not any((trained_on.flatten(1) == row).all(1).any() for row in pixels)


@pytest.mark.parametrize(
    ("gan", "given", "typed"),
    [
        ("dcgan", {}, ""),
        ("dcgan", {"recipe": "chapter", "lr": 1e-3}, "--recipe chapter --lr 0.001"),
        ("gan", {"loss": "hinge", "image_size": 64}, "--loss hinge --image-size 64"),
        ("gan", {"optimizer": {"lr": 5e-4}, "spectral_norm": True}, "--spectral-norm --optimizer.lr 0.0005"),
        ("gan", {"threads": 1, "log_every": 7, "device": "cpu"}, ""),
        ("pix2pix", {"player": {"discriminator.lr": "4e-4"}}, "--player discriminator.lr=4e-4"),
        ("pix2pix", {"data": "mnist", "as_": "edges"}, "--data mnist --as edges"),
    ],
)
def test_the_command_of_a_run_says_what_differs_from_its_defaults(gan: str, given: dict[str, Any], typed: str) -> None:
    words = shlex.split(rows.command(resolve(zoo().gan(gan), given)))
    assert words[:3] == ["ganzoo", "run", gan]
    assert sorted(words[3:]) == sorted(typed.split())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two tiny trainings of each of two recipes leave."""
    folder = tmp_path_factory.mktemp("quality")
    words = ["dcgan:chapter", "gan", "--seconds", "1", "--samples", "100", "--seeds", "0", "1"]
    quality.main([*words, "--results", str(folder), "--pictures", str(folder), "--runs", str(folder / "runs")])
    return folder


def test_a_row_holds_trained_and_untrained_figures_and_the_command(kept: Path) -> None:
    row = json.loads((kept / "quality-dcgan-chapter.json").read_text(encoding="utf-8"))
    assert row["trained"].keys() == row["untrained"].keys() == {"frechet", "confident", "entropy"}
    assert row["trained"]["frechet"] != row["untrained"]["frechet"]
    assert row["beside"]["train digits"]["frechet"] < row["trained"]["frechet"]
    assert row["command"].startswith("ganzoo run dcgan --recipe chapter")
    assert row["images"] == row["iterations"] * row["options"]["batch_size"]
    assert row["seeds"] == [0, 1]
    least, greatest = row["spread"]["frechet"]
    assert least < row["trained"]["frechet"] < greatest
    assert row["precision"] in ("fp32", "bf16")
    assert 0.1 < row["seconds"] < 100
    assert not of_speed(kept)


def test_a_picture_shows_digits_large(kept: Path) -> None:
    with Image.open(kept / "gan.png") as picture:
        assert picture.width > 600


def test_tables_are_written_from_rows(kept: Path, tmp_path: Path) -> None:
    text = (quality_table.DOCS / "quality.md").read_text(encoding="utf-8")
    (tmp_path / "quality.md").write_text(text, encoding="utf-8")
    trained = json.loads((kept / "quality-gan.json").read_text(encoding="utf-8"))
    trained |= {"column": "trained", "seconds": 2400.0, "trained": {**trained["trained"], "frechet": 0.25}}
    rows.keep_row(trained | {"spread": {}}, tmp_path)
    quality_table.main([*map(str, [*kept.glob("*.json"), *tmp_path.glob("*.json")]), "--docs", str(tmp_path)])
    tables = (tmp_path / "quality.md").read_text(encoding="utf-8")
    short, _, rest = tables.partition("### In short")[2].partition("### Digits")
    assert re.search(r"\| `gan` \| \S+ \| Fréchet distance \| \S+ \| \S+ \(\S+ to \S+\) \| 0\.25 \|", short)
    assert "dcgan" not in short, "that recipe is not the default"
    digits, _, equal = rest.partition("### Equal time")
    assert "| trained for 40 min |" in digits
    assert "| untrained |" in digits
    assert "| *train digits* |" in digits
    assert "| `dcgan:chapter` |" in equal
    assert "| `gan` |" in equal
    assert "share of chapter" in equal
    assert "seeds 0, 1" in equal


def test_unequal_times_are_not_compared(kept: Path) -> None:
    found = rows.read_rows(kept.glob("*.json"))
    with pytest.raises(ValueError, match=r"not trained for equal time: .*gan 1 s.*measure them again"):
        quality_table.rivals([*found, {**found[0], "seconds_asked": 180.0}])


def test_the_plan_names_gans_that_there_are_and_options_that_they_take() -> None:
    plan = showcase.read_plan(showcase.PLAN)
    assert {trainer.options.gan.name for trainer in plan} == set(zoo().gans)
    for trainer in plan:
        assert trainer.proofs(), f"nothing measures {trainer.name}"


def test_the_showcase_trains_continues_measures_and_ships(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    folders = ["--plan", tmp_path / "plan.toml", "--runs", tmp_path / "runs"]
    where = [*folders, "--results", tmp_path / "rows", "--pictures", tmp_path / "pictures", "--samples", 100]

    def run(phase: str, *more: object) -> int:
        return showcase.main([phase, *map(str, [*more, *where])])

    assert run("train") == 0
    checkpoint = tmp_path / "runs" / "gan" / "checkpoints"
    before = {file: file.stat().st_mtime_ns for file in checkpoint.rglob("*")}
    assert run("train", "gan") == 0
    assert {file: file.stat().st_mtime_ns for file in checkpoint.rglob("*")} == before, "what is done is left alone"
    assert run("measure") == 0
    row = json.loads((tmp_path / "rows" / "quality-trained-digits.json").read_text(encoding="utf-8"))
    assert (row["gan"], row["name"], row["picture"]) == ("gan", "digits", "digits-trained.png")
    assert row["example"] == "ganzoo generate digits -n 80 --columns 10 -o digits.png"
    assert (tmp_path / "pictures" / "digits-trained.png").is_file()
    assert run("ship", "gan", "--shipped", tmp_path / "shipped") == 0
    assert ganzoo.load(tmp_path / "shipped" / "gan").generate(2).shape == (2, 1, 16, 16)
    assert "fid" in (tmp_path / "shipped" / "gan" / "README.md").read_text(encoding="utf-8").lower()
    (tmp_path / "plan.toml").write_text(PLAN.replace("limit = 64", "limit = 32"), encoding="utf-8")
    capsys.readouterr()
    assert run("train", "gan") == 1
    assert "holds another run than the plan: its limit is 64, not 32" in capsys.readouterr().out


def test_each_proof_says_how_to_use_weights_that_ship() -> None:
    kinds: dict[type[Proof], str] = {kind: gan for gan in sorted(zoo().gans) for kind in proofs(zoo().gan(gan))}
    for kind, gan in kinds.items():
        example = kind(resolve(zoo().gan(gan), kind.tiny), 10).example("name")
        if kind.language == "python":
            assert 'ganzoo.load("name")' in example
            compile(example, gan, "exec")
        else:
            words = shlex.split(example)
            assert words[:3] in (["ganzoo", "generate", "name"], ["ganzoo", "translate", "name"])
