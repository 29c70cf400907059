"""Run folders that are damaged: each is named on one or two lines, and left alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from refusals import refused
from shared import Command


def edit_config(run: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Changes config.json in place."""
    file = run / "config.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def cut(file: Path) -> None:
    """Leaves the first hundred bytes of a file."""
    file.write_bytes(file.read_bytes()[:100])


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no checkpoint": (lambda run: shutil.rmtree(run / "checkpoints"), "old has no checkpoint yet; "),
    "cut config": (lambda run: cut(run / "config.json"), "old/config.json cannot be read: "),
    "binary config": (lambda run: (run / "config.json").write_bytes(b"\xff\x00"), "old/config.json cannot be read: "),
    "list for config": (lambda run: (run / "config.json").write_text("[]"), "it holds no JSON object"),
    "config of something else": (lambda run: (run / "config.json").write_text("{}"), "does not say which GAN"),
    "GAN is no table": (lambda run: edit_config(run, lambda config: config.update(gan=3)), "does not say which GAN"),
    "GAN not installed": (
        lambda run: edit_config(run, lambda config: config.update(gan={"name": "gone"})),
        "old is a run of 'gone': no GAN is called 'gone'",
    ),
    "GAN of another version": (
        lambda run: edit_config(run, lambda config: config.update(gan={"name": "dcgan", "depth": 3})),
        "old/config.json cannot be used: no option is called 'depth'",
    ),
    "value out of range": (
        lambda run: edit_config(run, lambda config: config.update(gan={"name": "dcgan", "latent_dim": -3})),
        "old/config.json cannot be used: option 'latent_dim' cannot be '-3'",
    ),
    "no data.json": (lambda run: (run / "data.json").unlink(), "old has no data.json"),
    "empty data.json": (lambda run: (run / "data.json").write_text("{}"), "old/data.json cannot be used: "),
    "cut weights": (
        lambda run: cut(weights(run)),
        "its checksum differs; put back a copy of one that is whole, or train it again",
    ),
    "no weights": (lambda run: weights(run).unlink(), "networks.safetensors cannot be read ("),
    "other weights": (
        lambda run: edit_config(run, lambda config: config.update(gan={"name": "dcgan", "latent_dim": 3})),
        "old holds the weights of other networks: 'generator.",
    ),
}


def weights(run: Path) -> Path:
    return run / "checkpoints" / "00000002" / "networks.safetensors"


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_run_folder_is_named_and_left_alone(damage: str, command: Command, place: Path, runs: Path) -> None:
    shutil.copytree(runs / "dcgan", place / "old")
    harm, part = DAMAGE[damage]
    harm(place / "old")
    answer = refused(command, place, "generate old -o x.png")
    assert part in answer.err
    assert len(answer.err.splitlines()) <= 2
