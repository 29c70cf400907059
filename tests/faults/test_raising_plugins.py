"""Plugins that raise: in a hook they are set aside, in training their own line is shown, and the run folder stays."""

import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from shared import Command, run_command

import ganzoo
from ganzoo import plugins
from ganzoo.contract import hookspecs
from ganzoo.runs.checkpoint import checkpoints

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("register_") and name != "register_commands")
"""Hooks of the zoo; those of commands are tested in test_plugin_commands.py."""

PLUGIN = '''
"""A GAN that does wrong when it is told to."""

import sys

import torch
from torch import nn

import ganzoo
from ganzoo.losses import Hinge

CALLS = dict.fromkeys(["networks", "players", "generate", "loss", "sample", "constrain"], 0)


class Own(Exception):
    """Not one that anybody knows of."""


class Stubborn(BaseException):
    """Not even an Exception."""


def fault(place):
    CALLS[place] += 1
    # FAULT


class Steep(Hinge):
    """Hinge, with a fault."""

    kind = "steep"

    def discriminator(self, real, fake):
        fault("loss")
        return super().discriminator(real, fake)


class Grey(ganzoo.Dataset):
    """Grey squares."""

    name = "grey"
    provides = frozenset({"image"})

    def load(self, request):
        images = torch.full((len(request.rows(9)), *request.shape), 128, dtype=torch.uint8)
        return ganzoo.InMemoryData({"image": images})


class Brightness(ganzoo.SetMetric):
    """Difference of mean features."""

    kind = "brightness"

    def measure(self, real, fake):
        return float(fake.mean() - real.mean())


class Pixels(ganzoo.Extractor):
    """Images as they are."""

    kind = "pixels"
    resizer = "none"

    def build(self, folder):
        return nn.Flatten()


class Silent(ganzoo.CallbackConfig):
    """Says nothing."""

    kind = "silent"

    def build(self):
        return ganzoo.Callback()


class Faulty(ganzoo.Adversarial):
    """One dot each."""

    name = "faulty"
    dataset = "grey"
    loss: ganzoo.Loss = Steep()
    latent_dim: int = 2

    def networks(self, data):
        fault("networks")
        pixels = data.shape[0] * data.shape[1] * data.shape[2]
        return ganzoo.Networks(
            generator=nn.Sequential(nn.Linear(self.latent_dim, pixels), nn.Tanh(), nn.Unflatten(1, data.shape)),
            discriminator=nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1)),
        )

    def players(self):
        fault("players")
        generator, discriminator = super().players()
        return generator, ganzoo.Player("discriminator", discriminator.loss, constrain=lambda nets: fault("constrain"))

    def generate(self, nets, batch):
        fault("generate")
        return super().generate(nets, batch)

    def sample(self, nets, batch):
        fault("sample")
        return super().generate(nets, batch).fake


@ganzoo.hookimpl
def register_gans(register):
    register(Faulty)


@ganzoo.hookimpl
def register_losses(register):
    register(Steep)


@ganzoo.hookimpl
def register_datasets(register):
    register(Grey)


@ganzoo.hookimpl
def register_metrics(register):
    register(Brightness)


@ganzoo.hookimpl
def register_extractors(register):
    register(Pixels)


@ganzoo.hookimpl
def register_pretrained(register):
    pass


@ganzoo.hookimpl
def register_callbacks(register):
    register(Silent)
'''
LINE = (  # noqa: SIM905 - as it is typed
    "run faulty --plugin faulty.py --image-size 8 --batch-size 3 --epochs 4 --precision fp32 "
    "--log-every 1 --sample-every 2 --checkpoint-every 2 --out run"
).split()
"""Twelve iterations."""
RAISE = {
    "Own": 'raise Own("the ink is out")',
    "ValueError": 'raise ValueError("the ink is out")',
    "without a word": "raise Own",
    "SystemExit": "sys.exit(0)",
    "Stubborn": 'raise Stubborn("the ink is out")',
    "division": "1 / 0",
}
REST = [fault for fault in RAISE if fault != "Own"]


def write(place: Path, fault: str = "pass", when: str = "False") -> Path:
    """The plugin's file, which does this when that is so."""
    file = place / "faulty.py"
    file.write_text(PLUGIN.replace("# FAULT", f"if {when}:\n        {fault}  # here"))
    plugins._load.cache_clear()
    return file


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which nothing was wrong. Not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write(folder)
        answer = run_command(*LINE)
    assert answer.status == 0, answer.err
    return folder / "run"


def plugins_line(error: BaseException, file: Path) -> bool:
    """Whether its traceback, or that of what caused it, ends in the line of the file that is at fault."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    here = Path(last.filename).name == file.name and (last.line or "").endswith("# here")
    return here or (error.__cause__ is not None and plugins_line(error.__cause__, file))


@pytest.mark.parametrize(
    ("hook", "fault"), [*((hook, "Own") for hook in HOOKS), *((HOOKS[0], fault) for fault in REST)]
)
def test_what_raises_in_a_hook_is_set_aside_with_its_reason(
    hook: str, fault: str, command: Command, place: Path
) -> None:
    file = write(place)
    text = file.read_text()
    start = text.index(":\n", text.index(f"def {hook}")) + 2
    file.write_text(f"{text[:start]}    {RAISE[fault]}\n{text[start:]}")
    listed = json.loads(command("list", "--json", "--plugin", str(file)).out)
    (failed,) = listed["set_aside"]
    assert re.search(rf"^\w+: .*\(faulty.py, line {text[:start].count(chr(10)) + 1}\)$", failed["reason"])
    names = {row["name"] for row in listed["gans"]}
    assert "dcgan" in names
    assert "faulty" not in names  # nor anything else that it registered before
    assert "grey" not in command("datasets", "--plugin", str(file)).out
    answer = command("run", "faulty", "--plugin", str(file))
    assert answer.status == 2
    assert failed["reason"] in answer.err
    for words in (["plugins"], ["datasets"], ["run", "--help"], ["info", "dcgan"]):
        assert command(*words, "--plugin", str(file)).status == 0, words


def test_an_exception_that_cannot_be_shown_is_set_aside_too(command: Command, place: Path) -> None:
    (place / "mute.py").write_text(
        "class Mute(Exception):\n    def __str__(self):\n        raise ValueError('no words')\n\n\nraise Mute\n"
    )
    (failed,) = json.loads(command("list", "--json", "--plugin", "mute.py").out)["set_aside"]
    assert failed["reason"] == "Mute: no reason given (mute.py, line 6)"


def test_a_gan_whose_defaults_raise_stops_no_other(command: Command, place: Path) -> None:
    """Its class registers well; what it is made of raises whenever one is made."""
    file = write(place)
    broken = "    depth: int = __import__('pydantic').Field(default_factory=lambda: 1 / 0)\n"
    file.write_text(file.read_text().replace("    latent_dim: int = 2\n", f"    latent_dim: int = 2\n{broken}"))
    for line in ("list", "run --help", "datasets", "info dcgan", "run dcgan --help"):
        answer = command(*line.split(), "--plugin", str(file))
        assert answer.status == 0, line
    with pytest.raises(ZeroDivisionError):
        command("run", "faulty", "--plugin", str(file))


@pytest.mark.parametrize("fault", RAISE)
def test_what_raises_at_once_leaves_nothing(fault: str, command: Command, place: Path) -> None:
    for part in ("networks", "players", "generate", "loss", "constrain"):
        file = write(place, RAISE[fault], f"place == '{part}'")
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is, its line is what counts
            command(*LINE)
        assert not isinstance(caught.value, SystemExit)
        assert plugins_line(caught.value, file), part
        assert not (place / "run").exists()


@pytest.mark.parametrize("fault", ["Own", "SystemExit", "Stubborn"])
@pytest.mark.parametrize(
    ("part", "call"), [("generate", 6), ("loss", 6), ("sample", 3), ("constrain", 6)], ids=lambda value: str(value)
)
def test_in_the_middle_of_training_its_line_is_shown_and_the_run_goes_on_when_it_is_mended(
    part: str, call: int, fault: str, command: Command, place: Path, whole: Path
) -> None:
    file = write(place, RAISE[fault], f"place == '{part}' and CALLS[place] == {call}")
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        command(*LINE)
    assert plugins_line(caught.value, file)
    assert not isinstance(caught.value, SystemExit)

    run = place / "run"
    config = json.loads((run / "config.json").read_text())
    assert config["gan"]["name"] == "faulty"
    saved = checkpoints(run / "checkpoints")
    assert saved[-1].name == "00000004"

    write(place)
    assert command("generate", "run", "-n", "2", "-o", "x.png", "--plugin", "faulty.py").status == 0
    answer = command(*LINE)
    assert answer.status == 0, answer.err
    assert "continues at iteration 4 of 12" in answer.out
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["iteration"] for row in rows] == list(range(1, 13))

    for name in ("networks", "optimizers", "process-0"):
        file = Path("checkpoints", "00000012", f"{name}.safetensors")
        assert (run / file).read_bytes() == (whole / file).read_bytes()


def test_ending_the_program_while_images_are_made_is_no_success(command: Command, place: Path, whole: Path) -> None:
    shutil.copytree(whole, place / "run")
    file = write(place, "sys.exit(0)", "place == 'sample'")
    with pytest.raises(ganzoo.ContractError, match="a plugin ended the program, with status 0") as caught:
        command("generate", "run", "-n", "2", "-o", "x.png", "--plugin", "faulty.py")
    assert plugins_line(caught.value, file)
    assert not (place / "x.png").exists()


@pytest.mark.process
def test_a_terminal_shows_the_traceback_of_the_plugins_line(place: Path) -> None:
    write(place, RAISE["SystemExit"], "place == 'loss' and CALLS[place] == 3")
    environment = {**os.environ, "GANZOO_DATA": str(place)}
    made = subprocess.run(
        [sys.executable, "-m", "ganzoo", *LINE], capture_output=True, text=True, env=environment, check=False
    )
    assert made.returncode == 1
    assert "sys.exit(0)  # here" in made.stderr
    assert made.stderr.splitlines()[-1].startswith("ganzoo.errors.ContractError: ")
    assert ganzoo.__name__ in made.stderr
