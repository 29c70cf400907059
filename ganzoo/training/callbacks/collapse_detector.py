"""Detection of collapse: signs that a GAN has stopped learning although its losses are finite."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from ganzoo.contract.callback import Callback
from ganzoo.contract.gan import Player

if TYPE_CHECKING:
    from ganzoo.runs.folder import RunFolder
    from ganzoo.training.trainer import Trainer

log = logging.getLogger(__name__)

NEAR = 0.01
"""Distance from the least possible loss below which a player has won."""
LONG = 10
"""Consecutive lines of metrics before a warning."""
ALIKE = 0.1
"""Share of the data's diversity below which samples look alike."""
OFTEN = 3
"""Consecutive sample grids before a warning."""
YOUNG = 500
"""Iterations without warnings about samples: those of an untrained generator look alike."""


class CollapseDetector(Callback):
    """Watches losses and samples, and warns once about each problem.

    A resumed run counts from zero, so a warning may come later.

    Args:
        players: players of the run, if known before `on_train_start`.
    """

    def __init__(self, players: Iterable[Player] = ()) -> None:
        self._least_losses = _least_losses(players)
        self._counts: dict[str, int] = {}

    def on_train_start(self, trainer: "Trainer", folder: "RunFolder") -> None:
        self._least_losses = _least_losses(trainer.engine.players)

    def on_log(self, trainer: "Trainer", row: dict[str, float]) -> None:
        self.look_at_losses(row, trainer.engine.iteration)

    def on_sample(self, trainer: "Trainer", file: Path) -> None:
        if trainer.last_samples is not None:
            self.look_at_samples(trainer.last_samples, trainer.reals(), trainer.engine.iteration)

    def look_at_losses(self, losses: Mapping[str, float], iteration: int) -> None:
        """Warn if a player has won for long: it gives the others no more gradient to learn from."""
        for name, least in self._least_losses.items():
            loss = losses.get(f"{name}/adversarial")  # other terms have other bounds
            if loss is not None and self._has_lasted(name, loss < least + NEAR, LONG):
                log.warning(
                    "iteration %d: the loss of the %s has been near %g for long: it has won, and the others learn "
                    "nothing more from it; try a lower learning rate for it (--player %s.lr=...) or another --loss",
                    iteration,
                    name,
                    least,
                    name,
                )

    def look_at_samples(self, fakes: Tensor, reals: Tensor, iteration: int) -> None:
        """Warn if samples have looked alike for some time (mode collapse).

        Args:
            fakes: samples of different inputs, N x C x H x W.
            reals: the same number of real images.
            iteration: current iteration, for the message.
        """
        share = diversity(fakes) / max(diversity(reals), 1e-6)
        alike = len(fakes) > 1 and iteration >= YOUNG and share < ALIKE
        if self._has_lasted("samples", alike, OFTEN):
            log.warning(
                "iteration %d: the samples look alike: they differ by %.0f %% of what the data's images differ by; the "
                "generator has collapsed. Go back to an earlier checkpoint, or try another --loss or learning rate",
                iteration,
                100 * share,
            )

    def _has_lasted(self, name: str, holds: bool, times: int) -> bool:
        self._counts[name] = self._counts.get(name, 0) + 1 if holds else 0
        return self._counts[name] == times


def _least_losses(players: Iterable[Player]) -> dict[str, float]:
    return {player.name: player.least_loss for player in players if player.least_loss is not None}


def diversity(images: Tensor) -> float:
    """Return the diversity of images: the standard deviation of each pixel over the batch, averaged over pixels."""
    return images.float().std(0, correction=0).mean().item()
