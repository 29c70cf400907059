"""Checks of all configurations (GANs, data sets, losses, metrics, ...): name, documentation, and JSON form."""

import json
import sys
from collections.abc import Mapping
from typing import TypeVar

from ganzoo.config import NamedConfig, validate
from ganzoo.errors import ContractError, UnknownName, UserError
from ganzoo.plugins import PluginRegistry
from ganzoo.testing.demands import complaining, demand

__tracebackhide__ = True

Thing = TypeVar("Thing", bound=NamedConfig)


def configured(thing: type[Thing] | Thing, base: type[Thing]) -> Thing:
    """Return the configuration, or that of a class with default options.

    Raises:
        AssertionError: if it has another base, cannot be registered, or has options without a default.
    """
    kind = thing if isinstance(thing, type) else type(thing)
    with complaining("{}", ContractError):
        PluginRegistry().shelf(base).check(kind)
    if not isinstance(thing, type):
        return thing
    change = f"{kind.__name__} cannot be made without options ({{}}): give each a default, or check one that you made"
    with complaining(change, UserError):
        return validate(thing, {})


def check_configuration(config: NamedConfig) -> None:
    """Check that a configuration has documentation and can be stored as JSON.

    Raises:
        AssertionError: if not.
    """
    kind = type(config)
    name = kind.__name__
    demand(kind.summary(), f"{name} has no docstring; its first line is what `ganzoo list` shows")
    demand(
        (sys.modules[kind.__module__].__doc__ or "").strip(),
        f"the module of {name} has no docstring; say there what it is, and (Doe et al., 2026) if there is a paper",
    )
    for option, field in kind.model_fields.items():
        demand(
            field.description,
            f"the option '{option}' of {name} has no description, which `--help` shows: "
            f'{option}: ... = Field(..., description="...")',
        )
    change = f"{name} cannot be kept in a config.json ({{}}): give its options types that pydantic writes as JSON"
    with complaining(change):
        values = json.loads(json.dumps(config.model_dump(mode="json")))
        again = _read_back(kind, values)
    demand(
        again == config and again.model_dump(mode="json") == values,
        f"{name} is not the same after a round trip through JSON: {_difference(config, again)}",
    )


def _read_back(kind: type[Thing], values: Mapping[str, object]) -> Thing:
    """Read a configuration back from JSON values.

    Raises:
        AssertionError: if it names something unregistered, such as a plugin that is not installed yet.
    """
    try:
        return validate(kind, values)
    except UnknownName as error:
        if error.noun not in {str(shelf.base.noun) for shelf in PluginRegistry().shelves().values()}:
            raise
        raise AssertionError(
            f"{kind.__name__} cannot be read back from a config.json ({error}): register it by a hook, and install the "
            "package: pip install -e ."
        ) from error


def _difference(config: NamedConfig, again: NamedConfig) -> str:
    before, after = dict(config), dict(again)
    for option in before:
        if before[option] != after.get(option):
            return f"'{option}' was {before[option]!r}, and comes back as {after.get(option)!r}"
    written, anew = config.model_dump(mode="json"), again.model_dump(mode="json")
    option = next((option for option in written if written[option] != anew.get(option)), "")
    return f"'{option}' is written as {written.get(option)!r}, and then as {anew.get(option)!r}"
