"""Optimizers of an engine's players: steps, learning rates and state."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from ganzoo.contract.gan import Player
from ganzoo.contract.optim import Optimizer
from ganzoo.options.optimization import OptimizationOptions


class Optimizers(Mapping[str, torch.optim.Optimizer]):
    """PyTorch optimizers by the name of their player; other players may share one.

    Args:
        players: players with resolved optimizers, in order.
        weights: trainable weights by player name.
        learning: optimization options common to all players.
        fused: whether to use fused implementations.
        captured: whether steps are captured in CUDA graphs.
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
        """Factor of all learning rates, lowered at each rollback."""
        self._factor: float | None = None  # current factor; None: that of the loaded state
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
        """Set all learning rates for the next iteration.

        Args:
            done: completed share of the run, from 0 to 1.
        """
        factor = self.scale * self.learning.lr_factor(done)
        if factor == self._factor:
            return
        self._factor = factor
        for name, optimizer in self._built.items():
            for group in optimizer.param_groups:
                if isinstance(group["lr"], Tensor):  # in place: a recorded iteration reads this tensor
                    group["lr"].fill_(factor * self._declared[name].lr)
                else:
                    group["lr"] = factor * self._declared[name].lr

    def step(self, player: str, gradients: Sequence[Tensor | None]) -> None:
        """Update the weights of one player."""
        weights = self.weights[player]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = None if gradient is None else laid_out_like(weight, gradient)
        if self.learning.clip_gradient is not None:
            nn.utils.clip_grad_norm_(weights, self.learning.clip_gradient)
        self._built[self._owners[player]].step()
        # Fused optimizers bypass autograd's version counter; without this, differentiating a stale graph raises no
        # error.
        torch.autograd.graph.increment_version(weights)
        for weight in weights:
            weight.grad = None

    def state(self) -> dict[str, Tensor]:
        """Return the optimizers' state, flattened to `player/index of the weight/name`."""
        return {
            f"{player}/{index}/{name}": value
            for player, optimizer in self._built.items()
            for index, state in optimizer.state_dict()["state"].items()
            for name, value in state.items()
        }

    def load_state(self, flat: Mapping[str, Tensor]) -> None:
        """Load the result of `state`."""
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
    """Return the values in the memory layout of the weight.

    Fused optimizers walk through weights, gradients and state in memory order; with different layouts they silently
    pair the wrong numbers.
    """
    if values.shape != weight.shape or values.stride() == weight.stride():
        return values
    return torch.empty_like(weight, dtype=values.dtype).copy_(values)
