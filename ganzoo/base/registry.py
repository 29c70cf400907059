"""Registries: everything that plugins provide, by name, with its plugin.

This module is independent of plugin discovery, which registers itself with `fill_by`; other modules access registries
through `registry_of`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from ganzoo.errors import ContractError, UnknownName

Thing = TypeVar("Thing")
Entry = TypeVar("Entry")


@dataclass(frozen=True)
class Plugin:
    """Plugin that was found, working or not."""

    name: str
    package: str
    """Distribution and version, or the file."""
    builtin: bool = False
    loose: bool = False
    """Whether the plugin is a file passed by the user, not part of an installed distribution."""
    hooks: int | None = None
    """Version of the hooks that the plugin declares."""
    provides: tuple[str, ...] = ()
    problem: str = ""
    """Reason for setting the plugin aside; empty if it works."""


@dataclass
class Registry(Mapping[str, Entry], Generic[Entry]):
    """Registered entries of one noun, by name."""

    base: type[Any]
    """Base class of the entries, or their class."""
    entries: dict[str, Entry] = field(default_factory=dict)
    origins: dict[str, Plugin] = field(default_factory=dict)
    hint: Callable[[str], str] = field(default=lambda _: "", kw_only=True)
    """Function that says more about a name that is not registered."""

    def __getitem__(self, name: str) -> Entry:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def named(self, name: str) -> Entry:
        """Return the entry with this name.

        Raises:
            UnknownName: no such entry; the message suggests the closest name, and adds the registry's hint.
        """
        if name not in self.entries:
            raise UnknownName(self.base.noun, name, self, self.hint(name))
        return self.entries[name]

    def origin(self, thing: Any) -> str:
        """Return the source of an entry: distribution and version, name of a loose file, or module."""
        plugin = self.origins.get(thing.label())
        if plugin is None or self.entries[thing.label()] is not thing:
            return f"{thing.__module__}.py, which no plugin registers"
        return Path(plugin.package).name if plugin.loose else plugin.package

    def check(self, thing: Any) -> None:
        """Check that a thing can be an entry.

        Raises:
            ContractError: it cannot; the message gives the reason and the fix.
        """
        self.check_kind(thing)
        name = getattr(thing, self.base.key, None)
        if not (isinstance(name, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)):
            owner = getattr(thing, "__name__", type(thing).__name__)
            raise ContractError(f"{owner}.{self.base.key} is {name!r}; expected lower-case words joined by '-'")
        self.check_content(thing)
        if name in self.origins:
            raise ContractError(f"the {self.base.noun} '{name}' is already provided by {self.origins[name].package}")

    def check_kind(self, thing: Any) -> None:
        """Check the type of an entry.

        Raises:
            ContractError: it has another type.
        """
        if not isinstance(thing, self.base):
            raise ContractError(f"it registers {thing!r}; expected a ganzoo.{self.base.__name__}")

    def check_content(self, thing: Any) -> None:
        """Check the content of an entry.

        Raises:
            ContractError: something is missing.
        """


@dataclass
class ClassRegistry(Registry[type[Thing]]):
    """Registered classes of one noun."""

    base: type[Thing]
    reserved: Callable[[], Iterable[str]] = tuple
    """Names not allowed for fields of these classes."""

    def check_kind(self, thing: Any) -> None:
        if not (isinstance(thing, type) and issubclass(thing, self.base)):
            raise ContractError(f"it registers {thing!r}; expected a class that inherits ganzoo.{self.base.__name__}")
        if missing := sorted(getattr(thing, "__abstractmethods__", ())):
            raise ContractError(f"{thing.__name__} does not define {', '.join(missing)}")

    def check_content(self, thing: Any) -> None:
        self.check_fields(thing)

    def check_fields(self, thing: Any) -> None:
        """Check the field names of a class.

        Raises:
            ContractError: a name is reserved.
        """
        if taken := sorted(set(self.reserved()) & thing.model_fields.keys()):
            raise ContractError(f"{thing.__name__} calls a field '{taken[0]}', which is an option of every run")


_find: list[Callable[[type[Any]], Registry[Any]]] = []


def fill_by(find: Callable[[type[Any]], Registry[Any]]) -> None:
    """Set the function that finds the registry of a kind of things, and loads plugins on first use."""
    _find[:] = [find]


def registry_of(kind: type[Thing]) -> Registry[Any]:
    """Return the registry of a kind of things, for example of all GANs."""
    return _find[0](kind)
