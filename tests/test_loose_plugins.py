"""Plugins in loose files: where they are sought, all that they may bring, and what is said of those that fail."""

import ast
import inspect
import json
import os
import sys
from pathlib import Path

import pytest
import torch
from shared import Command
from torch import Tensor
from unregistered import Line

from ganzoo.contract import hookspecs
from ganzoo.plugins import ENVIRONMENT, zoo

LOOSE = '''
"""Everything that a plugin may provide, in one file (Nobody, 2030, arXiv:3001.00001)."""

from pathlib import Path

import click
import torch
from torch import nn

import ganzoo


class Loud(ganzoo.LossScheme):
    """Means, loudly."""

    kind = "loud"

    def discriminator(self, real, fake):
        return (fake.mean() - real.mean()) * 11

    def generator(self, real, fake):
        return fake.mean() * -11


class Grey(ganzoo.Dataset):
    """Grey squares."""

    name = "grey"
    provides = frozenset({"image"})

    def load(self, request):
        images = torch.full((len(request.rows(9)), *request.shape), 128, dtype=torch.uint8)
        return ganzoo.InMemoryData({"image": images})


class Dots(ganzoo.Adversarial):
    """One dot each."""

    name = "loose-dots"
    dataset = "grey"
    loss: ganzoo.Loss = Loud()

    def networks(self, data):
        channels, height, width = data.shape
        dot = nn.Linear(self.latent_dim, channels)
        generator = nn.Sequential(dot, nn.Unflatten(1, (channels, 1, 1)), nn.Upsample((height, width)))
        discriminator = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, 1))
        return ganzoo.Networks(generator=generator, discriminator=discriminator)


class Silent(ganzoo.CallbackConfig):
    """Says nothing."""

    kind = "silent"

    def build(self):
        return ganzoo.Callback()


class Brightness(ganzoo.SetMetric):
    """Difference of mean features."""

    kind = "brightness"

    def measure(self, real, fake):
        return float((real.mean() - fake.mean()).abs())


class Corners(ganzoo.Extractor):
    """The four corners of an image."""

    kind = "corners"
    resizer = "none"

    def build(self, folder):
        return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())


@ganzoo.hookimpl
def register_gans(register):
    register(Dots)


@ganzoo.hookimpl
def register_losses(register):
    register(Loud)


@ganzoo.hookimpl
def register_datasets(register):
    register(Grey)


@ganzoo.hookimpl
def register_callbacks(register):
    register(Silent)


@ganzoo.hookimpl
def register_metrics(register):
    register(Brightness)


@ganzoo.hookimpl
def register_extractors(register):
    register(Corners)


@click.command("paint")
def paint():
    """Paint a dot."""
    click.echo("painted")


@ganzoo.hookimpl
def register_commands(register):
    register(paint)


@ganzoo.hookimpl
def register_pretrained(register):
    for export in Path(__file__).parent.glob("*/export.json"):
        register(ganzoo.PretrainedGAN(export.parent.name, export.parent))
'''


@pytest.fixture
def loose(place: Path) -> Path:
    """A plugin in a loose file, elsewhere than in the working directory."""
    file = place / "elsewhere" / "loose_dots.py"
    file.parent.mkdir()
    file.write_text(LOOSE)
    return file


def test_every_hook_is_documented_and_used_here() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("register_")}
    used = {node.name for node in ast.parse(LOOSE).body if isinstance(node, ast.FunctionDef) and node.name != "paint"}
    assert used == hooks.keys() == {f"register_{noun}" for noun in (*zoo().shelves(), "commands")}
    for name, hook in hooks.items():
        assert len(inspect.getdoc(hook) or "") > 20, name
        assert list(inspect.signature(hook).parameters) == ["register"], name


@pytest.mark.parametrize(
    "line", ["--plugin {file} list --json", "list --plugin {file} --json", "list --json --plugin={file}"]
)
def test_a_loose_file_is_named_anywhere_on_the_line(line: str, command: Command, loose: Path) -> None:
    rows = {row["name"]: row for row in json.loads(command(*line.format(file=loose).split()).out)["gans"]}
    row = rows["loose-dots"]
    assert (row["family"], row["summary"], row["year"]) == ("noise to image", "One dot each.", "2030")
    assert row["from"] == str(loose)
    assert rows["dcgan"]["from"] == "built-in"
    assert "loose-dots" not in command("list").out


def test_all_that_a_loose_file_brings_is_used(command: Command, loose: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "run loose-dots --image-size 8 --batch-size 3 --epochs 1 --out dots --plugin"
    answer = command(*line.split(), str(loose))
    assert answer.status == 0, answer.err
    config = json.loads(Path("dots/config.json").read_text())
    assert (config["gan"]["loss"], config["data"]) == ({"kind": "loud"}, {"name": "grey"})
    assert command("generate", "dots", "-n", "2", "-o", "x.png", "--plugin", str(loose)).status == 0
    assert command("generate", "dots", "-n", "2", "-o", "x.png").status == 2
    measured = command(
        *["evaluate", "dots", "--metric", "brightness", "--extractor", "corners", "--json", "--plugin"], str(loose)
    )
    assert measured.status == 0, measured.err
    line = json.loads(measured.out)
    assert line["figures"].keys() == {"brightness"}
    assert (line["protocol"]["extractor"], line["protocol"]["samples"]) == ("corners", 9)
    monkeypatch.setattr("ganzoo.training.dry_run.SECONDS", 0.1)
    answer = command("run", "dcgan", "--data", "grey", "--loss", "loud", "--dry-run", "--plugin", str(loose),
                     "--image-size", "16", "--batch-size", "3")  # fmt: skip
    assert "works; nothing was written" in answer.out, answer.err
    assert command("paint", "--plugin", str(loose)).out == "painted\n"


def test_a_loose_file_is_sought_where_one_works(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for year in ("2021", "2022"):
        (place / year).mkdir()
        (place / year / "dots.py").write_text(LOOSE.replace("2030", year))
        monkeypatch.chdir(place / year)
        rows = json.loads(command("list", "--json", "--plugin", "dots.py").out)["gans"]
        assert [row["year"] for row in rows if row["name"] == "loose-dots"] == [year]


def test_loose_files_by_the_environment_and_what_is_wrong_with_them(
    command: Command, loose: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "text.txt").write_text("not Python")
    (place / "late.py").write_text(LOOSE)
    (place / "twice.py").write_text(LOOSE.replace("register(Grey)", "register(Grey)\n    register(Grey)"))
    names = [str(loose), "nowhere.py", "text.txt", "late.py", "twice.py", "~nobody-of-that-name/p.py"]
    monkeypatch.setenv(ENVIRONMENT, os.pathsep.join(names))
    assert "loose-dots" in zoo().gans
    listed = command("list")
    assert listed.status == 0
    assert "loose-dots" in listed.out
    reasons = {plugin.name: plugin.problem for plugin in zoo().failed()}
    assert "No such file" in reasons["nowhere"]
    assert "No such file" in reasons["p"]
    assert reasons["text"] == "it is not a Python file"
    assert reasons["late"] == reasons["twice"] == f"the GAN 'loose-dots' is already provided by {loose}"
    for name, reason in reasons.items():
        (row,) = [line for line in listed.out.splitlines() if line.startswith(f"{name} ")]
        assert row.rstrip().endswith(reason)


def test_files_of_one_name_are_apart_and_one_that_fails_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dots = LOOSE.partition("@ganzoo.hookimpl\ndef register_losses")[0]
    for name, year in (("first", "2021"), ("second", "2022")):
        (place / name).mkdir()
        (place / name / "dots.py").write_text(dots.replace("2030", year).replace("loose-dots", f"dots-{name}"))
    (place / "half.py").write_text("raise SystemExit")
    files = ["first/dots.py", "second/dots.py", "half.py"]
    monkeypatch.setenv(ENVIRONMENT, os.pathsep.join(files))
    assert [plugin.name for plugin in zoo().failed()] == ["half"]
    assert [zoo().gans[name].year() for name in ("dots-first", "dots-second")] == ["2021", "2022"]
    assert not [name for name in sys.modules if name.startswith("ganzoo_file_half")]


def test_what_a_failed_plugin_would_have_brought_is_told(command: Command, place: Path) -> None:
    (place / "dots.py").write_text("raise ValueError('out of ink')")
    answer = command("run", "dots", "--plugin", "dots.py")
    assert answer.status == 2
    assert (
        answer.err
        == "Error: no GAN is called 'dots'; the plugin 'dots' was set aside: ValueError: out of ink (dots.py, line 1)\n"
    )


def test_a_plugin_that_registers_a_thing_twice_is_set_aside(command: Command, place: Path) -> None:
    (place / "twice.py").write_text(LOOSE.replace("register(Grey)", "register(Grey)\n    register(Grey)"))
    (failed,) = json.loads(command("list", "--json", "--plugin", "twice.py").out)["set_aside"]
    assert failed["reason"] == "it registers the data set 'grey' twice"


def test_a_losses_plugin_reaches_the_player(loose: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(loose))
    loss = zoo().losses["loud"]()
    logits: Tensor = torch.ones(3)
    assert loss.generator(logits, logits).item() == -11
    assert Line.model_validate({"loss": "loud"}).loss == loss
