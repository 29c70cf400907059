"""The page that each GAN of the registry gets."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from documented import Desk
from fences import blocks
from ganzoo_bench.results import Result

import ganzoo
from benchmarks import quality, quality_table, showcase
from benchmarks.rows import PICTURES
from docs.building import zoo as pages
from ganzoo.cli.description import describe
from ganzoo.plugins import zoo

pytestmark = pytest.mark.docs

GANS = {gan.name: gan for gan in pages.gans()}


def test_every_gan_that_comes_with_ganzoo_has_one() -> None:
    assert sorted(GANS) == sorted(name for name in zoo().gans if zoo().gans.origins[name].builtin)
    overview = pages.overview()
    assert all(f"]({name}.md)" in overview for name in GANS)


@pytest.mark.parametrize("name", sorted(GANS))
def test_its_idea_is_said_in_about_three_sentences(name: str) -> None:
    idea = GANS[name].idea()
    assert 2 <= len(re.findall(r"[.?!](?= |$)", idea)) <= 4, idea
    assert 150 < len(idea) < 600
    assert "(eq." not in idea, "equations stand after the idea"


@pytest.mark.parametrize("name", sorted(GANS))
def test_it_has_every_part_and_its_commands_run(name: str, desk: Desk) -> None:
    text, found = pages.page(GANS[name]), describe(GANS[name])
    prose = re.sub(r"\\(.)", r"\1", text)
    assert GANS[name].summary() in prose
    assert GANS[name].idea() in prose
    assert re.search(r"https://arxiv\.org/abs/\d{4}\.\d{4,5}\)", text)
    for row in found["networks"]:
        assert f"| `{row['network']}` | `{row['class']}` | {row['parameters']:,} |" in text
    for row in found["players"]:
        assert f"| `{row['player']}` | {row['moves']} |" in text
    listed = prose.partition("## Options\n")[2].splitlines()
    for row in found["options"][name]:
        line = next(line for line in listed if re.match(rf"\| `{re.escape(row['option'])}[ `]", line))
        assert " ".join(row["help"].split()) in line
        assert row["default"] in line
    for dataset in found["data"]["suitable"]:
        assert f"`{dataset}`" in text
    for heading in ("Quality", "Speed"):
        part = text.partition(f"### {heading}\n")[2].partition("\n#")[0]
        assert "| " in part or pages.NOT_MEASURED in part
    for row in pages.rows():
        if row["gan"] == name:
            assert f"images/zoo/{row['picture']})" in text
            assert quality_table.setting(row) in text
    desk.lay_out(text)
    for block in blocks(text):
        (desk.execute if block.language == "python" else desk.type)(block)
    assert not desk.failures, "\n\n".join(desk.failures)


def test_what_was_measured_is_shown_trained_weights_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("[gan]\nepochs = 1\nlimit = 64\nimage_size = 16\n", encoding="utf-8")
    where = [f"--{name}={tmp_path / name}" for name in ("runs", "results", "pictures")]
    for phase in ("train", "measure"):
        assert showcase.main([phase, "--plan", str(plan), "--samples", "60", *where]) == 0
    quality.main(["gan", "--seconds", "1", "--samples", "60", *where])
    monkeypatch.setattr(pages, "RESULTS", tmp_path / "results")
    assert f"images/{PICTURES.name}/gan-trained.png" in pages.overview()
    text = pages.page(GANS["gan"])
    first, then = (text.index(f"zoo/{name}.png") for name in ("gan-trained", "gan"))
    assert first < text.index("## Train it") < then
    assert "ganzoo run gan --image-size 16 --limit 64 --epochs 1\n" in text
    trained, on_the_spot = pages.rows()
    assert quality_table.setting(trained) in text
    assert quality_table.place(on_the_spot) in text
    assert f"| {quality_table.weights(trained)} |" in text
    assert "| untrained |" in text


def test_speed_is_shown_with_its_hardware_and_what_was_not_measured_is_said() -> None:
    facts = {"gan": "dcgan", "device": "cpu", "precision": "fp32", "size": "64x64", "batch_size": 32}
    result = Result("test_training[dcgan]", facts | {"images_per_second": 60.12}, {"cpu": "Some CPU"}, "abc", {})
    table, _ = pages.speeds("dcgan", [result])
    assert "| Some CPU, fp32 | 64x64, batch 32 | 60.1 | unmeasured |" in table
    assert next(iter(pages.speeds("lsgan", [result]))).startswith(pages.NOT_MEASURED)
    small = replace(result, name="test_generation[dcgan]", facts=facts | {"size": "32x32", "images_per_second": 9})
    table, _ = pages.speeds("dcgan", [result, small])
    assert "| Some CPU, fp32 | 64x64, batch 32 | 60.1 | unmeasured |" in table, "no speed beside what it is not of"
    assert "| Some CPU, fp32 | 32x32, batch 32 | unmeasured | 9 |" in table
    assert [*pages.quality([])] == [pages.NOT_MEASURED]


def test_a_gan_without_a_second_paragraph_has_no_idea() -> None:
    class Silent(ganzoo.LossScheme):
        """Says nothing more."""

    assert Silent.idea() == ""
