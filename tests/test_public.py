"""What is public: the names that `ganzoo.__all__` and the `__all__` of its public modules hold, and nothing else.

They stand in public_api.txt beside this file, so that a change of them is a change of that file, made on purpose: a new
name is one more line, and a line that goes is a promise that ends (docs/policy.md).
"""

import ast
import enum
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
from public import MODULES, NAMES, names_of

import ganzoo

SNAPSHOT = Path(__file__).with_name("public_api.txt")
REPOSITORY = Path(__file__).parent.parent
PLUGINS = sorted(file for file in (REPOSITORY / "plugins").rglob("*.py") if "tests" not in file.parts)


def test_a_change_of_the_public_names_is_made_on_purpose() -> None:
    known = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    assert known == sorted(set(known)), f"{SNAPSHOT.name} is not sorted"
    new, gone = sorted(NAMES.keys() - set(known)), sorted(set(known) - NAMES.keys())
    assert not new, f"public since now: add to {SNAPSHOT.name} and CHANGELOG.md what is meant to be: {new}"
    assert not gone, f"no longer public, which needs a deprecation first (docs/policy.md): {gone}"


def test_all_is_sorted_and_each_name_is_there_once() -> None:
    assert names_of(ganzoo) == sorted(names_of(ganzoo)) == dir(ganzoo)
    for name, module in MODULES.items():
        assert len(names_of(module)) == len(set(names_of(module))), name
        assert not [word for word in names_of(module) if word.startswith("_") and word != "__version__"], name


@pytest.mark.process
def test_the_version_is_that_of_the_installed_package_and_costs_no_torch() -> None:
    assert ganzoo.__version__ == version("ganzoo")
    program = (
        "import sys, ganzoo; dir(ganzoo); print(ganzoo.__version__, ganzoo.HOOKS_VERSION, 'torch' in sys.modules);"
        "ganzoo.GAN; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [version("ganzoo"), str(ganzoo.HOOKS_VERSION), "False", "True"]
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|[ab]\d+|rc\d+)?", ganzoo.__version__)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_public_says_what_it_is_for(name: str) -> None:
    thing = NAMES[name]
    constant = name.rpartition(".")[2].isupper()  # a decorator of click's may be one
    if isinstance(thing, ModuleType | type) or (inspect.isroutine(thing) and not constant):
        assert (thing.__doc__ or "").strip(), f"{name} has no docstring"
    elif not name.endswith(".__version__"):
        home, word = name.rpartition(".")[::2]
        assert documented(MODULES[home], word), f"below the line that makes {name}, no string says what it is"


def documented(module: ModuleType, word: str) -> bool:
    """Whether the module that makes a constant or a type says below it what it is."""
    for other in [module, *(sys.modules[name] for name in sorted(sys.modules) if name.startswith("ganzoo."))]:
        if vars(other).get(word) is not getattr(module, word) or not other.__file__:
            continue
        body = ast.parse(Path(other.__file__).read_text(encoding="utf-8")).body
        for line, below in zip(body, [*body[1:], ast.Pass()], strict=True):
            targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == word for target in targets):
                return isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    return False


def routines(thing: object) -> Iterator[tuple[str, object]]:
    """A public function, or the public methods that a class itself defines."""
    if inspect.isfunction(thing):
        yield "", thing
    elif isinstance(thing, type) and not issubclass(thing, enum.Enum):
        for name, method in vars(thing).items():
            method = getattr(method, "__func__", getattr(method, "fget", method))
            if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
                yield f".{name}", method


@pytest.mark.parametrize("name", [name for name, thing in NAMES.items() if list(routines(thing))])
def test_what_is_public_says_what_it_takes_and_gives(name: str) -> None:
    for method, routine in routines(NAMES[name]):
        signature = inspect.signature(routine)  # type: ignore[arg-type]  # a function, as `routines` gives no other
        first = next(iter(signature.parameters), "")
        for parameter in signature.parameters.values():
            own = method and parameter.name == first and first in ("self", "cls")
            assert own or parameter.annotation is not parameter.empty, f"{name}{method}: {parameter} has no type"
        assert signature.return_annotation is not signature.empty, f"{name}{method} does not say what it returns"


def private_uses(source: str) -> Iterator[str]:
    """What a plugin's source takes of ganzoo that is not public."""
    chains = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ganzoo":
            chains |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            chains |= {alias.name for alias in node.names if alias.name.partition(".")[0] == "ganzoo"}
        elif isinstance(node, ast.Attribute) and re.fullmatch(r"[\w.]+", chain := ast.unparse(node)):
            chains.add(chain)
    for chain in sorted(chains):
        first, *words = chain.split(".")
        thing: object = ganzoo
        for depth in range(1, len(words) + 1 if first == "ganzoo" else 0):
            name = ".".join(["ganzoo", *words[:depth]])
            if not isinstance(thing, ModuleType):
                break  # a class's own affair
            if name not in NAMES:
                yield name
                break
            thing = NAMES[name]


@pytest.mark.parametrize("file", PLUGINS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_our_plugins_use_what_is_public_and_nothing_else(file: Path) -> None:
    assert list(private_uses(file.read_text(encoding="utf-8"))) == []


def test_a_private_use_is_found_however_it_is_written() -> None:
    source = """
    import ganzoo.plugins
    from ganzoo.losses import Hinge, register_losses
    from ganzoo.data.images import decode
    from ganzoo import zoo, GAN
    import ganzoo
    ganzoo.GAN.family(ganzoo.pictures.free_memory, ganzoo.data.tar.members)
    """
    found = list(private_uses(inspect.cleandoc(source)))
    assert found == ["ganzoo.data.images", "ganzoo.losses.register_losses", "ganzoo.pictures.free_memory",
                     "ganzoo.plugins", "ganzoo.zoo"]  # fmt: skip


def test_the_stubs_and_the_modules_agree() -> None:
    for name in ("ganzoo", "ganzoo.data"):
        file = Path(str(importlib.import_module(name).__file__)).with_suffix(".pyi")
        aliases = [
            alias
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        ]
        assert all(alias.asname == alias.name for alias in aliases), "only `X as X` is public to a type checker"
        assert sorted(alias.name for alias in aliases) == names_of(MODULES[name])
