"""Packages of strangers: one that works, and a dozen plugins that do not and stop nothing else.

They are written, built and installed as anybody's would be, and seen by commands in processes of their own.
"""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from PIL import Image
from shared import Command
from strangers import Installed, install

pytestmark = pytest.mark.process

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.2.3"
dependencies = ["ganzoo"]

[project.entry-points.ganzoo]
{plugins}

[tool.hatch.build.targets.wheel]
include = ["*.py"]
"""

STRIPES = '''
"""Stripes: a GAN, a loss and a data set that ganzoo has never seen (Doe, 2031, arXiv:3101.00001)."""

import torch
from pydantic import Field
from torch import Tensor, nn

import ganzoo


class Painter(ganzoo.Generator):
    """Noise to grey images, by one layer."""

    def __init__(self, latent_dim: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.layer = nn.Linear(latent_dim, shape[0] * shape[1] * shape[2])

    def forward(self, noise: Tensor) -> Tensor:
        return self.layer(noise).tanh().view(-1, *self.shape)


class Judge(ganzoo.Discriminator):
    """Images to logits, by one layer."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.layer = nn.Linear(shape[0] * shape[1] * shape[2], 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1))


class Difference(ganzoo.LossScheme):
    """The plain difference, times a number."""

    kind = "difference"
    weight: float = Field(1.0, gt=0, description="how much it counts")

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return self.weight * (fake.mean() - real.mean())

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        return -self.weight * fake.mean()


class Stripes(ganzoo.Dataset):
    """Vertical stripes; no file needed."""

    name = "stripes"
    provides = frozenset({"image"})
    channels = 1

    def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
        images = torch.zeros(len(request.rows(100)), 1, 8, 8, dtype=torch.uint8)
        images[..., ::2] = 255
        return ganzoo.InMemoryData({"image": request.fit_all(images)})


class StripeGAN(ganzoo.Adversarial):
    """Paints stripes."""

    name = "stripe-gan"
    dataset = "stripes"
    latent_dim: int = 3
    loss: ganzoo.Loss = Difference()

    def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
        return ganzoo.Networks(generator=Painter(self.latent_dim, data.shape), discriminator=Judge(data.shape))


@ganzoo.hookimpl
def register_gans(register: ganzoo.Register) -> None:
    register(StripeGAN)


@ganzoo.hookimpl
def register_losses(register: ganzoo.Register) -> None:
    register(Difference)


@ganzoo.hookimpl
def register_datasets(register: ganzoo.Register) -> None:
    register(Stripes)
'''

GAN = """
import ganzoo


class {name}GAN(ganzoo.Adversarial):
    \"\"\"Of no use.\"\"\"

    {body}

    def networks(self, data):
        raise NotImplementedError


@ganzoo.hookimpl
def register_{noun}(register):
    register({name}GAN)
    {then}
"""

BROKEN = {
    "raises": (
        "import ganzoo\n\nraise RuntimeError('no licence found')",
        "RuntimeError: no licence found (raises.py, line 3)",
    ),
    "exits": ("import sys\n\nsys.exit(7)", "SystemExit: 7 (exits.py, line 3)"),
    "unwritten": (None, "ModuleNotFoundError: No module named 'unwritten'"),
    "wrong": ("def broken(:", "SyntaxError: invalid syntax (wrong.py, line 1)"),
    "half": (
        GAN.format(name="Half", body='name = "half"', noun="gans", then="{}['key']"),
        "KeyError: 'key' (half.py, line 16)",
    ),
    "misspelt": (
        GAN.format(name="Misspelt", body='name = "misspelt"', noun="gan", then=""),
        "unknown hook 'register_gan' in plugin",
    ),
    "thief": (
        GAN.format(name="Thief", body='name = "dcgan"', noun="gans", then=""),
        "the GAN 'dcgan' is already provided by ganzoo ",
    ),
    "nameless": (
        GAN.format(name="Nameless", body="", noun="gans", then=""),
        "NamelessGAN.name is None; expected lower-case words joined by '-'",
    ),
    "greedy": (
        GAN.format(name="Greedy", body='name = "greedy"\n    epochs: int = 3', noun="gans", then=""),
        "GreedyGAN calls a field 'epochs', which is an option of every run",
    ),
    "abstract": (
        GAN.format(name="Abstract", body='name = "abstract"', noun="gans", then="").replace("def networks", "def nets"),
        "AbstractGAN does not define networks",
    ),
    "number": (
        GAN.format(name="Number", body='name = "number"', noun="gans", then="register(42)"),
        "it registers 42; expected a class that inherits ganzoo.GAN",
    ),
    "silent": ("import ganzoo", "it implements no hook; is @ganzoo.hookimpl missing?"),
}
"""Modules, and how the reason for which each is set aside begins."""


def write_package(folder: Path, name: str, modules: dict[str, str | None]) -> Path:
    """A project with a plugin for each module; one of None is listed, but missing."""
    folder.mkdir()
    plugins = "\n".join(f'{module} = "{module}"' for module in modules)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name, plugins=plugins))
    for module, code in modules.items():
        if code is not None:
            (folder / f"{module}.py").write_text(dedent(code).lstrip())
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("stranger")
    projects = [
        write_package(folder / "good", "ganzoo-stripes", {"stripes": STRIPES}),
        write_package(folder / "bad", "a-broken-zoo", {name: code for name, (code, _) in BROKEN.items()}),
    ]
    return install(projects, folder)


def test_what_does_not_work_is_set_aside_with_its_reason(installed: Installed) -> None:
    listed = json.loads(installed.ganzoo("list", "--json"))
    origins = {row["name"]: row["from"] for row in listed["gans"]}
    assert origins["dcgan"] == "built-in"
    assert origins["stripe-gan"] == "ganzoo-stripes 1.2.3"
    assert not origins.keys() & {"half", "misspelt", "number"}, "a plugin is taken whole or not at all"
    (row,) = [row for row in listed["gans"] if row["name"] == "stripe-gan"]
    assert (row["family"], row["summary"], row["year"]) == ("noise to image", "Paints stripes.", "2031")

    assert {row["plugin"] for row in listed["set_aside"]} == BROKEN.keys()
    for row in listed["set_aside"]:
        assert row["from"] == "a-broken-zoo 1.2.3"
        assert row["reason"].startswith(BROKEN[row["plugin"]][1])

    table = installed.ganzoo("plugins").splitlines()
    for name, (_, reason) in BROKEN.items():
        assert any(line.startswith(f"{name} ") and reason in line for line in table)
    assert any(
        line.split() == ["stripes", "ganzoo-stripes", "1.2.3", "stripe-gan,", "difference,", "stripes"]
        for line in table
    )


def test_a_strangers_gan_runs_goes_on_and_generates(installed: Installed, command: Command) -> None:
    line = "run stripe-gan --image-size 8 --limit 8 --batch-size 4 --loss.weight 2 --out run --epochs"
    said = installed.ganzoo(*line.split(), "1")
    assert "stripe-gan on stripes at 8x8, batch 4, trains for 2 iterations in run" in said
    said = installed.ganzoo(*line.split(), "2")
    assert "continues at iteration 2 of 4 iterations in run" in said
    run = installed.work / "run"
    assert json.loads((run / "config.json").read_text())["gan"]["loss"] == {"kind": "difference", "weight": 2.0}
    assert [json.loads(line)["iteration"] for line in (run / "metrics.jsonl").read_text().splitlines()] == [2, 4]

    installed.ganzoo("generate", "run", "-n", "3", "-o", "pictures")
    pictures = sorted((installed.work / "pictures").iterdir())
    assert [picture.name for picture in pictures] == ["00000.png", "00001.png", "00002.png"]
    with Image.open(pictures[0]) as picture:
        assert (picture.mode, picture.size) == ("L", (8, 8))

    # Here the package is not installed, and a run folder brings no code with it.
    answer = command("generate", str(run), "-o", "x.png")
    assert answer.status == 2
    assert "is a run of 'stripe-gan': no GAN is called 'stripe-gan'" in answer.err
    assert "says that 'ganzoo-stripes 1.2.3' brought it: pip install ganzoo-stripes, if you trust" in answer.err
    about = json.loads((run / "environment.json").read_text())
    assert (about["gan from"], about["data from"].split()[0]) == ("ganzoo-stripes 1.2.3", "ganzoo-stripes")
    (run / "environment.json").unlink()
    answer = command("generate", str(run), "-o", "x.png")
    assert "install the package that brings it, or add --plugin FILE" in answer.err
