"""Setup of players: default optimizers, run options, checks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ganzoo.config import validate
from ganzoo.contract.gan import Player
from ganzoo.contract.networks import Networks
from ganzoo.contract.optim import Adam, Optimizer
from ganzoo.errors import ContractError, OptionError, UnknownName, typed


def resolve_optimizers(players: Iterable[Player]) -> tuple[Player, ...]:
    """Return the players, each with its own optimizer or the name of the player whose optimizer it shares.

    Raises:
        ContractError: two players have the same name.
    """
    settled: list[Player] = []
    for player in players:
        if player.optimizer is None:
            elder = next((other for other in settled if set(other.networks) == set(player.networks)), None)
            shared = elder and (elder.optimizer if isinstance(elder.optimizer, str) else elder.name)
            player = replace(player, optimizer=shared or Adam())
        settled.append(player)
    names = [player.name for player in settled]
    if len(set(names)) < len(names):
        raise ContractError(f"players() must give players each of its own name; it gives {names}")
    return tuple(settled)


def override(players: Sequence[Player], lr: float | None, changes: Mapping[str, str]) -> tuple[Player, ...]:
    """Apply the run's options to players with resolved optimizers.

    Args:
        players: players of the GAN.
        lr: learning rate of all players (default: their own).
        changes: values by `NAME.FIELD`, a field of the player's optimizer or `every`. They take precedence over `lr`.

    Raises:
        UserError: unknown player or field; the message lists the known ones.
    """
    by_name = {player.name: player for player in players}
    if lr is not None:
        for name, player in by_name.items():
            if isinstance(player.optimizer, Optimizer):
                by_name[name] = _change(player, "lr", str(lr))
    for key, value in changes.items():
        name, _, field = key.partition(".")
        if name not in by_name:
            raise UnknownName("player", name, by_name)
        by_name[name] = _change(by_name[name], field, value)
    return tuple(by_name.values())


def _change(player: Player, field: str, value: str) -> Player:
    if field == "every":
        if not (value.isdecimal() and len(value) < 19 and int(value) > 0):
            raise OptionError(
                f"player option '{player.name}.every' cannot be {typed(value)}: it is a whole number from 1"
            )
        return replace(player, every=int(value))
    if not isinstance(player.optimizer, Optimizer):
        raise OptionError(
            f"the player '{player.name}' shares the optimizer of '{player.optimizer}'; "
            f"set '{player.optimizer}.{field}' instead"
        )
    kind = type(player.optimizer)
    if field not in kind.model_fields:
        names = [f"{player.name}.{name}" for name in ("every", *kind.model_fields)]
        raise UnknownName("player option", f"{player.name}.{field}", names)
    parsed = value.split(",") if "," in value else value
    values = player.optimizer.model_dump() | {field: parsed}
    return replace(player, optimizer=validate(kind, values, prefix=f"{player.name}."))


def check(players: Sequence[Player], nets: Networks) -> None:
    """Check that players are valid.

    Raises:
        ContractError: names the player and the fix.
    """
    by_name = {player.name: player for player in players}
    if not players:
        raise ContractError("players() must give at least one player")
    if all(player.until is not None for player in players):
        raise ContractError("every player comes to an end; one must go on (until=None)")
    for player in players:
        if not player.name.isidentifier():  # part of other names: losses, checkpointed state
            raise ContractError(f"a player is called '{player.name}'; expected letters, digits and '_'")
        for name in player.networks:
            if name not in nets:
                raise ContractError(
                    f"the player '{player.name}' trains '{name}', which is no network of this GAN "
                    f"({', '.join(nets)}); say which with Player(..., trains=(...))"
                )
        if not any(weight.requires_grad for name in player.networks for weight in getattr(nets, name).parameters()):
            raise ContractError(
                f"the player '{player.name}' trains {player.networks}, which have no parameters that can move"
            )
        if player.every < 1:
            raise ContractError(
                f"the player '{player.name}' moves every {player.every} iterations; it must be 1 or more"
            )
        if player.after < 0 or (player.until is not None and player.until <= player.after):
            raise ContractError(
                f"the player '{player.name}' moves after {player.after} and until {player.until} iterations; `after` "
                "must be 0 or more, and `until` more than it"
            )
        if isinstance(player.optimizer, str):
            owner = by_name.get(player.optimizer)
            if owner is None or not isinstance(owner.optimizer, Optimizer):
                raise ContractError(
                    f"the player '{player.name}' shares the optimizer of '{player.optimizer}', which has none"
                )
            if not set(player.networks) <= set(owner.networks):
                raise ContractError(
                    f"the player '{player.name}' shares the optimizer of '{owner.name}' but moves other networks"
                )
