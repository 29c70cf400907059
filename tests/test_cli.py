"""The command line, by what it tells of itself, of GANs and of data sets."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from shared import Command

from ganzoo.data.load import describe
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo
from ganzoo.summary import count_parameters

GANS = sorted(zoo().gans)

WITHOUT_TORCH = """
import sys
import ganzoo
from ganzoo.cli import main
for words in (["--help"], ["--version"], ["generate", "--help"]):
    try:
        main(words)
    except SystemExit as stop:
        assert not stop.code, stop.code
slow = {"torch", "torchvision", "pydantic", "numpy", "PIL", "ganzoo.plugins"} & sys.modules.keys()
assert not slow, slow
"""


def start(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.process
def test_help_and_version_import_nothing_slow() -> None:
    done = start(sys.executable, "-c", WITHOUT_TORCH)
    assert done.returncode == 0, done.stderr
    for command in ("datasets", "env", "generate", "info", "list", "plugins", "run", "translate"):
        assert f" {command} " in done.stdout
    assert f"ganzoo, version {importlib.metadata.version('ganzoo')}" in done.stdout


@pytest.mark.process
def test_the_installed_command_and_the_module_are_the_same() -> None:
    script = str(Path(sys.executable).with_name("ganzoo"))
    for words in ([script], [sys.executable, "-m", "ganzoo"]):
        done = start(*words, "--version")
        assert (done.returncode, done.stdout.split()[0]) == (0, "ganzoo,"), done.stderr
    done = start(script, "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No such command 'nope'" in done.stderr


def test_list_has_a_line_for_each_gan(command: Command) -> None:
    listed = json.loads(command("list", "--json").out)
    assert [row["name"] for row in listed["gans"]] == GANS
    assert listed["set_aside"] == []
    for row in listed["gans"]:
        assert row.keys() == {"name", "family", "summary", "year", "pretrained", "from"}
        assert all(value for name, value in row.items() if name != "pretrained")
    lines = command("list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *GANS]
    (dcgan,) = [line.strip() for line in lines if line.startswith("dcgan ")]
    assert re.fullmatch(r"dcgan +noise to image +\S.* +2015 +yes +built-in", dcgan)


def test_datasets_plugins_and_env(command: Command) -> None:
    datasets = {row["name"]: row["provides"] for row in json.loads(command("datasets", "--json").out)}
    assert datasets["mnist"] == "caption, image, label"
    assert datasets["pairs:PATH"] == "image, source, target"
    assert len(command("datasets").out.splitlines()) == 1 + len(datasets)
    plugins = {row["plugin"]: row for row in json.loads(command("plugins", "--json").out)}
    assert plugins["dcgan"]["provides"] == "dcgan"
    assert all(row["from"].startswith("ganzoo ") and not row["problem"] for row in plugins.values())
    assert len(command("plugins").out.splitlines()) == 1 + len(plugins)
    environment = json.loads(command("env", "--json").out)
    assert environment.keys() >= {"python", "platform", "ganzoo", "torch", "torchvision", "cpu", "cuda"}
    assert environment["torch"] in command("env").out


NETWORKS = {
    "dcgan": [r"generator +\w+ +[\d,]+ +1 x 32 x 32", r"chapter +1 x 64 x 64 +2,352,513 +99,649 *\n"],
    "pix2pix": [
        r"chapter +3 x 256 x 256 +54,409,603 +2,767,809 *\n",
        r"paper +3 x 256 x 256 +54,409,603 +2,767,809 *\n",
    ],
}
PLAYERS = {
    "dcgan": [
        r"generator +generator +iteration +adversarial +adam, lr 0.002",
        r"r1 +discriminator +8 iterations +penalty +that of discriminator",
    ],
    "pix2pix": [r"generator +generator +iteration +adversarial \+ l1 +adam, lr 0.001"],
    "wgan-gp": [r"discriminator +discriminator +iteration +adversarial \+ gradient_penalty +adam, lr 0.001"],
}


@pytest.mark.parametrize("name", GANS)
def test_info_says_all_about_a_gan(name: str, command: Command) -> None:
    answer = command("info", name)
    assert answer.status == 0, answer.err
    gan = zoo().gan(name)
    for part in (f"{name}: {gan.summary()}", gan.paper(), f"by default {gan.dataset}", *gan.recipes):
        assert part in answer.out
    for pattern in (*NETWORKS.get(name, ()), *PLAYERS.get(name, ())):
        assert re.search(pattern, answer.out), pattern
    for option, field in (*gan.model_fields.items(), *RunOptions.model_fields.items()):
        if option not in ("gan", "recipe"):
            assert f"--{option.rstrip('_').replace('_', '-')} " in answer.out
            assert field.description
            assert field.description in answer.out


def test_info_says_how_large_the_networks_of_every_recipe_are(command: Command) -> None:
    found = json.loads(command("info", "pix2pix", "--json").out)
    sizes = found["networks_by_recipe"]
    assert list(sizes) == list(found["recipes"]) == ["quick", "chapter", "paper", "gpu"]
    assert sizes["chapter"] == {
        "image": [3, 256, 256],
        "parameters": {"generator": 54_409_603, "discriminator": 2_767_809},
    }
    built = {row["network"]: row["parameters"] for row in found["networks"]}
    assert sizes[found["recipe"]]["parameters"] == built, "as it is built and tried"


@pytest.mark.parametrize("name", GANS)
def test_parameters_are_counted_without_making_them(name: str) -> None:
    gan = zoo().gan(name)
    for recipe in gan.recipes:
        options = resolve(gan, {"recipe": recipe})
        made = torch.get_rng_state()
        counts = count_parameters(options, describe(options, gan.needs, options.gan.scale_factor))
        assert all(counts.values())
        assert counts
        assert torch.equal(torch.get_rng_state(), made)


def test_info_says_which_recipe_is_in_force(command: Command) -> None:
    lines = [line for line in command("info", "dcgan").out.splitlines() if re.match(r"recipe [\w-]+: ", line)]
    assert [line.split()[1] for line in lines] == ["quick:", "chapter:", "paper:", "gpu:"]
    assert ["in force" in line for line in lines] == [True, False, False, False]


@pytest.mark.parametrize("name", GANS)
def test_run_help_shows_a_flag_for_every_field(name: str, command: Command) -> None:
    answer = command("run", name, "--help")
    assert answer.status == 0
    fields = {*zoo().gan(name).model_fields, *RunOptions.model_fields} - {"gan", "recipe"}
    for flag in [
        *(f"--{field.rstrip('_').replace('_', '-')}" for field in fields),
        "--out",
        "--data-dir",
        "--dry-run",
        "--help",
    ]:
        assert re.search(rf"{flag}[ /]", answer.out), flag
    assert ("--recipe" in answer.out) == bool(zoo().gan(name).recipes)
    assert name in command("run", "-h").out
