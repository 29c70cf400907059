"""Exceptions, grouped by who can fix them.

GanzooError
├── UserError             mistake of the user: shown in a line or two, exit status 2, no traceback
│   ├── UnknownName       unknown GAN, data set, loss or option
│   ├── OptionError       invalid value of an option
│   │   └── OutOfMemory   batch or networks too large for the memory
│   ├── DataError         missing, broken or unsuitable data set
│   ├── SizeError         image size or number of channels not supported by a network
│   └── RunFolderError    missing or incomplete run folder, or that of another run
├── PeerError             another process of the run is gone: exit status 75
├── DamagedCheckpoint     damaged checkpoint: skipped in favor of the previous one (runs/checkpoint.py)
├── Diverged              NaN or infinite losses or weights: shown without a traceback, exit status 1
└── ContractError         plugin that violates the contract: shown with a traceback for its author

A run stopped by a signal ends with a KeyboardInterrupt, like Ctrl-C elsewhere: base/signals.py.

Every message names the input, the reason and the next command to type.
"""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import PurePath

__all__ = [
    "ContractError",
    "DataError",
    "Diverged",
    "GanzooError",
    "OptionError",
    "OutOfMemory",
    "PeerError",
    "RunFolderError",
    "SizeError",
    "UnknownName",
    "UserError",
    "check_installed",
    "no_exit",
    "typed",
]


class GanzooError(Exception):
    """Base class of all errors that ganzoo raises on purpose."""


class UserError(GanzooError):
    """Mistake of the user."""


class UnknownName(UserError):  # noqa: N818 - reads as what it is: `except UnknownName`
    """Unknown name of a GAN, a data set, a loss or an option."""

    def __init__(self, noun: str, name: object, known: Iterable[str], hint: str = "", most: int | None = None) -> None:
        self.noun = noun
        known = sorted(known)
        listed = [*known[:most], *([f"and {len(known) - most} more"] if most and len(known) > most else [])]
        name = name if isinstance(name, str) else typed(name)[1:-1]  # from Python, it may be anything
        prefix = name[: name.rfind(".") + 1]  # compare only the last part: `beta` of `discriminator.beta`
        candidates = {other.removeprefix(prefix): other for other in known}
        near = difflib.get_close_matches(name.removeprefix(prefix), candidates, n=1)
        advice = f"did you mean '{candidates[near[0]]}'?" if near else f"there are: {', '.join(listed) or 'none'}"
        super().__init__(f"no {noun} is called {typed(name)}; {hint or advice}")


class OptionError(UserError):
    """Invalid value of an option."""


class OutOfMemory(OptionError):  # noqa: N818 - as torch calls it
    """A batch or networks too large for the memory."""


class DataError(UserError):
    """Missing, broken or unsuitable data."""


class SizeError(UserError):
    """Image shape not supported by a network."""


class RunFolderError(UserError):
    """Missing, incomplete or unsuitable run folder."""


class PeerError(GanzooError):
    """Lost connection to another process of the same run."""


class Diverged(GanzooError):  # noqa: N818 - reads as what it is
    """Diverged training: a loss or a weight is NaN or infinite."""


class ContractError(GanzooError):
    """Plugin that violates the contract."""


@contextmanager
def no_exit() -> Iterator[None]:
    """Context in which a plugin's `sys.exit` cannot end the program silently.

    Raises:
        ContractError: replaces the SystemExit.
    """
    try:
        yield
    except SystemExit as error:
        raise ContractError(f"a plugin ended the program, with status {error.code}, where it must not") from error


def check_installed(what: str, extra: str, *modules: str) -> None:
    """Check that optional packages are installed.

    Args:
        what: feature that needs them, for the message.
        extra: extra of ganzoo that installs them.
        modules: modules to import.

    Raises:
        UserError: a package is missing; the message names the extra.
    """
    try:
        for module in modules:
            import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(f"{what} needs {error.name}, which is missing; pip install 'ganzoo[{extra}]'") from error


def typed(value: object) -> str:
    """Format a value for a message: quoted, on one line, shortened.

    Long values are cut in the middle, as the end of a path is the most informative part.
    """
    try:
        words = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    except (ValueError, RecursionError):  # integers above 4,300 digits, and endless nesting
        words = f"{type(value).__name__} of no end"
    line = " ".join(words.split())
    most = 240 if isinstance(value, PurePath) else 80
    kept = (most - 3) // 2
    return f"'{line[:kept]}...{line[-kept:]}'" if len(line) > most else f"'{line}'"
