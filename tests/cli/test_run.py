"""`ganzoo run`, by what it says and what it leaves behind."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from shared import TINY, Command
from sizes import size

from ganzoo.config import validate
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo

DCGAN = f"run dcgan --image-size 16 {TINY}"


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def rows(file: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def everything(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


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
    assert validate(RunOptions, read(run / "config.json")) == resolve(zoo().gan("dcgan"), typed)
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
        "average.safetensors", "networks.safetensors", "optimizers.safetensors", "process-0.safetensors", "state.json",
        "SHA256SUMS",
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
    monkeypatch.setattr("ganzoo.training.dry_run.SECONDS", 0.1)
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
    players = {player.name: player for player in validate(RunOptions, config).players()}
    assert players["discriminator"].optimizer.lr == 4e-4  # type: ignore[union-attr]
    assert players["generator"].every == 2
    assert size(Path("run/samples/00000002.png")) == ("RGB", 5 * 26 + 2, 5 * 18 + 2)


def test_lr_is_that_of_all_players_and_wins_over_a_recipe(command: Command) -> None:
    answer = command(*DCGAN.split(), "--recipe", "paper", "--lr", "5e-3", "--out", "run")
    assert answer.status == 0, answer.err
    players = validate(RunOptions, read(Path("run/config.json"))).players()
    assert [player.optimizer.lr for player in players] == [5e-3, 5e-3]  # type: ignore[union-attr]


def test_a_terminal_sees_progress(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", command(*DCGAN.split(), "--log-every", "1", "--epochs", "2").out)
    assert re.search(r"epoch 2/2 .*100% +[\d.]+ images/s .* left", out)
    assert re.search(r"generator/adversarial +\d\.\d{4}", out)
    assert "sample grid" in out
