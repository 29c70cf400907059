"""Alarms: signs that a GAN has stopped learning while its losses are still numbers."""

import logging
from collections.abc import Iterable, Mapping

from torch import Tensor

from ganzoo.contract.gan import Player

log = logging.getLogger(__name__)

NEAR = 0.01
"""A player has won if its loss is that near to the least it can be."""
LONG = 10
"""Lines of metrics in a row after which that is no accident."""
ALIKE = 0.1
"""Samples are alike if they differ by less than that share of what the data's images differ by."""
OFTEN = 3
"""Sample grids in a row after which that is no accident."""
YOUNG = 500
"""Iterations during which samples may be alike: an untrained generator's are."""


class CollapseDetector:
    """Looks at what is logged and sampled, and warns once for each time that something goes wrong.

    It counts anew when a run goes on: a warning comes later then, and nothing else depends on it.
    """

    def __init__(self, players: Iterable[Player]) -> None:
        self._least_losses = {player.name: player.least_loss for player in players if player.least_loss is not None}
        self._counts: dict[str, int] = {}

    def look_at_losses(self, losses: Mapping[str, float], iteration: int) -> None:
        """Warns if a player has won for long: there is no slope left for the others to learn from."""
        for name, least in self._least_losses.items():
            loss = losses.get(f"{name}/adversarial")  # what it plays for; other terms have other bounds
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
        """Warns if samples have looked alike for some time (mode collapse).

        Args:
            fakes: made of different inputs, N x C x H x W.
            reals: as many images of the data.
            iteration: for the message.
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


def diversity(images: Tensor) -> float:
    """By how much images differ: the standard deviation of each pixel among them, on average."""
    return images.float().std(0, correction=0).mean().item()
