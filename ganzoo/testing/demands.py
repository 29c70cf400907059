"""What checks are made of: a demand that is met, or an AssertionError that says what to change."""

from collections.abc import Iterator
from contextlib import contextmanager

from ganzoo.errors import ContractError, GanzooError

__tracebackhide__ = True
"""pytest leaves this module's frames out, here and in its neighbours: what failed is the plugin, not the check."""


def demand(met: object, change: str) -> None:
    """Goes on if a demand is met. No `assert`: pytest would add to its message, and `python -O` leave it out.

    Raises:
        AssertionError: it is not, with what to change.
    """
    if not met:
        raise AssertionError(change)


@contextmanager
def complaining(change: str, *errors: type[Exception]) -> Iterator[None]:
    """Within, an error means that a demand is not met.

    Args:
        change: what to say, with `{}` where the first line of the error goes.
        errors: kinds of them; none given: all.

    Raises:
        AssertionError: in their place.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, AssertionError) or not isinstance(error, errors or Exception):
            raise
        raise AssertionError(change.replace("{}", brief(error))) from error


def brief(error: Exception) -> str:
    """An error in one line: its kind, unless its words say what to do."""
    words = " ".join(str(error).split())
    return words if isinstance(error, GanzooError) else f"{type(error).__name__}: {words}"[:200]


@contextmanager
def contract() -> Iterator[None]:
    """Within, what the engine finds wrong with a plugin is a demand that is not met.

    Raises:
        AssertionError: in place of the ContractError.
    """
    with complaining("{}", ContractError):
        yield
