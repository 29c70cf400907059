"""What commands say of things as they are called, be it like markup, and of GANs that cannot be made as they are."""

import json
from pathlib import Path

import pytest
from shared import Command

from ganzoo.cli.display import Display
from ganzoo.options.file import read_config
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder

NEEDY = '''
import ganzoo
from ganzoo_lsgan import LSGAN
from pydantic import Field


class Needy(ganzoo.Adversarial):
    """Must be told something."""

    name = "needy"
    recipes = {"quick": {"epochs": 1}}
    depth: int = Field(description="how deep")

    def networks(self, data):
        return ganzoo.Networks()


class Homeless(LSGAN):
    """Its data is not installed."""

    name = "homeless"
    dataset = "far-away"
    width: int = Field(7, description="how wide")


@ganzoo.hookimpl
def register_gans(register):
    register(Needy)
    register(Homeless)
'''


@pytest.mark.parametrize("name", ["runs/a[lr]", "x[/y]", "[bold]b", ":fire:"])
def test_paths_are_shown_as_they_are(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / name / "samples").mkdir(parents=True)
    (place / name / "samples" / "00000001.png").touch()
    Display().left(RunFolder(Path(name)))
    assert capsys.readouterr().out == f"run folder   {name}\nsample grid  {name}/samples/00000001.png\n"


@pytest.mark.parametrize(
    ("name", "note", "option"),
    [
        ("needy", "option 'depth' is needed", "--depth"),
        ("homeless", "no data set is called 'far-away'", "--width"),
    ],
)
def test_what_cannot_be_made_as_it_is_is_described_all_the_same(
    name: str, note: str, option: str, command: Command, place: Path
) -> None:
    (place / "needy.py").write_text(NEEDY)
    plugin = ["--plugin", "needy.py"]
    answer = command("info", name, *plugin)
    assert (answer.status, answer.err) == (0, "")
    assert note in answer.out
    assert f"\n{option} " in answer.out
    found = json.loads(command("info", name, *plugin, "--json").out)
    assert note in found["note"]
    for language in ("yaml", "toml"):
        answer = command("info", name, *plugin, "--config-template", language)
        assert (answer.status, answer.err) == (0, "")
        assert note in answer.out.splitlines()[1]
        (place / f"file.{language}").write_text(answer.out)
        assert read_config(place / f"file.{language}", zoo().gan("dcgan")) == {}
    assert "#epochs = 10\n" in answer.out
    assert "#width = 7\n" in answer.out or name == "needy"
    assert 'loss.kind = "' in answer.out


def test_the_option_that_is_empty_is_the_one_that_is_named(command: Command) -> None:
    for words in (["bench", "--smoke", "--into", ""], ["generate", "run", "-o", ""]):
        answer = command(*words)
        assert answer.status == 2
        assert f"option '--{'into' if 'bench' in words else 'out'}' cannot be ''" in answer.err
