"""Display of a run in a notebook: progress, losses and the last sample grid, updated in place."""

import sys
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ganzoo.contract.callback import Callback
from ganzoo.runs.folder import RunFolder
from ganzoo.training.trainer import Trainer
from ganzoo.words import duration, epoch_of, losses_of, rate, title

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

PAUSE = 0.25
"""Minimum seconds between two updates of the progress."""
SMALL = 320
"""Width in pixels below which a grid is shown at twice its size."""


def is_notebook() -> bool:
    """Whether this program runs in an IPython kernel. Imports nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class NotebookDisplay(Callback):
    """Progress, speed, every named loss and the last sample grid below the cell that trains."""

    def __init__(self) -> None:
        self.losses: dict[str, float] = {}
        self.speed = ""
        self._text: DisplayHandle | None = None
        self._grid: DisplayHandle | None = None

    def on_train_start(self, trainer: Trainer, folder: RunFolder) -> None:
        self.path, self.since, self._next = folder.path, time.monotonic(), 0.0
        if trainer.start_iteration >= trainer.iterations:
            self._show(trainer, f"already trained for {trainer.options.epochs} epochs; more: epochs=")
        else:
            self._show(
                trainer,
                "begins" if not trainer.start_iteration else f"continues at iteration {trainer.start_iteration}",
            )

    def on_step_end(self, trainer: Trainer) -> None:
        if time.monotonic() >= self._next:
            self._show(trainer, self._progress(trainer))

    def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
        self.losses, self.speed = losses_of(row), rate(row["images_per_second"])
        self._show(trainer, self._progress(trainer))

    def on_sample(self, trainer: Trainer, file: Path) -> None:
        from IPython.display import Image as Shown
        from IPython.display import display

        with Image.open(file) as picture:
            width = picture.width * (2 if picture.width < SMALL else 1)
        # Bytes instead of the name: the notebook then does not depend on the file.
        shown = Shown(data=file.read_bytes(), format="png", width=width, alt=f"samples of iteration {int(file.stem)}")
        if self._grid is None:
            self._grid = display(shown, display_id=True)
        else:
            self._grid.update(shown)

    def on_rollback(self, trainer: Trainer) -> None:
        self.losses = {}
        self._show(trainer, f"diverged, and went back to iteration {trainer.engine.iteration}")

    def teardown(self, trainer: Trainer, error: BaseException | None) -> None:
        spent = duration(time.monotonic() - self.since)
        if error is not None:
            what = str(error).partition("\n")[0] or "stopped at once"
            self._show(trainer, f"{what}; out='{self.path}' goes on from the last checkpoint")
        elif trainer.start_iteration < trainer.iterations:
            self._show(trainer, f"trained in {spent}")

    def _progress(self, trainer: Trainer) -> str:
        done = trainer.engine.iteration
        made, spent = done - trainer.start_iteration, time.monotonic() - self.since
        left = spent / made * (trainer.iterations - done) if made > 1 else 0.0
        parts = [epoch_of(trainer), self.speed]
        return ", ".join(filter(None, [*parts, f"{duration(left)} left" if left >= 1 else ""]))

    def _show(self, trainer: Trainer, what: str) -> None:
        from IPython.display import display

        done, whole = trainer.engine.iteration, trainer.iterations
        head = f"{title(trainer.options)}: {self.path}"
        shown = {
            "text/html": _page(head, done, whole, what, self.losses),
            "text/plain": "  ".join([head, f"{done}/{whole}", what, *(f"{k} {v:.4f}" for k, v in self.losses.items())]),
        }
        if self._text is None:
            self._text = display(shown, raw=True, display_id=True)
        else:
            self._text.update(shown, raw=True)
        self._next = time.monotonic() + PAUSE


def _page(head: str, done: int, whole: int, what: str, losses: dict[str, float]) -> str:
    cell = 'style="text-align: left; padding: 0 1.5em 0 0; border: 0; background: none"'
    cells = [f"<td {cell}>{escape(name)}</td><td {cell}>{value:.4f}</td>" for name, value in losses.items()]
    rows = "".join(f"<tr>{both}</tr>" for both in cells)
    table = f'<table style="margin: 0; border: 0; font-variant-numeric: tabular-nums">{rows}</table>' if rows else ""
    return (
        f"<div><strong>{escape(head)}</strong></div>"
        f'<div><progress value="{min(done, whole)}" max="{whole}" style="width: 20em"></progress> '
        f"{done}/{whole}, {escape(what)}</div>{table}"
    )
