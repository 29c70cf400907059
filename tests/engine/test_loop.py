"""What a run does when it is asked to stop, when it diverges, and when it stops learning."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from shared import Command, Together
from torch import Tensor, nn
from trained import TINY, Send, Toy, rows, started

import ganzoo
from ganzoo import Batch, DataSpec, Losses, Networks, Player
from ganzoo.base.signals import Interrupted, StopSignals
from ganzoo.errors import Diverged
from ganzoo.plugins import zoo
from ganzoo.runs import checkpoint
from ganzoo.training.callbacks import collapse_detector
from ganzoo.training.callbacks.divergence import LEAST_LR_SCALE

pytestmark = pytest.mark.usefixtures("toy")

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")


def saved(folder: Path) -> list[int]:
    return [int(path.name) for path in checkpoint.checkpoints(folder / "checkpoints")]


@POSIX
@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGUSR1", 138)])
def test_a_signal_finishes_the_iteration_and_saves(number: str, status: int, tmp_path: Path) -> None:
    before = signal.getsignal(getattr(signal, number))
    with pytest.raises(Interrupted, match=f"stopped by {number} and saved at iteration 3") as stopped:
        ganzoo.run("toy", out=tmp_path / "run", epochs=1, callback=Send(3, getattr(signal, number)), **TINY)
    assert stopped.value.status == status
    assert saved(tmp_path / "run") == [3]
    assert signal.getsignal(getattr(signal, number)) is before
    assert f"stopped by {number}" in (tmp_path / "run" / "log.txt").read_text()


def stopped(folder: Path) -> list[int]:
    """The checkpoints that there were when this process stopped, where the one that leads takes its time to write."""

    def write(*arguments: Any) -> Path:
        time.sleep(1)
        return at_once(*arguments)

    at_once = checkpoint.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "write", write)
        with pytest.raises(Interrupted):
            ganzoo.run(Toy, out=folder, epochs=1, callback=Send(2, signal.SIGTERM), **TINY)
    return saved(folder)


@POSIX
def test_no_process_stops_before_all_is_saved(tmp_path: Path, together: Together) -> None:
    assert together(stopped, tmp_path / "run") == [[3], [3]]


@POSIX
def test_a_second_ctrl_c_stops_at_once_and_the_last_checkpoint_is_whole(tmp_path: Path) -> None:
    both = Send(7, signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as stopped:
        ganzoo.run("toy", out=tmp_path / "run", epochs=2, callback=both, **TINY)
    assert not isinstance(stopped.value, Interrupted)
    assert saved(tmp_path / "run") == [5]
    assert checkpoint.newest(tmp_path / "run" / "checkpoints")


def test_signals_are_left_alone_outside_of_the_main_thread() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def entered() -> int:
        with StopSignals() as signals:
            return signals.received

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(entered).result() == 0


@pytest.mark.process
@POSIX
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_command_says_how_to_go_on_and_the_exit_status_which_signal_it_was(
    number: signal.Signals, status: int, command: Command, place: Path
) -> None:
    line = f"run dcgan --image-size 16 --limit 64 --batch-size 4 --epochs 100000 --log-every 1 --out {place / 'run'}"
    with started(*line.split()) as process:
        assert process.stdout
        assert f"trains for 1600000 iterations in {place / 'run'}" in process.stdout.readline()
        for shown in process.stdout:
            if "iteration" in shown and "epoch" in shown:
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (status, "")
    last, resume = saved(place / "run")[-1], f"`ganzoo resume {place / 'run'}` goes on from iteration"
    assert f"stopped by {number.name} and saved at iteration {last}; {resume} {last}" in out
    assert command("resume", str(place / "run"), "--epochs", "1").status == 0


class Climber(ganzoo.Generator):
    """One weight, in every pixel."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.height = nn.Parameter(torch.zeros(()))

    def forward(self, noise: Tensor) -> Tensor:
        return self.height.tanh().expand(len(noise), *self.shape)


def height_of(nets: Networks) -> nn.Parameter:
    climber = nets.generator
    assert isinstance(climber, Climber)
    return climber.height


class Cliff(ganzoo.GAN):
    """Climbs by one learning rate an iteration; what it computes above the edge is no number."""

    name = "cliff"
    edge: float = 3.2
    of_weights: bool = False

    def noise_shape(self) -> tuple[int, ...]:
        return (1,)

    def networks(self, data: DataSpec) -> Networks:
        return Networks(generator=Climber(data.shape))

    def players(self) -> Sequence[Player]:
        fall = self.fall if self.of_weights else None
        return (Player("generator", self.loss, optimizer=ganzoo.Adam(lr=1.0, betas=(0.0, 0.0)), constrain=fall),)

    def generate(self, nets: Networks, batch: Batch) -> Batch:
        return batch.replace(fake=nets.generator(batch.noise))

    def loss(self, nets: Networks, batch: Batch) -> Losses:
        height = height_of(nets)
        edge = float("inf") if self.of_weights else self.edge
        return {"climb": -height, "ground": torch.where(height > edge, torch.nan, 0.0) * height}

    def fall(self, nets: Networks) -> None:
        height = height_of(nets)
        height.copy_(torch.where(height > self.edge, torch.inf, height))


CLIFF: dict[str, Any] = {**TINY, "epochs": 2, "log_every": 1, "checkpoint_every": 2}


def test_a_loss_that_is_no_number_stops_the_run_and_names_iteration_term_and_last_good_checkpoint(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        Diverged,
        match=r"the loss 'generator/ground' is NaN or infinite since iteration 5; the last good checkpoint is ",
    ) as stopped:
        ganzoo.run(Cliff, out=tmp_path / "run", **{**CLIFF, "log_every": 4})
    assert "; the last good checkpoint is of iteration 4 (" in str(stopped.value)
    assert saved(tmp_path / "run") == [2, 4]
    assert rows(tmp_path / "run")[-1]["generator/ground"] == 0.0, "it was found before it was to be saved"


def test_a_weight_that_is_no_number_is_never_saved(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"the weight 'generator.height' is NaN or infinite at 4; .* iteration 2 "):
        ganzoo.run(Cliff(of_weights=True), out=tmp_path / "run", **CLIFF)
    assert saved(tmp_path / "run") == [2]


def test_rollback_goes_back_as_far_as_it_must_with_lower_learning_rates_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained = ganzoo.run(Cliff, out=tmp_path / "run", **{**CLIFF, "on_nan": "rollback"})
    warned = [record.getMessage() for record in caplog.records if "going back" in record.getMessage()]
    assert "going back to iteration 4, with 0.5 times the learning rates" in warned[0]
    assert "going back to iteration 2, with 0.25 times the learning rates" in warned[1]
    assert height_of(trained.nets).item() == pytest.approx(2 + 0.25 * 4, abs=0.3)
    assert [row["iteration"] for row in rows(tmp_path / "run")] == list(range(1, 9))
    assert "going back" in (tmp_path / "run" / "log.txt").read_text()
    resumed = ganzoo.run(Cliff, out=tmp_path / "run", **{**CLIFF, "epochs": 3, "on_nan": "rollback"})
    gained = (height_of(resumed.nets) - height_of(trained.nets)).item()
    assert gained < 4 * 0.25 + 0.01, "the scale of learning rates is in the checkpoint"


def test_rollback_gives_up_where_lower_learning_rates_do_not_help(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=rf"; {LEAST_LR_SCALE:g} times the learning rates did not help"):
        ganzoo.run(Cliff(edge=0.5), out=tmp_path / "run", **{**CLIFF, "on_nan": "rollback"})


@POSIX
def test_a_run_that_is_to_stop_and_has_diverged_goes_back_and_stops(tmp_path: Path) -> None:
    options = {**CLIFF, "log_every": 100, "on_nan": "rollback"}
    with pytest.raises(Interrupted, match="saved at iteration 4"):
        ganzoo.run(Cliff, out=tmp_path / "run", callback=Send(5, signal.SIGTERM), **options)
    assert saved(tmp_path / "run") == [2, 4]


def test_without_anything_to_go_back_to_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="since iteration 1; there is no checkpoint yet to go back to"):
        ganzoo.run(Cliff(edge=-1.0), out=tmp_path / "run", **{**CLIFF, "on_nan": "rollback"})


def test_divergence_is_told_without_a_traceback_and_ends_with_status_1(command: Command, place: Path) -> None:
    (place / "cliff.py").write_text(
        '"""A GAN that diverges (Me, 2026)."""\nimport ganzoo\nfrom test_loop import Cliff\n'
        "@ganzoo.hookimpl\ndef register_gans(register):\n    register(Cliff)\n"
    )
    line = "--plugin cliff.py run cliff --image-size 16 --limit 16 --batch-size 4 --epochs 2 --log-every 1 --out run"
    answer = command(*line.split())
    assert answer.status == 1
    assert answer.err.startswith("Error: training diverged: the loss 'generator/ground'")
    assert "--on-nan rollback" in answer.err


class Stuck(Cliff):
    """Always makes the same image."""

    name = "stuck"
    edge: float = 1e9


def test_samples_that_look_alike_for_long_are_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collapse_detector, "YOUNG", 10)
    options = {**TINY, "log_every": 10, "sample_every": 5, "checkpoint_every": 30, "epochs": 8}
    ganzoo.run(Stuck, out=tmp_path / "run", **options)
    (warned,) = [record.getMessage() for record in caplog.records if "collapsed" in record.getMessage()]
    assert warned.startswith("iteration 20: the samples look alike: they differ by 0 %")
    assert warned in (tmp_path / "run" / "log.txt").read_text()


def test_samples_that_differ_are_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    alarms, images = collapse_detector.CollapseDetector(()), torch.rand(8, 1, 4, 4)
    for iteration in range(1000, 1100):
        alarms.look_at_samples(0.5 * images, images, iteration)
        alarms.look_at_samples(images[:1], images, iteration)
    assert not caplog.records


def test_a_discriminator_that_has_won_for_long_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    players = zoo().gan("dcgan")().players()
    alarms = collapse_detector.CollapseDetector(players)
    for iteration in range(1, 30):
        alarms.look_at_losses({"generator/adversarial": 9.0, "discriminator/adversarial": 0.001}, iteration)
    (warned,) = (record.getMessage() for record in caplog.records)
    assert warned.startswith(
        f"iteration {collapse_detector.LONG}: the loss of the discriminator has been near 0 for long"
    )
    caplog.clear()
    for iteration in range(30):
        alarms.look_at_losses({"discriminator/adversarial": 0.5 * (iteration % 2)}, iteration)
    for iteration in range(30):  # it did not move
        alarms.look_at_losses({"generator/adversarial": 9.0}, iteration)
    assert not caplog.records


def test_a_loss_without_a_least_value_is_never_won(caplog: pytest.LogCaptureFixture) -> None:
    alarms = collapse_detector.CollapseDetector(zoo().gan("wgan-gp")().players())
    for iteration in range(30):
        alarms.look_at_losses({"discriminator/adversarial": 0.0, "discriminator/gradient_penalty": 0.0}, iteration)
    assert not caplog.records
