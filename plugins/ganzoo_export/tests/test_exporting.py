"""`ganzoo export`: folders that others can use, with their cards; whole, or not at all."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ganzoo_export.exporting import check_place, exchanged
from ganzoo_export.facts import samples_of
from PIL import Image
from shared import Answer, Command

import ganzoo
from ganzoo.base.io import digest
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder

ALONE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0].startswith("ganzoo"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Blocked())
try:
    import ganzoo
    raise SystemExit("ganzoo can be imported")
except ImportError:
    pass
exec(compile(sys.stdin.read(), "snippet", "exec"))
"""
"""A program that runs another where ganzoo cannot be imported."""


def snippet(folder: Path) -> str:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (folder / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return str(code)


def run_alone(folder: Path) -> None:
    code = snippet(folder)
    assert len(code.splitlines()) <= 15
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE], input=code, cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def made(answer: Answer) -> str:
    assert (answer.status, answer.err) == (0, ""), answer
    return answer.out


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "form", "size", "mode"),
    [
        ("dcgan", "onnx", (128, 16), "L"),
        ("text2image", "onnx", (128, 16), "RGB"),
        ("text2image", "torchexport", (128, 16), "RGB"),
        ("pix2pix", "onnx", (32, 32), "RGB"),
        ("pix2pix", "torchexport", (32, 32), "RGB"),
    ],
)
def test_the_lines_in_its_card_make_pictures_without_ganzoo(
    name: str, form: str, size: tuple[int, int], mode: str, runs: Path, command: Command, place: Path
) -> None:
    out = made(command("export", str(runs / name), "--format", form, "-o", "out"))
    assert re.fullmatch(
        r"out/model\.\w+: \d+\.\d MiB, (the same as|differs from) PyTorch.*, \d+\.\d s\nout/README.md\n", out
    )
    Image.new("RGB", (50, 40), "red").save(place / "out" / "source.png")
    run_alone(place / "out")
    with Image.open(place / "out" / "images.png") as picture:
        assert (picture.size, picture.mode) == (size, mode)
        assert picture.convert("L").getextrema() != (0, 0)
        assert len(picture.convert("RGB").getcolors(10**6) or ()) > 10


def test_the_card_says_what_it_is(runs: Path, command: Command, place: Path) -> None:
    shutil.copytree(runs / "dcgan", "run")
    row = {"iteration": 2, "when": "2026-01-01T00:00:00+00:00", "protocol": {"extractor": "digits", "samples": 100}}
    rows = [{**row, "figures": {"fid": 12.3456}}, {**row, "iteration": 9, "figures": {"fid": 1}}, {"iteration": 1}]
    (place / "run" / "evaluations.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows) + "{half")
    made(command("export", "run", "--format", "onnx", "--licence", "cc-by-sa-4.0"))
    folder = place / "exports" / "run-onnx"
    text = (folder / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    values = {name: json.loads(value) for name, _, value in (line.partition(": ") for line in front.splitlines())}
    assert values == {
        "license": "cc-by-sa-4.0",
        "library_name": "ganzoo",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "dcgan", "image-generation", "onnx"],
        "datasets": ["mnist"],
        "metrics": ["fid"],
    }
    for words in (
        "# dcgan trained on mnist",
        "Radford et al., 2015, arXiv:1511.06434",
        "| `noise` | batch x 64 | float32, standard normal |",
        "Compared with PyTorch on the CPU, on random inputs in batches of 1 and 5",
        "Iteration 2, batches of 4, seed 0.",
        "Licence of the data: CC BY-SA 3.0 (Y. LeCun, C. Cortes, C. J. C. Burges)",
        "Measured of these weights.",
        "| fid | 12.35 |",
        "extractor: digits; samples: 100",
        "## Intended use and limits",
    ):
        assert words in body, words
    assert "not from the end" not in body
    listed = dict(re.findall(r"^\| `([\w.]+)` \| `([0-9a-f]{64})` \|$", body, re.MULTILINE))
    assert listed == {
        file.name: digest(file) for file in folder.iterdir() if file.name not in ("README.md", "export.json")
    }
    assert {"model.onnx", "config.json", "data.json", "environment.json", "samples.png"} <= listed.keys()
    about = json.loads((folder / "export.json").read_text())
    assert about["difference"] <= 1e-3
    assert (about["inputs"], about["iteration"]) == ({"noise": ["batch", 64]}, 2)


def test_every_data_set_says_its_licence() -> None:
    for name, dataset in zoo().datasets.items():
        assert dataset.licence.startswith("unknown: ") or dataset.licence != "unknown", name
    assert zoo().datasets["mnist"].licence.startswith("CC BY-SA 3.0")
    assert zoo().datasets["openmoji"].licence.startswith("CC BY-SA 4.0")


def test_an_export_of_weights_makes_the_same_images_and_cannot_be_trained(
    runs: Path, command: Command, place: Path
) -> None:
    for name in ("dcgan", "pix2pix"):
        made(command("export", str(runs / name), "-o", name))
    exported, original = ganzoo.load("dcgan"), ganzoo.load(runs / "dcgan")
    assert torch.equal(exported.generate(5), original.generate(5))
    assert (place / "dcgan" / "model.safetensors").stat().st_size < 0.9 * sum(
        file.stat().st_size for file in (runs / "dcgan" / "checkpoints").glob("*/networks.safetensors")
    )
    assert command("generate", "dcgan", "-n", "4", "-o", "x.png").status == 0
    Image.new("RGB", (40, 40)).save("in.png")
    assert command("translate", "pix2pix", "in.png", "-o", "there").status == 0
    assert command("export", "dcgan", "--format", "torchexport", "-o", "again").status == 0
    for line, words in (
        ("resume dcgan", "dcgan is an export, which makes images and cannot be trained further"),
        ("run dcgan --out dcgan", "dcgan is an export, which makes images and cannot be trained further"),
        ("run dcgan --init-from dcgan --image-size 16 --limit 8 --batch-size 4", "is an export without discriminator"),
        ("generate dcgan --checkpoint best -o y.png", "is an export, of one checkpoint alone"),
        ("generate again -o y.png", "is an export for other programs, without model.safetensors"),
    ):
        answer = command(*line.split())
        assert (answer.status, words in answer.err) == (2, True), answer
    assert not (place / "y.png").exists()


def test_weights_that_are_not_of_the_end_are_said_to_be_none(runs: Path, command: Command, place: Path) -> None:
    shutil.copytree(runs / "dcgan", "run")
    status = json.loads((place / "run" / "status.json").read_text())
    assert (status["state"], status["iterations"]) == ("finished", 2)
    (place / "run" / "checkpoints" / "00000002").rename("run/checkpoints/00000001")
    answer = command("export", "run", "--checkpoint", "1")
    assert answer.err == "note: these weights are not from the end of the training, and the card says so\n"
    text = (place / "exports" / "run-safetensors" / "README.md").read_text()
    assert "**These weights are not from the end of the training**. Iteration 1 of 2," in text
    assert "its run had not ended" not in text, "it had"


def test_the_picture_of_an_export_is_of_its_weights(runs: Path, command: Command, place: Path) -> None:
    shutil.copytree(runs / "dcgan", "run")
    grids = {number: Image.new("L", (number, 1)) for number in (1, 2, 3, 10)}
    for number, grid in grids.items():
        grid.save(place / "run" / "samples" / f"{number:08}.png")
    (place / "run" / "samples" / "notes.png").write_bytes(b"")
    made(command("export", "run", "--checkpoint", "2"))
    with Image.open(place / "exports" / "run-safetensors" / "samples.png") as picture:
        assert picture.width == 2
    files = RunFolder(Path("run"))
    for iteration, name in ((0, None), (1, "00000001.png"), (9, "00000003.png"), (100, "00000010.png")):
        found = samples_of(files.path, iteration)
        assert (found and found.name) == name
    made(command("export", "exports/run-safetensors", "-o", "again"))
    with Image.open(place / "again" / "samples.png") as picture:
        assert picture.width == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("export nothing", "nothing is no run folder"),
        ("export run --format pickle", "'pickle' is not one of"),
        ("export run -o full", "'full' has files in it that are not from an export"),
        ("export run -o run", "'run' is the folder that is exported"),
        ("export run -o text.txt", "'text.txt' is no folder"),
        ("export run -o text.txt/x", "cannot be written"),
        ("export run --licence a|b", "option 'licence' cannot be 'a|b'"),
        ("export run --checkpoint 77", "has no checkpoint of iteration 77"),
        ("export begun", "begun has no checkpoint yet"),
        ("export strange", "holds the weights of other networks"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_leaves_nothing(
    line: str, words: str, runs: Path, command: Command, place: Path
) -> None:
    for name in ("run", "begun", "strange"):
        shutil.copytree(runs / "dcgan", name)
    shutil.rmtree("begun/checkpoints")
    config = json.loads((place / "strange" / "config.json").read_text())
    config["gan"]["latent_dim"] = 5
    (place / "strange" / "config.json").write_text(json.dumps(config))
    (place / "full").mkdir()
    (place / "full" / "thesis.tex").write_text("years of work")
    (place / "text.txt").write_text("words")
    before = sorted(place.rglob("*"))
    answer = command(*line.split())
    assert (answer.status, words in answer.err) == (2, True), answer
    assert sorted(place.rglob("*")) == before


def test_a_missing_library_is_named(runs: Path, command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    answer = command("export", str(runs / "dcgan"), "--format", "onnx")
    assert (answer.status, list(place.iterdir())) == (2, [])
    assert "pip install 'ganzoo[onnx]'" in answer.err


def test_an_export_takes_the_place_of_another_in_one_step(place: Path) -> None:
    def write(words: str) -> None:
        with exchanged(place / "a" / "b") as draft:
            (draft / "export.json").write_text(words)
            if words == "broken":
                raise ganzoo.UserError("no")

    with pytest.raises(ganzoo.UserError, match="no"):
        write("broken")
    assert list(place.iterdir()) == []
    write("first")
    write("second")
    with pytest.raises(ganzoo.UserError, match="no"):
        write("broken")
    assert [(file.name, file.read_text()) for file in (place / "a" / "b").iterdir()] == [("export.json", "second")]
    assert [path.name for path in (place / "a").iterdir()] == ["b"]


def test_the_export_before_comes_back_when_its_place_cannot_be_taken(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "out").mkdir()
    (place / "out" / "export.json").write_text("first")
    replace = Path.replace

    def fails_for_the_new(self: Path, target: Path) -> Path:
        if self.is_dir() and (self / "new").exists():
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails_for_the_new)
    with pytest.raises(ganzoo.UserError, match="No space left"), exchanged(place / "out") as draft:
        (draft / "new").write_text("second")
    assert [(path.name, (path / "export.json").read_text()) for path in place.iterdir()] == [("out", "first")]


def test_files_of_ones_own_in_an_export_stay(place: Path) -> None:
    (place / "out").mkdir()
    (place / "out" / "export.json").write_text("{}")
    check_place(place / "out")
    (place / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(ganzoo.UserError, match=r"'out' has 'thesis\.tex' in it, which is not from an export"):
        check_place(Path("out"))


def test_a_parent_that_others_write_into_stays(place: Path) -> None:
    def write() -> None:
        with exchanged(place / "a" / "b"):
            (place / "a" / "other").touch()
            raise ganzoo.UserError("no")

    with pytest.raises(ganzoo.UserError, match="no"):
        write()
    assert [path.name for path in (place / "a").iterdir()] == ["other"]
