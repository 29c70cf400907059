"""Going on: with a folder, or with another's weights."""

import json
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chance import Drawing
from shared import TINY as TINY_LINE
from shared import Command
from trained import TINY, Stop, rows, tensors

import ganzoo
from ganzoo.base.rng import preserve_rng_state, seed_everything
from ganzoo.contract.callback import Callback
from ganzoo.errors import Diverged
from ganzoo.runs import checkpoint
from ganzoo.runs.folder import RunFolder
from ganzoo.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("toy")


def test_every_random_generator_goes_on_where_it_was_and_frozen_weights_are_kept_once(tmp_path: Path) -> None:
    options: dict[str, Any] = {**TINY, "epochs": 3, "precision": "fp32"}
    ganzoo.run(Drawing, out=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run(Drawing, out=tmp_path / "stopped", callback=Stop(8), **options)
    random.seed(1)
    np.random.seed(1)
    resumed = ganzoo.run(Drawing, out=tmp_path / "stopped", **options)
    whole, stopped = tensors(tmp_path / "whole"), tensors(tmp_path / "stopped")
    assert whole.keys() == stopped.keys()
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    assert not any("features" in name for name in whole)
    (frozen,) = (tmp_path / "whole" / "checkpoints").glob("frozen.*.safetensors")
    assert frozen.stat().st_size > 0
    loaded = ganzoo.load(tmp_path / "whole", gan=Drawing)
    for name, value in resumed.nets.features.state_dict().items():
        assert torch.equal(value, loaded.nets.features.state_dict()[name])


def test_a_damaged_checkpoint_is_passed_over_set_aside_and_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    ganzoo.run("toy", out=folder, epochs=2, precision="fp32", **TINY)
    whole = tensors(folder)
    damaged = folder / "checkpoints" / "00000008" / "optimizers.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    ganzoo.run("toy", out=folder, epochs=2, precision="fp32", **TINY)
    assert "the checkpoint 00000008 is damaged" in caplog.text
    assert "the checkpoint 00000005 is taken instead" in caplog.text
    again = tensors(folder)
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert (folder / "checkpoints" / "damaged-00000008").is_dir()
    assert [row["iteration"] for row in rows(folder)] == [2, 4, 6, 8]


def test_the_best_checkpoint_stays_until_a_better_one_comes_in_a_resumed_run_too(tmp_path: Path) -> None:
    class Judge(Callback):
        """Finds the third iteration the best so far, and the tenth better still."""

        def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
            trainer.report_score({3: 0.5, 10: 0.4}.get(trainer.engine.iteration, 1.0))

    options = {**TINY, "log_every": 1, "keep_last": 1}
    # The first is judged, too: it is the best until the third.
    for epochs, kept in ((2, [3, 8]), (3, [10, 12])):
        ganzoo.run("toy", out=tmp_path / "run", epochs=epochs, callback=Judge(), **options)
        assert [int(path.name) for path in checkpoint.checkpoints(tmp_path / "run" / "checkpoints")] == kept


@pytest.mark.parametrize(
    "ends", [[KeyboardInterrupt()], [Diverged("once"), Diverged("twice")]], ids=["damaged", "removed"]
)
def test_a_best_checkpoint_that_is_gone_is_the_best_no_longer(ends: list[BaseException], tmp_path: Path) -> None:
    class Judge(Callback):
        """Finds the third iteration good, the sixth better, and the seventh, once it is reached, less than both."""

        def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
            if trainer.engine.iteration == 7 and ends:
                raise ends.pop()
            trainer.report_score({3: 0.5, 6: 0.4 if ends else 1.0, 7: 0.8}.get(trainer.engine.iteration, 1.0))

    folder = tmp_path / "run"
    options = {**TINY, "log_every": 1, "epochs": 3, "on_nan": "rollback", "callback": Judge()}
    with suppress(KeyboardInterrupt):
        ganzoo.run("toy", out=folder, **options)
        assert not ends, "the checkpoint of iteration 6 was removed, as what came after it was no number"
    for damaged in folder.glob("checkpoints/00000006/networks.safetensors"):
        damaged.unlink()
        assert not (folder / "checkpoints" / "00000003").exists(), "it was pruned when the sixth was better"
        ganzoo.run("toy", out=folder, **options)
    assert [int(path.name) for path in checkpoint.checkpoints(folder / "checkpoints")] == [7, 10, 12]
    assert ganzoo.load(folder, checkpoint="best").iteration == 7


def test_a_run_can_be_told_anew_what_may_change_and_nothing_else(command: Command, place: Path) -> None:
    assert command(*f"run toy --image-size 16 {TINY_LINE} --out run".split()).status == 0
    answer = command(*["resume", "run", "--epochs", "3", "--log-every", "1", "--device", "cpu"])
    assert answer.status == 0, answer.err
    assert "continues at iteration 2 of 6 iterations" in answer.out
    assert json.loads((place / "run" / "config.json").read_text())["epochs"] == 3
    answer = command(*["resume", "run", "--latent-dim", "3"])
    assert answer.status == 2
    assert "No such option" in answer.err
    answer = command(*f"run toy --image-size 16 {TINY_LINE} --latent-dim 3 --out run".split())
    assert answer.status == 2
    assert "its gan.latent_dim is 64, not 3" in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("resume missing", "missing is no run folder: it has no config.json"),
        ("resume run --epochs none", "option 'epochs' cannot be 'none': it must be a whole number"),
        ("run dcgan --image-size 16 --init-from missing", "missing is no run folder"),
        ("run dcgan --image-size 32 --init-from run", "is of shape"),
        ("run pix2pix --image-size 32 --init-from run", "run holds the weights of other networks: "),
    ],
)
def test_what_cannot_be_gone_on_with_is_said(words: str, said: str, command: Command, runs: Path, place: Path) -> None:
    (place / "run").symlink_to(runs / "dcgan")
    answer = command(*words.split(), *(["--limit", "8", "--batch-size", "4"] if words.startswith("run ") else ()))
    assert answer.status == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 2
    assert not (place / "runs").exists()


def test_what_cannot_be_gone_on_with_is_told_what_resume_can_be_told(command: Command, runs: Path, place: Path) -> None:
    assert command(*["export", str(runs / "dcgan"), "--out", "made"]).status == 0
    answer = command("resume", "made")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.endswith("cannot be trained further; go on with the run that it was made from\n")
    shutil.copytree(runs / "dcgan", place / "run")
    (place / "run" / ".lock").unlink(missing_ok=True)
    (place / "run" / ".lock").mkdir()
    answer = command(*["resume", "run", "--epochs", "2"])
    assert (answer.status, answer.out) == (2, "")
    assert answer.err == "Error: run/.lock is a folder, where a run keeps its lock; remove it\n"


def test_a_new_run_can_begin_with_the_weights_of_another_on_other_data(runs: Path, tmp_path: Path) -> None:
    class First(Callback):
        """Remembers what training begins with."""

        def on_train_start(self, trainer: Trainer, folder: RunFolder) -> None:
            assert trainer.engine.optimizers.scale == 1.0

    options: dict[str, Any] = {**TINY, "epochs": 1, "data": "openmoji", "channels": 1, "lr": 1e-30}
    begun = ganzoo.run("lsgan", out=tmp_path / "run", init_from=runs / "dcgan", callback=First(), **options)
    source = ganzoo.load(runs / "dcgan")
    for name, value in source.nets.named_parameters():
        torch.testing.assert_close(begun.nets.get_parameter(name), value, rtol=0, atol=1e-6)
    # It needs the other run no longer once it has a checkpoint of its own.
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert Path(config["init_from"]) == runs / "dcgan"


def drawn() -> list[float]:
    return [random.random(), np.random.rand(), torch.rand(()).item()]  # noqa: S311 - the very ones that are kept


def test_generators_that_samples_draw_from_are_not_missed() -> None:
    device = torch.device("cpu")
    seed_everything(3)
    expected = drawn()
    seed_everything(3)
    with preserve_rng_state(device):
        assert drawn() == expected
    assert drawn() == expected


def test_time_going_backwards_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = iter(range(10**9, 0, -3600))
    monkeypatch.setattr("time.time", lambda: float(next(hours)))
    ganzoo.run("toy", out=tmp_path / "run", epochs=1, **TINY)
    ganzoo.run("toy", out=tmp_path / "run", epochs=2, **TINY)
    assert [row["iteration"] for row in rows(tmp_path / "run")] == [2, 4, 6, 8]
    assert all(row["images_per_second"] > 0 for row in rows(tmp_path / "run"))
