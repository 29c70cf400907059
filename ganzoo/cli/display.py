"""What a terminal shows while a run trains: a live panel, or plain lines where the output is not a terminal."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from ganzoo.base.torchrun import rank_and_count
from ganzoo.contract.callback import Callback
from ganzoo.options.run import RunOptions
from ganzoo.runs.checkpoint import checkpoints
from ganzoo.runs.folder import RunFolder
from ganzoo.training.dry_run import Trial
from ganzoo.training.trainer import Trainer
from ganzoo.words import duration, epoch_of, losses_of, rate, title


class Display(Callback):
    """Shows epoch, images/s, time left and every named loss; of several processes, that of the one that leads."""

    def __init__(self) -> None:
        # Its own notion of a terminal asks the environment, too: a quiet console may still be one.
        is_main_process = rank_and_count()[0] == 0
        terminal = None if is_main_process else False
        # Paths and names may look like markup.
        self.console = Console(quiet=not is_main_process, force_terminal=terminal, markup=False, emoji=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._task = self._progress.add_task("preparing", total=None, speed="")
        self._live = Live(self._progress, console=self.console, refresh_per_second=4, transient=True)
        self._folder: RunFolder | None = None
        self._figures: dict[str, str] = {}
        """Of the last evaluation."""

    def __enter__(self) -> "Display":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def on_train_start(self, trainer: Trainer, folder: RunFolder) -> None:
        self._folder = folder
        done, total = trainer.start_iteration, trainer.iterations
        if done >= total:
            self.console.print(f"{folder.path} is already trained for {trainer.options.epochs} epochs; more: --epochs")
            return
        begun = f"continues at iteration {done} of" if done else "trains for"
        self.console.print(f"{title(trainer.options)}, {begun} {total} iterations in {folder.path}", soft_wrap=True)
        self._progress.update(self._task, total=total, completed=done)

    def on_step_end(self, trainer: Trainer) -> None:
        self._progress.update(self._task, completed=trainer.engine.iteration, description=epoch_of(trainer))

    def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
        losses = losses_of(row)
        speed = rate(row["images_per_second"])
        if not self.console.is_terminal:
            terms = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
            head = f"epoch {row['epoch']:.2f}  iteration {row['iteration']}/{trainer.iterations}  {speed}"
            self.console.print(f"{head}  {terms}", soft_wrap=True)
            return
        self._progress.update(self._task, speed=speed)
        table = Table.grid(padding=(0, 2))
        for name, value in losses.items():
            table.add_row(f"  {name}", f"{value:.4f}")
        for name, figure in self._figures.items():
            table.add_row(f"  {name}", figure)
        self._live.update(Group(self._progress, table))

    def on_evaluate(self, trainer: Trainer, line: dict[str, Any]) -> None:
        self._figures = {name: "none" if value is None else f"{value:.4g}" for name, value in line["figures"].items()}
        if not self.console.is_terminal:
            figures = "  ".join(f"{name} {value}" for name, value in self._figures.items())
            best = "  (the best so far)" if trainer.is_best else ""
            self.console.print(f"measured at iteration {line['iteration']}:  {figures}{best}", soft_wrap=True)

    def tried(self, options: RunOptions, trial: Trial, as_json: bool = False) -> None:
        """After a dry run."""
        if as_json:
            losses = {name: value if math.isfinite(value) else None for name, value in trial.losses.items()}
            found = {"gan": options.gan.name, "data": options.data.name, **asdict(trial), "losses": losses}
            self.console.print(json.dumps(found, indent=2), highlight=False, soft_wrap=True)
            return
        table = Table.grid(padding=(0, 2))
        table.add_row("iteration", f"{duration(trial.seconds)}, {rate(trial.images_per_second)}")
        if trial.peak is not None:
            table.add_row("memory", f"{trial.peak / 2**30:.2f} GiB at most")
        table.add_row("whole run", f"{trial.iterations} iterations, about {duration(trial.whole)}")
        for name, value in trial.losses.items():
            table.add_row(name, f"{value:.4f}")
        self.console.print(f"{title(options)}, works; nothing was written", soft_wrap=True)
        self.console.print(table)

    def interrupted(self, stop: KeyboardInterrupt) -> None:
        """After Ctrl-C or another signal."""
        if self._folder is None:
            self.console.print("stopped before training began")
            return
        saved = checkpoints(self._folder.checkpoints)
        what = str(stop) or "stopped at once"
        where = f"from iteration {int(saved[-1].name)}" if saved else "from the beginning: there is no checkpoint yet"
        self.console.print(f"{what}; `ganzoo resume {self._folder.path}` goes on {where}", soft_wrap=True)

    def left(self, folder: RunFolder) -> None:
        """Where the results are, the samples last."""
        samples = folder.grids()
        self.console.print(f"run folder   {folder.path}", soft_wrap=True)
        if samples:
            self.console.print(f"sample grid  {_relative(samples[-1])}", soft_wrap=True)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
