"""Assertions with advice, the building blocks of checks."""

from collections.abc import Iterator
from contextlib import contextmanager

from ganzoo.errors import ContractError, GanzooError

__tracebackhide__ = True
"""Hides the frames of these modules in pytest: the plugin failed, not the check."""


def demand(met: object, change: str) -> None:
    """Raise an AssertionError if a demand is not met. No `assert`: pytest adds to its message, `python -O` removes it.

    Raises:
        AssertionError: if it is not met, with the change to make.
    """
    if not met:
        raise AssertionError(change)


@contextmanager
def complaining(change: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn errors inside into an AssertionError.

    Args:
        change: message, with `{}` in place of the error's first line.
        errors: types of errors (default: all).

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
    """Return an error in one line, with its type unless it is a GanzooError."""
    words = " ".join(str(error).split())
    return words if isinstance(error, GanzooError) else f"{type(error).__name__}: {words}"[:200]


@contextmanager
def contract() -> Iterator[None]:
    """Turn a ContractError inside into an AssertionError.

    Raises:
        AssertionError: in its place.
    """
    with complaining("{}", ContractError):
        yield
