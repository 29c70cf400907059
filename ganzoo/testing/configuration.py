"""What every configuration must be, be it a GAN, a data set, a loss or a metric: named, documented, kept in JSON."""

import json
import sys
from typing import TypeVar

from ganzoo.config import NamedConfig, build
from ganzoo.errors import ContractError, UserError
from ganzoo.plugins import Zoo
from ganzoo.testing.demands import complaining, demand

__tracebackhide__ = True

Thing = TypeVar("Thing", bound=NamedConfig)


def configured(thing: type[Thing] | Thing, base: type[Thing]) -> Thing:
    """A configuration: the one given, or that of a class with its default options.

    Raises:
        AssertionError: it is none of that base, could not be registered, or has options without a default.
    """
    kind = thing if isinstance(thing, type) else type(thing)
    with complaining("{}", ContractError):
        Zoo().shelf(base).check(kind)
    if not isinstance(thing, type):
        return thing
    change = f"{kind.__name__} cannot be made without options ({{}}): give each a default, or check one that you made"
    with complaining(change, UserError):
        return build(thing, {})


def check_configuration(config: NamedConfig) -> None:
    """Demands docs and a form that a file can hold.

    Raises:
        AssertionError: one is missing.
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
        again = build(kind, values)
    demand(
        again == config and again.model_dump(mode="json") == values,
        f"{name} is not the same after a round trip through JSON: {_difference(config, again)}",
    )


def _difference(config: NamedConfig, again: NamedConfig) -> str:
    before, after = dict(config), dict(again)
    different = next((option for option in before if before[option] != after.get(option)), "its dump")
    return f"'{different}' was {before.get(different)!r}, and comes back as {after.get(different)!r}"
