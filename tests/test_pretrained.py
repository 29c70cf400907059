"""Trained weights of packages: registered by a hook, used by their names, whole or refused, and never written to."""

import json
import os
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch
from ganzoo_export.exporting import export
from PIL import Image
from shared import Answer, Command, once
from strangers import install

import ganzoo
from ganzoo.base.io import digest
from ganzoo.plugins import ENVIRONMENT, zoo

PLUGIN = """
from pathlib import Path

import ganzoo


@ganzoo.hookimpl
def register_pretrained(register):
    for export in sorted(Path(__file__).parent.glob("*/export.json")):
        register(ganzoo.PretrainedGAN(export.parent.name, export.parent))
"""
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "ganzoo-digits"
version = "1.2.3"
dependencies = ["ganzoo"]

[project.entry-points.ganzoo]
digits = "ganzoo_digits"

[tool.hatch.build.targets.wheel]
include = ["ganzoo_digits"]
"""
TINY = "--image-size 16 --limit 8 --batch-size 4 --epochs 1 --precision fp32"


@pytest.fixture(scope="module")
def weights(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin beside the exports that it registers. Not to be changed."""

    def make(folder: Path) -> None:
        export(runs / "dcgan", out=folder / "my-dcgan", half=True, all_networks=True, licence="mit")
        export(runs / "dcgan", out=folder / "my-bare")
        export(runs / "pix2pix", out=folder / "my-pix2pix", half=True)
        (folder / "my_weights.py").write_text(PLUGIN)

    return once(tmp_path_factory, "pretrained", make)


@pytest.fixture
def shipped(weights: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The exports, registered for the time of a test."""
    monkeypatch.setenv(ENVIRONMENT, str(weights / "my_weights.py"))
    return weights


@pytest.fixture
def changed(weights: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, which a test may damage."""
    shutil.copytree(weights, place / "package")
    monkeypatch.setenv(ENVIRONMENT, str(place / "package" / "my_weights.py"))
    return place / "package"


def content(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def made(answer: Answer) -> str:
    assert answer.status == 0, answer.err
    return answer.out


def refused(answer: Answer, *words: str) -> None:
    assert (answer.status, answer.out) == (2, ""), answer
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err


@pytest.mark.slow
def test_a_name_is_taken_wherever_a_run_folder_is(shipped: Path, command: Command) -> None:
    before = content(shipped)
    assert made(command("generate", "my-dcgan", "-n", "4", "-o", "x.png")) == "x.png\n"
    Image.new("RGB", (40, 40), "red").save("drawing.png")
    assert made(command("translate", "my-pix2pix", "drawing.png")) == "drawing-my-pix2pix.png\n"
    made(command("export", "my-dcgan"))
    assert Path("exports/my-dcgan-safetensors/model.safetensors").is_file()
    assert made(command("report", "my-dcgan", "--device", "cpu")) == "my-dcgan.html\n"
    measured = command("evaluate", "my-dcgan", "--samples", "70", "--metric", "fid")
    assert made(measured).startswith("metric")
    assert measured.err == "note: 'my-dcgan' is part of a package; these figures were not kept\n"
    trained = ganzoo.load("my-dcgan")
    assert trained.generate(2).shape == (2, 1, 16, 16)
    assert ganzoo.evaluate(trained, samples=70, metric=["fid"])["figures"].keys() == {"fid"}
    assert content(shipped) == before, "nothing is written into a package"


def test_a_folder_of_that_name_wins(shipped: Path, runs: Path, command: Command, place: Path) -> None:
    shutil.copytree(runs / "pix2pix", "my-dcgan")
    assert ganzoo.load("my-dcgan").gan.name == "pix2pix"
    shutil.rmtree("my-dcgan")
    Path("my-dcgan").mkdir()
    refused(
        command("generate", "my-dcgan", "-o", "x.png"),
        "my-dcgan is no run folder", "hides the pretrained GAN", str(shipped / "my-dcgan"),
    )  # fmt: skip
    assert made(command("generate", str(shipped / "my-dcgan"), "-n", "1", "-o", "x.png"))


def test_files_that_are_not_named_take_the_names_of_what_they_are_made_from(shipped: Path, command: Command) -> None:
    assert made(command("generate", "my-dcgan", "-n", "2")) == "my-dcgan.png\n"
    first = Path("my-dcgan.png").read_bytes()
    assert made(command("generate", "my-dcgan", "-n", "3")) == "my-dcgan-2.png\n"
    assert Path("my-dcgan.png").read_bytes() == first
    assert made(command("generate", "my-dcgan", "--interpolate", "2", "--frames", "3")) == "my-dcgan.gif\n"
    Path("drawings").mkdir()
    Image.new("RGB", (40, 40)).save("drawings/a.png")
    assert made(command("translate", "my-pix2pix", "drawings")) == "drawings-my-pix2pix/a.png\n"


def test_half_precision_is_half_the_size_and_nearly_the_same_images(shipped: Path, runs: Path) -> None:
    whole = ganzoo.load(runs / "dcgan")
    halved = ganzoo.load("my-dcgan")
    assert {value.dtype for value in halved.nets.parameters()} == {torch.float32}
    about = json.loads((shipped / "my-dcgan" / "export.json").read_text())
    assert (about["precision"], about["networks"]) == ("float16", ["discriminator", "generator"])
    apart = (whole.generate(16) - halved.generate(16)).abs()
    assert 0 < apart.mean() < 2 / 255
    assert 0 < about["mean_difference"] <= about["difference"] < 0.1
    stored = safetensors.torch.load((shipped / "my-dcgan" / "model.safetensors").read_bytes())
    for name, value in halved.nets.named_parameters():
        assert stored[name].dtype == torch.float16
        assert torch.equal(stored[name].float(), value)
    statistics = [name for name, _ in halved.nets.named_buffers() if name.endswith("running_var")]
    assert all(stored[name].dtype == torch.float32 for name in statistics)
    sizes = [sum(v.numel() * v.element_size() for n, v in each.items() if n in dict(whole.nets.named_parameters()))
             for each in (whole.nets.state_dict(), stored)]  # fmt: skip
    assert sizes[1] * 2 == sizes[0]
    assert "stored in half precision" in (shipped / "my-dcgan" / "README.md").read_text()


def test_a_run_begins_with_pretrained_weights(shipped: Path, command: Command) -> None:
    made(command(*f"run lsgan {TINY} --lr 1e-30 --init-from my-dcgan --out run".split()))
    begun, expected = ganzoo.load("run").nets, ganzoo.load("my-dcgan").nets
    for name, value in expected.named_parameters():
        torch.testing.assert_close(begun.get_parameter(name), value, rtol=0, atol=1e-6)
    assert any(name.startswith("discriminator.") for name, _ in expected.named_parameters())
    assert json.loads(Path("run/config.json").read_text())["init_from"] == "my-dcgan"


REFUSED: dict[str, tuple[str, ...]] = {
    "generate my-dcgn -o x.png": ("my-dcgn is no run folder", "did you mean the pretrained 'my-dcgan'?"),
    "generate old-dcgan-mnist-01 -o x.png": ("did you mean", "runs/old-dcgan-mnist-001"),
    "generate runs/old-dcgan-mnist-002 -o x.png": ("did you mean runs/old-dcgan-mnist-001?",),
    "evaluate qqqq": ("no pretrained GAN is called 'qqqq'; `ganzoo pretrained` lists those",),
    f"run dcgan {TINY} --init-from my-dcgn": ("did you mean the pretrained 'my-dcgan'?",),
    "run dcgan --image-size 32 --limit 8 --batch-size 4 --init-from my-dcgan": (
        "my-dcgan holds the weights of other networks", "1 x 16 x 16", "1 x 32 x 32", "--image-size 16x16",
    ),
    f"run dcgan --data openmoji {TINY} --init-from my-dcgan": ("1 x 16 x 16", "3 x 16 x 16", "other data"),
    f"run dcgan {TINY} --latent-dim 3 --init-from my-dcgan": ("--latent-dim 64",),
    f"run dcgan {TINY} --init-from my-pix2pix": ("is an export without discriminator",),
    f"run dcgan {TINY} --init-from my-bare": ("is an export without discriminator", "--all-networks"),
    "export my-bare --all-networks": ("is an export without discriminator",),
    "export my-dcgan --half --format onnx": ("option 'half' is of weights", "safetensors"),
    "export my-dcgan --all-networks --format torchexport": ("option 'all-networks' is of weights",),
    "resume my-dcgan": ("'my-dcgan' is a pretrained GAN", "--init-from my-dcgan"),
    "generate my-dcgan --checkpoint best -o x.png": ("is an export, of one checkpoint alone",),
    "pretrained my-dcgn": ("no pretrained GAN is called 'my-dcgn'; did you mean 'my-dcgan'?",),
    "pretrained -o x.png": ("option '--out' is for the picture of one pretrained GAN",),
    "pretrained my-dcgan -o x.npz": ("'x.npz' is no picture",),
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_is_said_with_what_can(line: str, shipped: Path, runs: Path, command: Command) -> None:
    Path("runs").mkdir()
    Path("runs/old-dcgan-mnist-001").symlink_to(runs / "dcgan")
    refused(command(*line.split()), *REFUSED[line])
    assert not Path("exports").exists()


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "export.json"])
def test_damaged_files_are_named_before_they_are_used(file: str, changed: Path, command: Command) -> None:
    path = changed / "my-dcgan" / file
    path.write_bytes(path.read_bytes()[:-1] + b"\n\n")
    if file == "export.json":
        path.write_text('{"format": "safetensors", "iteration": 2}')
    for line in ("generate my-dcgan -o x.png", f"run dcgan {TINY} --init-from my-dcgan", "pretrained my-dcgan"):
        refused(command(*line.split()), "the pretrained GAN 'my-dcgan' of my_weights.py is damaged", file)
    path.unlink()
    refused(command("generate", "my-dcgan", "-o", "x.png"), file)


def test_of_a_damaged_one_the_table_says_so_and_shows_the_others(changed: Path, command: Command) -> None:
    (changed / "my-dcgan" / "config.json").write_text("no JSON")
    out = made(command("pretrained"))
    assert "damaged:" in out
    found = json.loads(made(command("pretrained", "--json")))
    assert "my-dcgan" not in {row["name"] for row in found["pretrained"]}
    assert [row["name"] for row in found["damaged"]] == ["my-dcgan"]


def test_weights_of_a_gan_that_is_not_installed_are_listed_and_not_used(changed: Path, command: Command) -> None:
    path = changed / "my-dcgan" / "config.json"
    path.write_text(path.read_text().replace('"name": "dcgan"', '"name": "zzgan"'))
    about = json.loads((changed / "my-dcgan" / "export.json").read_text())
    about["files"]["config.json"] = digest(path)
    (changed / "my-dcgan" / "export.json").write_text(json.dumps(about))
    assert "zzgan (not installed)" in made(command("pretrained"))
    assert "the GAN 'zzgan' is not installed" in made(command("pretrained", "my-dcgan"))
    refused(command("generate", "my-dcgan", "-o", "x.png"), "no GAN is called 'zzgan'", "add --plugin FILE")


def test_one_is_shown_with_all_that_is_known_of_it(shipped: Path, command: Command) -> None:
    out = made(command("pretrained", "my-dcgan", "-o", "card.png"))
    for words in (
        "my-dcgan: dcgan trained on mnist, images of 16 x 16 grey",
        "Radford et al., 2015",
        "ganzoo generate my-dcgan -n 64",
        "trained by ",
        "discriminator, generator; half precision",
        "my_weights.py",
        str(shipped / "my-dcgan" / "samples.png"),
    ):
        assert words in out, words
    with Image.open("card.png") as copied, Image.open(shipped / "my-dcgan" / "samples.png") as picture:
        assert copied.tobytes() == picture.tobytes()
    rows = {row["name"]: row for row in json.loads(made(command("pretrained", "--json")))["pretrained"]}
    assert rows["my-dcgan"]["image"] == [1, 16, 16]
    assert rows["my-pix2pix"]["usage"].startswith("ganzoo translate my-pix2pix ")
    assert json.loads(made(command("pretrained", "my-dcgan", "--json"))) == rows["my-dcgan"]
    assert "try `ganzoo generate" in made(command("info", "dcgan"))
    assert "my-dcgan" in json.loads(made(command("info", "dcgan", "--json")))["pretrained"]
    listed = {row["name"]: row["pretrained"] for row in json.loads(made(command("list", "--json")))["gans"]}
    assert {"my-bare", "my-dcgan"} <= set(listed["dcgan"])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            'ganzoo.PretrainedGAN("none", Path(__file__).parent / "none")',
            "the folder of the pretrained GAN 'none' is no",
        ),
        ('ganzoo.PretrainedGAN("My GAN", HERE)', "PretrainedGAN.name is 'My GAN'; expected lower-case words"),
        ("HERE", "expected a ganzoo.PretrainedGAN"),
        ('ganzoo.PretrainedGAN("my-dcgan", HERE)', "the pretrained GAN 'my-dcgan' is already provided by "),
    ],
)
def test_what_is_no_pretrained_gan_sets_its_plugin_aside(
    said: str, reason: str, weights: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = PLUGIN.partition("    for ")[0].replace(
        "import Path\n", f"import Path\nHERE = Path({str(weights / 'my-bare')!r})\n"
    )
    file = place / "other.py"
    file.write_text(f"{code}    register({said})\n")
    monkeypatch.setenv(ENVIRONMENT, os.pathsep.join([str(weights / "my_weights.py"), str(file)]))
    (failed,) = zoo().failed()
    assert failed.name == "other"
    assert failed.problem.startswith(reason) or reason in failed.problem
    assert "my-dcgan" in zoo().pretrained


@pytest.mark.process
def test_a_package_ships_weights_as_ganzoo_does(weights: Path, place: Path) -> None:
    module = place / "project" / "ganzoo_digits"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text(PLUGIN)
    shutil.copytree(weights / "my-dcgan", module / "their-digits")
    (place / "project" / "pyproject.toml").write_text(PROJECT)
    packages = install([place / "project"], place)
    found = {row["name"]: row for row in json.loads(packages.ganzoo("pretrained", "--json"))["pretrained"]}
    assert found["their-digits"]["from"] == "ganzoo-digits 1.2.3"
    assert packages.ganzoo("generate", "their-digits", "-n", "4") == "their-digits.png\n"
    (packages.packages / "ganzoo_digits" / "their-digits" / "model.safetensors").write_bytes(b"broken")
    code = "import ganzoo\ntry:\n    ganzoo.load('their-digits')\nexcept ganzoo.UserError as error:\n    print(error)"
    assert "pip install --force-reinstall --no-deps ganzoo-digits" in packages.python("-c", code)
