"""What a GAN is made of, found by building it and trying it once."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.data.made_up import example_batch
from ganzoo.data.spec import DataSpec
from ganzoo.gan import Player
from ganzoo.optim import Optimizer
from ganzoo.options import RunOptions


@dataclass(frozen=True)
class NetworkSummary:
    """One network."""

    name: str
    kind: str
    parameters: int
    output: str
    """The shape of what it gives for one image: `1 x 64 x 64`."""


@dataclass(frozen=True)
class PlayerSummary:
    """One player."""

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
    """Parameters of each network that has any. Nothing is allocated where that can be avoided.

    Raises:
        UserError: the networks cannot be built for that data.
    """
    with torch.random.fork_rng([]):
        try:
            with torch.device("meta"):
                nets = options.gan.build(data)
        except (RuntimeError, NotImplementedError):  # a plugin's own: it looks at its weights as it draws them
            nets = options.gan.build(data)
    return {name: count for name, network in nets.named_children() if (count := _count(network))}


def summarise(options: RunOptions, data: DataSpec) -> Summary:
    """Builds the networks and has every player look at one batch, to see what comes out.

    Raises:
        SizeError: the networks cannot be built for that data.
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
    """How often a player moves, and from when on."""
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
