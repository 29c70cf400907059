"""What `ganzoo bench` is asked for, looked at before anything is measured."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ganzoo.errors import OptionError, UserError, check_installed, typed

if TYPE_CHECKING:
    from ganzoo_bench.setting import Asked

FIXED = {"device": "--device", "data_dir": "--data-dir", "processes": "one process"}
"""Options of runs that are given in another way, or not at all."""


def check(gans: Sequence[str], out: Path | None, smoke: bool, as_json: bool, table: bool, into: Path | None) -> None:
    """Refuses, before anything is measured, what could not be done with it afterwards.

    Raises:
        UserError: saying what to type.
    """
    if as_json and table:
        raise OptionError("options '--json' and '--table' exclude each other; leave one out")
    if smoke and (table or into):
        raise OptionError("option '--smoke' measures nothing that a table could show; leave it out")
    if gans:
        check_installed("measuring", "bench", "pytest", "pytest_benchmark")
    elif out or smoke:
        raise OptionError(f"option '{'--out' if out else '--smoke'}' is for what is measured: name a GAN")
    if into:
        from ganzoo_bench.tables import insert

        with understood():
            insert(into, "")
        _check_writable(into, "--into")
    if out:
        _check_writable(out, "--out")


def _check_writable(file: Path, option: str) -> None:
    """Refuses a file that could not be replaced.

    Raises:
        OptionError: saying why.
    """
    folder = file.parent
    reason = ""
    try:
        if file.is_dir():
            reason = "it is a folder"
        elif not folder.is_dir():
            reason = f"there is no folder '{folder}'"
        elif not os.access(folder, os.W_OK | os.X_OK):
            reason = f"Permission denied for '{folder}'"
    except OSError as error:  # of a folder that may not be searched
        reason = str(error.strerror or error)
    if reason:
        raise OptionError(f"'{file}' cannot be written: {reason}; give another {option}")


@contextmanager
def understood() -> Iterator[None]:
    """Says in a line what is wrong with a file that was named.

    Raises:
        UserError: in place of what reading it raised.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"'{error.filename}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(str(error)) from error


def asked(gans: Sequence[str], device: str, smoke: bool, given: dict[str, str], data_dir: Path | None) -> "Asked":
    """What the session is to do, once it is known that it can be.

    Raises:
        UserError: a GAN, its options or the device cannot be had.
    """
    from ganzoo import PerformanceOptions
    from ganzoo.data import data_folder
    from ganzoo_bench.setting import Asked, Setting

    for name, instead in FIXED.items():
        if name in given:
            raise OptionError(f"option '--option' cannot be {typed(f'{name}={given[name]}')}; it is {instead}")
    asked = Asked(tuple(gans), device, smoke, tuple(given.items()), data_folder(data_dir))
    setting = Setting(PerformanceOptions(device=device).resolve_device(), data_folder(data_dir), smoke, asked.given)
    for gan in gans:
        try:
            options = setting.options(gan)
            options.dtype(setting.device)
            options.players()
        except UserError:
            raise
        except Exception:  # noqa: S112 - a fault of the plugin's: the session says so of this GAN, and measures the others
            continue
    return asked
