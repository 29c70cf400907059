"""The command line, by what it prints and what it leaves behind."""

import importlib.metadata
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from conftest import TINY, Command
from PIL import Image
from trained import started

from ganzoo.config import build
from ganzoo.options import RunOptions, resolve
from ganzoo.plugins import zoo

GANS = sorted(zoo().gans)
DCGAN = f"run dcgan --image-size 16 {TINY}"

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


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def rows(file: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def size(file: Path) -> tuple[str, int, int]:
    with Image.open(file) as picture:
        picture.load()
        return picture.mode, picture.width, picture.height


def everything(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def start(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_help_and_version_import_nothing_slow() -> None:
    done = start(sys.executable, "-c", WITHOUT_TORCH)
    assert done.returncode == 0, done.stderr
    for command in ("datasets", "env", "generate", "info", "list", "plugins", "run", "translate"):
        assert f" {command} " in done.stdout
    assert f"ganzoo, version {importlib.metadata.version('ganzoo')}" in done.stdout


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
        assert row.keys() == {"name", "family", "summary", "year", "from"}
        assert all(row.values())
    lines = command("list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *GANS]
    (dcgan,) = [line.strip() for line in lines if line.startswith("dcgan ")]
    assert re.fullmatch(r"dcgan +noise to image +\S.* +2015 +built-in", dcgan)


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
    "dcgan": [r"generator +\w+ +2,352,513 +1 x 64 x 64", r"discriminator +\w+ +99,649 +1"],
    "pix2pix": [r"generator +\w+ +54,409,603 +3 x 256 x 256", r"discriminator +\w+ +2,767,809 +1 x 16 x 16"],
}
PLAYERS = {
    "dcgan": [r"generator +generator +iteration +adversarial +adam, lr 0.001", r"discriminator +discriminator"],
    "pix2pix": [r"generator +generator +iteration +adversarial \+ l1 +adam, lr 0.0002"],
    "wgan-gp": [r"generator +generator +5 iterations", r"iteration +adversarial \+ gradient_penalty +adam, lr 0.0001"],
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


def test_info_says_which_recipe_is_in_force(command: Command) -> None:
    lines = [line for line in command("info", "dcgan").out.splitlines() if line.startswith("recipe ")]
    assert [line.split()[1] for line in lines] == ["quick:", "chapter:", "paper:"]
    assert ["in force" in line for line in lines] == [True, False, False]


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


def test_what_a_run_says(runs: Path) -> None:
    first, row, folder, sample = (runs / "dcgan.txt").read_text().splitlines()
    assert first == f"dcgan on mnist at 16x16, batch 4, trains for 2 iterations in {runs / 'dcgan'}"
    losses = r"generator/adversarial \d\.\d{4}  discriminator/adversarial \d\.\d{4}"
    assert re.fullmatch(rf"epoch 1\.00  iteration 2/2  [\d.]+ images/s  {losses}", row)
    assert folder.split() == ["run", "folder", str(runs / "dcgan")]
    assert sample.split() == ["sample", "grid", str(runs / "dcgan" / "samples" / "00000002.png")]


def test_what_a_run_leaves(runs: Path) -> None:
    run = runs / "dcgan"
    assert {path.name for path in run.iterdir() if path.name != ".lock"} == {
        "log.txt", "config.json", "data.json", "environment.json", "status.json", "metrics.jsonl",
        "samples", "checkpoints",
    }  # fmt: skip
    typed = {"image_size": "16", "limit": 8, "batch_size": 4, "epochs": 1, "precision": "fp32"}
    assert build(RunOptions, read(run / "config.json")) == resolve(zoo().gan("dcgan"), typed)
    assert read(run / "data.json") == {"dataset": "mnist", "shapes": {"image": [1, 16, 16]}, "classes": []}
    environment = read(run / "environment.json")
    assert environment.keys() >= {"command", "python", "torch", "ganzoo", "cpu"}
    (row,) = rows(run / "metrics.jsonl")
    assert (row.pop("iteration"), row.pop("epoch"), row.pop("images")) == (2, 1, 8)
    assert row.pop("images_per_second") > 0
    assert row.keys() == {"generator/adversarial", "discriminator/adversarial"}
    assert [path.name for path in (run / "samples").iterdir()] == ["00000002.png"]
    assert size(run / "samples" / "00000002.png") == ("RGB", 5 * 18 + 2, 5 * 18 + 2)
    (checkpoint,) = (run / "checkpoints").iterdir()
    assert {path.name for path in checkpoint.iterdir()} == {
        "networks.safetensors", "optimizers.safetensors", "process-0.safetensors", "state.json", "SHA256SUMS",
    }  # fmt: skip
    state = read(checkpoint / "state.json")
    assert (state["iteration"], state["images"], state["lr_scale"], state["best"]) == (2, 8, 1.0, None)
    assert state["config"] == read(run / "config.json")
    assert state["versions"].keys() >= {"python", "torch", "ganzoo"}
    weights = safetensors.torch.load_file(checkpoint / "networks.safetensors")
    assert {name.partition(".")[0] for name in weights} == {"generator", "discriminator"}


def test_a_translation_shows_input_output_and_target(runs: Path) -> None:
    assert size(runs / "pix2pix" / "samples" / "00000002.png") == ("RGB", 2 * 3 * 34 + 2, 4 * 34 + 2)
    (row,) = rows(runs / "pix2pix" / "metrics.jsonl")
    assert row.keys() >= {"generator/adversarial", "generator/l1", "discriminator/adversarial"}
    assert read(runs / "pix2pix" / "config.json")["data"] == {"name": "openmoji"}


def test_a_run_without_out_gets_a_new_folder_each_time(command: Command, place: Path) -> None:
    for number in (1, 2):
        answer = command(*DCGAN.split())
        assert answer.status == 0, answer.err
        assert f"sample grid  runs/dcgan-mnist-00{number}/samples/00000002.png" in answer.out
    assert sorted(path.name for path in (place / "runs").iterdir()) == ["dcgan-mnist-001", "dcgan-mnist-002"]
    first, second = (place / "runs" / f"dcgan-mnist-00{number}" for number in (1, 2))
    assert read(first / "config.json") == read(second / "config.json")
    losses = [rows(run / "metrics.jsonl")[0]["generator/adversarial"] for run in (first, second)]
    assert losses[0] == losses[1], "the same seed gives the same run"


def test_the_same_command_goes_on(command: Command, place: Path, runs: Path) -> None:
    shutil.copytree(runs / "dcgan", place / "run")
    words = [*DCGAN.split(), "--out", "run"]
    assert "run is already trained for 1 epochs; more: --epochs" in command(*words).out
    with (place / "run" / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 3, "ep')  # a crash, later than the checkpoint
    answer = command(*words, "--epochs", "3", "--sample-every", "1")
    assert answer.status == 0, answer.err
    assert "continues at iteration 2 of 6 iterations in run" in answer.out
    assert [row["iteration"] for row in rows(place / "run" / "metrics.jsonl")] == [2, 6]
    assert [path.stem for path in sorted((place / "run" / "samples").iterdir())] == [f"{n:08}" for n in range(2, 7)]
    assert [path.name for path in sorted((place / "run" / "checkpoints").iterdir())] == ["00000002", "00000006"]
    assert read(place / "run" / "config.json")["epochs"] == 3


def test_dry_run_tells_time_and_memory_and_writes_nothing(
    command: Command, place: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganzoo.engine.trial.SECONDS", 0.1)
    shutil.copytree(runs / "dcgan", place / "run")
    before = everything(place)
    for words in ([], ["--out", "new"], ["--out", "run"], ["--loss", "hinge", "--spectral-norm"]):
        answer = command(*DCGAN.split(), "--dry-run", *words)
        assert answer.status == 0, answer.err
        assert "works; nothing was written" in answer.out
        assert re.search(r"^iteration +\S+ ms, [\d,]+ images/s", answer.out, re.MULTILINE)
        assert re.search(r"^memory +\d+\.\d\d GiB at most", answer.out, re.MULTILINE)
        assert re.search(rf"^whole run +{0 if 'run' in words else 2} iterations, about ", answer.out, re.MULTILINE)
        assert re.search(r"^generator/adversarial +-?\d", answer.out, re.MULTILINE)
        assert everything(place) == before


def test_what_is_typed_arrives(command: Command) -> None:
    flags = (
        "--recipe paper --optimizer.betas 0.5,0.9 --augment ada --augment.target 0.5 --no-fused --no-channels-last "
        "--player discriminator.lr=4e-4 --player generator.every=2 --seed 7 --latent-dim 5 --image-size 16x24 --out run"
    )
    answer = command(*DCGAN.split(), *flags.split())
    assert answer.status == 0, answer.err
    config = read(Path("run/config.json"))
    assert config["gan"]["optimizer"] == {
        "kind": "adam", "lr": 2e-4, "betas": [0.5, 0.9], "eps": 1e-8, "weight_decay": 0.0,
    }  # fmt: skip
    assert (config["gan"]["augment"]["kind"], config["gan"]["augment"]["target"]) == ("ada", 0.5)
    assert (config["recipe"], config["gan"]["latent_dim"], config["image_size"]) == ("paper", 5, "16x24")
    assert (config["fused"], config["channels_last"], config["seed"]) == (False, False, 7)
    players = {player.name: player for player in build(RunOptions, config).players()}
    assert players["discriminator"].optimizer.lr == 4e-4  # type: ignore[union-attr]
    assert players["generator"].every == 2
    assert size(Path("run/samples/00000002.png")) == ("RGB", 5 * 26 + 2, 5 * 18 + 2)


def test_lr_is_that_of_all_players_and_wins_over_a_recipe(command: Command) -> None:
    answer = command(*DCGAN.split(), "--recipe", "paper", "--lr", "5e-3", "--out", "run")
    assert answer.status == 0, answer.err
    players = build(RunOptions, read(Path("run/config.json"))).players()
    assert [player.optimizer.lr for player in players] == [5e-3, 5e-3]  # type: ignore[union-attr]


def test_a_terminal_sees_progress(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", command(*DCGAN.split(), "--log-every", "1", "--epochs", "2").out)
    assert re.search(r"epoch 2/2 .*100% +[\d.]+ images/s .* left", out)
    assert re.search(r"generator/adversarial +\d\.\d{4}", out)
    assert "sample grid" in out


def test_generate_makes_a_grid_or_a_file_for_each_image(command: Command, place: Path, runs: Path) -> None:
    run = str(runs / "dcgan")
    assert command("generate", run, "-n", "9", "-o", "deep/grid.png").out == "deep/grid.png\n"
    assert size(place / "deep" / "grid.png") == ("RGB", 3 * 18 + 2, 3 * 18 + 2)
    assert command("generate", run, "-n", "3", "-o", "few").status == 0
    assert command("generate", run, "-n", "70", "--seed", "0", "-o", "many").status == 0
    assert command("generate", run, "-n", "3", "--seed", "1", "-o", "other").status == 0
    names = [f"{number:05}.png" for number in range(3)]
    assert sorted(path.name for path in (place / "few").iterdir()) == names
    assert len(list((place / "many").iterdir())) == 70
    for name in names:
        assert size(place / "few" / name) == ("L", 16, 16)
        assert (place / "few" / name).read_bytes() == (place / "many" / name).read_bytes()
        assert (place / "few" / name).read_bytes() != (place / "other" / name).read_bytes()
    assert command("generate", run, "-o", "photo.jpg").status == 0
    assert size(place / "photo.jpg") == ("RGB", 8 * 18 + 2, 8 * 18 + 2)


def test_generate_takes_texts_in_turn_and_shows_each_in_a_column(command: Command, place: Path, runs: Path) -> None:
    run, texts = str(runs / "text2image"), ["--text", "grinning face", "--text", "a cat", "--text", "pizza"]
    assert command("generate", run, "-n", "16", *texts, "-o", "grid.png").status == 0
    assert size(place / "grid.png") == ("RGB", 3 * 18 + 2, 6 * 18 + 2)
    assert command("generate", run, "-n", "4", *texts, "-o", "three").status == 0
    assert command("generate", run, "-n", "4", "--text", "grinning face", "-o", "one").status == 0
    same = [
        (place / "three" / f"0000{n}.png").read_bytes() == (place / "one" / f"0000{n}.png").read_bytes()
        for n in range(4)
    ]
    assert same == [True, False, False, True]


def test_translate_takes_a_picture_or_a_folder(command: Command, place: Path, runs: Path) -> None:
    (place / "mine" / "more").mkdir(parents=True)
    for name, mode, shape in (
        ("a.png", "RGB", (40, 32)),
        ("more/b.jpg", "L", (7, 9)),
        ("more/c.webp", "RGBA", (64, 64)),
    ):
        Image.new(mode, shape, "white").save(place / "mine" / name)
    (place / "mine" / "notes.txt").write_text("no picture")
    run = str(runs / "pix2pix")
    answer = command("translate", run, "mine", "-o", "out")
    assert answer.status == 0, answer.err
    assert answer.out.split() == ["out/a.png", "out/more/b.png", "out/more/c.png"]
    for name in answer.out.split():
        assert size(place / name) == ("RGB", 32, 32)
    assert command("translate", run, "mine/a.png", "-o", "one").out == "one/a.png\n"
    assert (place / "one" / "a.png").read_bytes() == (place / "out" / "a.png").read_bytes()


def test_ctrl_c_says_how_to_go_on(place: Path) -> None:
    line = f"{DCGAN} --epochs 100000 --log-every 4 --checkpoint-every 4 --out run"
    with started(*line.split()) as run:
        assert run.stdout is not None
        assert "trains for 200000 iterations in run" in run.stdout.readline()
        for _ in range(2):  # after the second line of losses, the first checkpoint is there
            run.stdout.readline()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, "")
    last = max(int(path.name) for path in (place / "run" / "checkpoints").iterdir() if path.name.isdecimal())
    assert f"stopped by SIGINT and saved at iteration {last}; `ganzoo resume run` goes on from iteration {last}" in out


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_is_half_written_goes_when_a_command_is_told_to_stop(
    place: Path, runs: Path, number: int, status: int
) -> None:
    before = sorted(place.rglob("*"))
    with started("generate", str(runs / "dcgan"), "-n", "100000", "-o", "new/digits") as generating:
        until = time.monotonic() + 120
        while generating.poll() is None and not list(place.glob("new/.*/*.png")):
            assert time.monotonic() < until, "it makes no image"
            time.sleep(0.05)
        generating.send_signal(number)
        _, err = generating.communicate(timeout=60)
    assert (generating.returncode, err.strip()) == (status, "Aborted.")
    assert sorted(place.rglob("*")) == before


def test_an_empty_word_is_no_place_to_write_to(command: Command, runs: Path) -> None:
    answer = command("generate", str(runs / "dcgan"), "-o", "")
    assert (answer.status, answer.err) == (
        2,
        "Error: option '--out' cannot be ''; give the name of a file or a folder\n",
    )
