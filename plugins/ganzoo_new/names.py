"""What a new GAN may be called, and what becomes of that name in Python."""

import keyword
import re
import sys
import unicodedata
from pathlib import Path

import ganzoo
from ganzoo.errors import OptionError, typed

LONGEST = 40
"""Letters of a name; its lines of code stay short enough to be read."""
FORM = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PYTEST = frozenset({"conftest"})
"""Modules that pytest takes for its own."""


def module_name(name: str) -> str:
    """The module of a GAN: `my-gan` is in `my_gan.py`."""
    return name.replace("-", "_")


def class_name(name: str) -> str:
    """The class of a GAN: `my-gan` is `MyGAN`, `cats` is `CatsGAN`; it always ends so."""
    words = name.removesuffix("gan").split("-")
    return "".join(word.capitalize() for word in words) + "GAN"


def check_name(name: str) -> None:
    """Refuses what a new GAN cannot be called.

    Raises:
        OptionError: saying why, and what it could be called instead.
    """
    if not FORM.fullmatch(name):
        form = "lower-case words of letters and digits, joined by '-', that begin with a letter"
        raise OptionError(f"a GAN cannot be called {typed(name)}: a name is {form}{_such_as(_tidied(name))}")
    if len(name) > LONGEST:
        raise OptionError(f"a GAN cannot be called {typed(name)}: a name has {LONGEST} letters at most")
    for kind in (ganzoo.GAN, ganzoo.LossScheme):  # the template of a GAN with its own loss gives that its name, too
        if other := kind.choices().get(name):
            raise OptionError(
                f"a GAN cannot be called '{name}': there is a {kind.noun} of that name, provided by "
                f"{other.provided_by()}{_such_as(f'my-{name}')}"
            )
    if reason := _why_no_module(module_name(name)):
        raise OptionError(f"a GAN cannot be called '{name}': {reason}{_such_as(f'{name}-gan')}")


def _such_as(name: str) -> str:
    return f"; try '{name}'" if FORM.fullmatch(name) and len(name) <= LONGEST else ""


def _tidied(name: str) -> str:
    """The nearest that might do: `My GAN`, `MyGAN` and `my_gan` are `my-gan`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain).lower()
    return re.sub(r"[^a-z0-9]+", "-", parted).strip("-0123456789")


def _why_no_module(module: str) -> str:
    if keyword.iskeyword(module):
        return f"'{module}' is a keyword of Python, and would be the name of its module"
    if module in sys.stdlib_module_names:
        return f"its module '{module}.py' would hide Python's own '{module}'"
    if module in PYTEST:
        return f"pytest takes '{module}.py' for its own"
    if _is_installed(module):
        return f"its module '{module}.py' would hide the package '{module}' that is installed"
    return ""


def _is_installed(module: str) -> bool:
    """Whether there is a package of that name, were it in a `.venv` below the working directory.

    A file or folder in that directory itself is none: only Python finds it, and nobody has installed it.
    """
    places = [place for place in sys.path if Path(place).resolve() != Path.cwd()]
    # Of the finders, those that editable installs bring have places of their own.
    return any(finder.find_spec(module, places) for finder in sys.meta_path)
