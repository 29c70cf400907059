"""What can go wrong, and whose mistake it was.

GanzooError
├── UserError             a mistake in what was asked: shown in a line or two, exit status 2, no traceback
│   ├── UnknownName       a GAN, data set, loss or option that is not there
│   ├── OptionError       a value that an option does not take
│   │   └── OutOfMemory   a batch that does not fit
│   ├── DataError         a data set that is missing, broken or of the wrong kind
│   ├── SizeError         an image size or number of channels that a network cannot make
│   └── RunFolderError    a run folder that is missing, incomplete or another run's
├── PeerError             another process of the run is gone: no fault of this one, exit status 75
├── DamagedCheckpoint     one that is not what was written: passed over for the one before it (engine/checkpoint.py)
├── Diverged              losses or weights that are no numbers: shown without a traceback, exit status 1
└── ContractError         a plugin breaks the contract: its author's mistake, shown with a traceback

A run that a signal asked to stop ends with a KeyboardInterrupt, as Ctrl-C does everywhere: engine/signals.py.

Every message says what was asked, why it cannot be, and what to type next.
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
    """Any error that ganzoo raises on purpose."""


class UserError(GanzooError):
    """What was asked cannot be done."""


class UnknownName(UserError):  # noqa: N818 - reads as what it is: `except UnknownName`
    """Nothing is called that."""

    def __init__(self, noun: str, name: object, known: Iterable[str], hint: str = "", most: int | None = None) -> None:
        self.noun = noun
        known = sorted(known)
        listed = [*known[:most], *([f"and {len(known) - most} more"] if most and len(known) > most else [])]
        name = name if isinstance(name, str) else typed(name)[1:-1]  # from Python, it may be anything
        prefix = name[: name.rfind(".") + 1]  # only what differs is compared: `beta` of `discriminator.beta`
        candidates = {other.removeprefix(prefix): other for other in known}
        near = difflib.get_close_matches(name.removeprefix(prefix), candidates, n=1)
        advice = f"did you mean '{candidates[near[0]]}'?" if near else f"there are: {', '.join(listed) or 'none'}"
        super().__init__(f"no {noun} is called {typed(name)}; {hint or advice}")


class OptionError(UserError):
    """An option does not take that value."""


class OutOfMemory(OptionError):  # noqa: N818 - as torch calls it
    """A batch, or the networks, do not fit into the memory."""


class DataError(UserError):
    """The data cannot be used."""


class SizeError(UserError):
    """A network cannot make images of that shape."""


class RunFolderError(UserError):
    """The run folder cannot be used."""


class PeerError(GanzooError):
    """Another process that trains the same run cannot be reached any more."""


class Diverged(GanzooError):  # noqa: N818 - reads as what it is
    """Training broke down: a loss or a weight is NaN or infinite."""


class ContractError(GanzooError):
    """A plugin does not keep the contract."""


@contextmanager
def no_exit() -> Iterator[None]:
    """Turn a SystemExit of a plugin into an error: else the program would end silently, its work undone.

    Raises:
        ContractError: in place of the SystemExit.
    """
    try:
        yield
    except SystemExit as error:
        raise ContractError(f"a plugin ended the program, with status {error.code}, where it had to go on") from error


def check_installed(what: str, extra: str, *modules: str) -> None:
    """Refuse to begin where an optional package is missing.

    Args:
        what: the work that needs it, for the error: "the page".
        extra: the extra of ganzoo that brings it.
        modules: the modules to import.

    Raises:
        UserError: naming the extra to install.
    """
    try:
        for module in modules:
            import_module(module)
    except ModuleNotFoundError as error:
        raise UserError(f"{what} needs {error.name}, which is missing; pip install 'ganzoo[{extra}]'") from error


def typed(value: object) -> str:
    """A value as it was typed, for a message: quoted, on one line, and not too long.

    What is left out is in the middle: of a path, the end tells most.
    """
    try:
        words = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    except (ValueError, RecursionError):  # Python writes no numbers of more than 4,300 digits, nor what has no end
        words = f"{type(value).__name__} of no end"
    line = " ".join(words.split())
    most = 240 if isinstance(value, PurePath) else 80
    kept = (most - 3) // 2
    return f"'{line[:kept]}...{line[-kept:]}'" if len(line) > most else f"'{line}'"
