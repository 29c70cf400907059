"""A run from options to folder: what it leaves, how it goes on, what it refuses."""

import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch
from trained import TINY, Stop, rows, tensors

import ganzoo
from ganzoo.engine import checkpoint
from ganzoo.engine.folder import RunFolder
from ganzoo.engine.meter import Meter
from ganzoo.files import write_atomically


@pytest.mark.parametrize("name", ["dcgan", "wgan-gp"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(name: str, tmp_path: Path) -> None:
    options = {**TINY, "epochs": 3, "precision": "fp32"}
    ganzoo.run(name, out=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run(name, out=tmp_path / "stopped", callback=Stop(8), **options)
    assert [path.name for path in checkpoint.checkpoints(tmp_path / "stopped" / "checkpoints")] == ["00000005"]
    ganzoo.run(name, out=tmp_path / "stopped", **options)
    whole, stopped = tensors(tmp_path / "whole"), tensors(tmp_path / "stopped")
    assert whole.keys() == stopped.keys()
    assert all(torch.equal(whole[key], stopped[key]) for key in whole)
    kept = ["iteration", "epoch", "images", "discriminator/adversarial"]
    assert [[row[key] for key in kept] for row in rows(tmp_path / "whole")][-2:] == [
        [row[key] for key in kept] for row in rows(tmp_path / "stopped")
    ][-2:]
    assert [row["iteration"] for row in rows(tmp_path / "stopped")] == [2, 4, 6, 8, 10, 12]
    last = "samples/00000012.png"
    assert (tmp_path / "whole" / last).read_bytes() == (tmp_path / "stopped" / last).read_bytes()


def test_more_epochs_go_on_from_where_a_finished_run_ended(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    ganzoo.run("dcgan", out=tmp_path / "run", epochs=2, **TINY)
    assert [row["iteration"] for row in rows(tmp_path / "run")] == [2, 4, 6, 8]


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        ganzoo.run("dcgan", out=tmp_path / name, epochs=1, seed=seed, precision="fp32", **TINY)
    one, same, other = (tensors(tmp_path / name) for name in ("one", "same", "other"))
    assert all(torch.equal(one[key], same[key]) for key in one)
    weight = "networks.safetensors/generator.convs.0.weight"
    assert not torch.equal(one[weight], other[weight])


def test_another_runs_folder_is_refused_with_what_differs(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "run")
    before = tensors(tmp_path / "run")
    with pytest.raises(ganzoo.UserError, match=r"its gan\.latent_dim is 64, not 32"):
        ganzoo.run("dcgan", out=tmp_path / "run", epochs=1, latent_dim=32, **TINY)
    assert before.keys() == tensors(tmp_path / "run").keys()


def test_checkpoints_keep_the_last_two_and_no_drafts(tmp_path: Path) -> None:
    ganzoo.run("dcgan", out=tmp_path / "run", epochs=4, **TINY)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["00000015", "00000016"]


def test_what_cannot_be_run_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ganzoo.SizeError, match="try --image-size 16"):
        ganzoo.run("dcgan", out=tmp_path / "run", **{**TINY, "image_size": 18})
    assert list(tmp_path.iterdir()) == []


def test_metrics_after_the_checkpoint_are_dropped_and_half_a_line_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for iteration in (1, 2, 3):
        folder.append_metrics({"iteration": iteration})
    with folder.metrics.open("a") as file:
        file.write('{"iterat')
    folder.drop_metrics_after(2)
    assert rows(tmp_path) == [{"iteration": 1}, {"iteration": 2}]


def test_an_atomic_write_leaves_the_old_file_if_it_fails(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    write_atomically(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "new \ud800")
    assert file.read_text() == "old"


def test_the_meter_averages_each_term_over_the_iterations_that_had_it() -> None:
    meter = Meter()
    meter.add({"a": torch.tensor(1.0)}, 1)
    meter.add({"a": torch.tensor(3.0), "b": torch.tensor(5.0)}, 2)
    iterations, seconds, losses = meter.read()
    assert (iterations, losses) == (2, {"a": 2.0, "b": 5.0})
    assert seconds > 0
    assert meter.read()[2] == {}


def test_a_meter_that_is_taken_up_goes_on_in_the_same_order() -> None:
    meter, other = Meter(), Meter()
    for iteration, terms in enumerate(({"z": 1.0}, {"z": 2.0, "a": 3.0}, {"m": 4.0}), 1):
        meter.add({name: torch.tensor(value) for name, value in terms.items()}, iteration)
    meter.add({"m": torch.tensor(float("nan"))}, 4)
    saved = safetensors.torch.load(safetensors.torch.save(meter.state()))
    other.load_state(saved, torch.device("cpu"))
    assert meter.broken() == other.broken() == {"m": 4}
    assert repr(list(other.read()[2].items())) == repr(list(meter.read()[2].items()))
    assert repr(meter.state()) == "{}"


def test_nothing_is_written_before_an_iteration_has_worked(tmp_path: Path) -> None:
    with pytest.raises(ganzoo.UserError, match="try --batch-size 2"):
        ganzoo.run("dcgan", out=tmp_path / "run", recipe="chapter", **{**TINY, "batch_size": 1})
    assert list(tmp_path.iterdir()) == []


def test_a_draft_of_a_run_that_was_killed_is_removed(begun: Path, tmp_path: Path) -> None:
    draft = tmp_path / "run" / "checkpoints" / ".00000003.999"
    shutil.copytree(begun, tmp_path / "run")
    draft.mkdir()
    ganzoo.run("dcgan", out=tmp_path / "run", epochs=2, **TINY)
    assert not draft.exists()


def test_losses_that_are_no_numbers_are_still_json(tmp_path: Path) -> None:
    RunFolder(tmp_path).append_metrics({"iteration": 1, "loss": float("nan")})
    assert rows(tmp_path) == [{"iteration": 1, "loss": None}]
