"""What is public: the names that `ganzoo.__all__` and the `__all__` of its public modules hold."""

from collections.abc import Iterator
from types import ModuleType

import ganzoo


def names_of(module: ModuleType) -> list[str]:
    """Its `__all__`, which the stub of a module does not repeat."""
    names: list[str] = vars(module)["__all__"]
    return names


def public(module: ModuleType = ganzoo, name: str = "ganzoo") -> Iterator[tuple[str, object]]:
    """Every public name in full and what it stands for, those of public modules after the module's own."""
    for word in names_of(module):
        thing = getattr(module, word)
        yield f"{name}.{word}", thing
        if isinstance(thing, ModuleType):
            yield from public(thing, f"{name}.{word}")


NAMES = dict(public())
MODULES = {"ganzoo": ganzoo} | {name: thing for name, thing in NAMES.items() if isinstance(thing, ModuleType)}
