"""What is registered, by name, and what brought it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from ganzoo.config import NamedConfig
from ganzoo.discovery import Plugin
from ganzoo.errors import ContractError
from ganzoo.pretrained import PretrainedGAN

Thing = TypeVar("Thing", bound=NamedConfig)
Entry = TypeVar("Entry")


@dataclass
class Shelf(Mapping[str, Entry], Generic[Entry]):
    """What is registered of one noun, by name."""

    base: type[Any]
    """What its entries inherit, or are."""
    entries: dict[str, Entry] = field(default_factory=dict)
    origins: dict[str, Plugin] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Entry:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def origin(self, thing: Any) -> str:
        """What brought an entry: the distribution and its version, the name of a loose file, or its module."""
        plugin = self.origins.get(thing.label())
        if plugin is None or self.entries[thing.label()] is not thing:
            return f"{thing.__module__}.py, which no plugin registers"
        return Path(plugin.package).name if plugin.loose else plugin.package

    def check(self, thing: Any) -> None:
        """Refuses what cannot be an entry.

        Raises:
            ContractError: saying why, and what to change.
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
        """Refuses what is something else.

        Raises:
            ContractError: naming what is expected.
        """
        if not isinstance(thing, self.base):
            raise ContractError(f"it registers {thing!r}; expected a ganzoo.{self.base.__name__}")

    def check_content(self, thing: Any) -> None:
        """Refuses an entry that lacks something.

        Raises:
            ContractError: saying what.
        """


@dataclass
class ClassShelf(Shelf[type[Thing]]):
    """The registered classes of one noun."""

    base: type[Thing]
    reserved: Callable[[], Iterable[str]] = tuple
    """Names that fields of these classes cannot have."""

    def check_kind(self, thing: Any) -> None:
        if not (isinstance(thing, type) and issubclass(thing, self.base)):
            raise ContractError(f"it registers {thing!r}; expected a class that inherits ganzoo.{self.base.__name__}")
        if missing := sorted(getattr(thing, "__abstractmethods__", ())):
            raise ContractError(f"{thing.__name__} does not define {', '.join(missing)}")

    def check_content(self, thing: Any) -> None:
        self.check_fields(thing)

    def check_fields(self, thing: type[Thing]) -> None:
        """Refuses a class with a field that cannot be called so.

        Raises:
            ContractError: naming it.
        """
        if taken := sorted(set(self.reserved()) & thing.model_fields.keys()):
            raise ContractError(f"{thing.__name__} calls a field '{taken[0]}', which is an option of every run")


class PretrainedShelf(Shelf[PretrainedGAN]):
    """The registered trained weights. Of their folders nothing is read before one is used."""

    def check_content(self, thing: PretrainedGAN) -> None:
        if not thing.is_there:
            raise ContractError(
                f"the folder of the pretrained GAN '{thing.name}' is no export: {thing.folder} has no export.json"
            )
