"""Summary of a GAN: its networks and players, found by one forward pass."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.contract.data_spec import DataSpec
from ganzoo.contract.gan import Player
from ganzoo.contract.optim import Optimizer
from ganzoo.data.example import example_batch
from ganzoo.options.run import RunOptions


@dataclass(frozen=True)
class NetworkSummary:
    """Summary of one network."""

    name: str
    kind: str
    parameters: int
    output: str
    """Output shape for one image: `1 x 64 x 64`."""


@dataclass(frozen=True)
class PlayerSummary:
    """Summary of one player."""

    name: str
    moves: str
    every: str
    losses: str
    optimizer: str


@dataclass(frozen=True)
class Summary:
    """Networks and players of a configured GAN."""

    networks: tuple[NetworkSummary, ...]
    players: tuple[PlayerSummary, ...]


def count_parameters(options: RunOptions, data: DataSpec) -> dict[str, int]:
    """Count the parameters of each network that has any, on the meta device where possible.

    Raises:
        UserError: the networks cannot be built for this data.
    """
    with torch.random.fork_rng([]):
        try:
            with torch.device("meta"):
                nets = options.gan.build(data)
        except (RuntimeError, NotImplementedError):  # a plugin whose initialization reads the weights
            nets = options.gan.build(data)
    return {name: count for name, network in nets.named_children() if (count := _count(network))}


def summarise(options: RunOptions, data: DataSpec) -> Summary:
    """Build the networks and run every player on one batch to find shapes and losses.

    Raises:
        SizeError: the networks cannot be built for this data.
    """
    gan = options.gan
    outputs: dict[str, Any] = {}
    terms: dict[str, str] = {}
    with torch.random.fork_rng([]):
        nets = gan.build(data)
        for name, network in nets.named_children():
            network.register_forward_hook(lambda _, __, output, name=name: outputs.update({name: output}))
        batch = gan.generate(nets, example_batch(data, gan.noise_shape(), rows=2))
        players = options.players()
        for player in players:
            terms[player.name] = " + ".join(player.loss(nets, batch))
    return Summary(
        tuple(
            NetworkSummary(name, type(network).__name__, _count(network), _shape(outputs.get(name)))
            for name, network in nets.named_children()
        ),
        tuple(
            PlayerSummary(
                player.name,
                ", ".join(player.networks),
                _rhythm(player),
                terms[player.name],
                _words(player.optimizer),
            )
            for player in players
        ),
    )


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _shape(output: Any) -> str:
    if isinstance(output, Tensor):
        return " x ".join(str(size) for size in output.shape[1:]) or "1"
    if isinstance(output, tuple | list):
        return ", ".join(_shape(part) for part in output)
    return "not used in this iteration" if output is None else type(output).__name__


def _rhythm(player: Player) -> str:
    """Describe how often and from when a player moves."""
    words = ["iteration" if player.every == 1 else f"{player.every} iterations"]
    if player.after:
        words.append(f"after {player.after:,}")
    if player.until is not None:
        words.append(f"until {player.until:,}")
    return ", ".join(words)


def _words(optimizer: Optimizer | str | None) -> str:
    if not isinstance(optimizer, Optimizer):
        return f"that of {optimizer}"
    chosen = {"lr": optimizer.lr} | optimizer.model_dump(exclude_defaults=True)
    return f"{optimizer.kind}, " + ", ".join(f"{name} {value}" for name, value in chosen.items())
