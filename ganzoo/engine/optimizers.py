"""The optimizers of an engine's players: one step of one player, learning rates, and their state."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from ganzoo.contract.gan import Player
from ganzoo.contract.optim import Optimizer
from ganzoo.options.optimization import OptimizationOptions


class Optimizers(Mapping[str, torch.optim.Optimizer]):
    """torch's optimizers, by the name of the player that each belongs to; others may share it.

    Args:
        players: settled, in their order.
        weights: what each of them moves, by its name.
        learning: what is said of all of them.
        fused: whether to take single-kernel forms.
        captured: whether their steps become part of CUDA graphs.
    """

    def __init__(
        self,
        players: Sequence[Player],
        weights: Mapping[str, Sequence[nn.Parameter]],
        learning: OptimizationOptions,
        *,
        fused: bool,
        captured: bool,
    ) -> None:
        self.weights = weights
        self.learning = learning
        self.scale = 1.0
        """Share of the learning rates that is taken: less, once a run that diverged has gone back."""
        self._factor: float | None = None  # that in force; None: what was loaded
        self._owners = {
            player.name: player.optimizer if isinstance(player.optimizer, str) else player.name for player in players
        }
        self._declared = {
            player.name: player.optimizer for player in players if isinstance(player.optimizer, Optimizer)
        }
        self._built = {
            name: optimizer.build(weights[name], fused=fused, captured=captured)
            for name, optimizer in self._declared.items()
        }

    def __getitem__(self, player: str) -> torch.optim.Optimizer:
        return self._built[player]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built)

    def __len__(self) -> int:
        return len(self._built)

    def set_rates(self, done: float) -> None:
        """Sets all learning rates for the next iteration, when that share of the run is behind."""
        factor = self.scale * self.learning.lr_factor(done)
        if factor == self._factor:
            return
        self._factor = factor
        for name, optimizer in self._built.items():
            for group in optimizer.param_groups:
                if isinstance(group["lr"], Tensor):  # in place, for a recorded iteration reads it there
                    group["lr"].fill_(factor * self._declared[name].lr)
                else:
                    group["lr"] = factor * self._declared[name].lr

    def step(self, player: str, gradients: Sequence[Tensor | None]) -> None:
        """Moves the weights of one player."""
        weights = self.weights[player]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = None if gradient is None else laid_out_like(weight, gradient)
        if self.learning.clip_gradient is not None:
            nn.utils.clip_grad_norm_(weights, self.learning.clip_gradient)
        self._built[self._owners[player]].step()
        # Fused optimizers move weights behind autograd's back; without this a stale graph is differentiated silently.
        torch.autograd.graph.increment_version(weights)
        for weight in weights:
            weight.grad = None

    def state(self) -> dict[str, Tensor]:
        """Their state, flat: `player/number of the weight/name`."""
        return {
            f"{player}/{index}/{name}": value
            for player, optimizer in self._built.items()
            for index, state in optimizer.state_dict()["state"].items()
            for name, value in state.items()
        }

    def load_state(self, flat: Mapping[str, Tensor]) -> None:
        """Takes back what `state` gave."""
        for player, optimizer in self._built.items():
            states: dict[int, dict[str, Tensor]] = {}
            for key, value in flat.items():
                name, index, field = key.split("/")
                if name == player:
                    weight = self.weights[player][int(index)]
                    states.setdefault(int(index), {})[field] = laid_out_like(weight, value)
            optimizer.load_state_dict(optimizer.state_dict() | {"state": states})
        self._factor = None


def laid_out_like(weight: Tensor, values: Tensor) -> Tensor:
    """The same values in the weight's order in memory.

    Fused optimizers walk through weights, gradients and state side by side in memory; in another order they pair up the
    wrong numbers, without a word.
    """
    if values.shape != weight.shape or values.stride() == weight.stride():
        return values
    return torch.empty_like(weight, dtype=values.dtype).copy_(values)
