"""The pages of the reference: every name of `ganzoo.__all__`, under headings, from its docstring."""

import ast
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

STUB = Path(__file__).parents[2] / "ganzoo" / "__init__.pyi"
"""Which names are public, and where each is defined."""

HEADINGS = {
    "Train and load": ("api", "sampling", "notebook", "runs"),
    "GANs and players": ("contract.gan", "contract.networks", "contract.codes"),
    "Losses and optimizers": ("losses", "contract.optim"),
    "Data": ("data", "contract.batch", "contract.data_spec"),
    "Metrics": ("contract.metric", "contract.extractor"),
    "The engine and callbacks": ("engine", "training", "callbacks", "contract.callback"),
    "Plugins and configurations": ("contract.hookspecs", "config", "contract.pretrained", "options"),
    "Errors": ("errors",),
}
"""Headings, and the modules whose names stand below them; the first that fits counts."""
REST = "More"
"""Where a name stands that fits none of them."""


@dataclass(frozen=True)
class Name:
    """A public name."""

    name: str
    module: str
    """Where it is defined, below ganzoo; empty if it is a module itself."""

    @property
    def path(self) -> str:
        """Its whole name, by which its docstring is found."""
        return ".".join(filter(None, ("ganzoo", self.module, self.name)))


def public() -> list[Name]:
    """What the stub says is public, sorted by name."""
    imports = (node for node in ast.parse(STUB.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom))
    names = (Name(alias.asname or alias.name, node.module or "") for node in imports for alias in node.names)
    return sorted(names, key=lambda name: name.name.lower())


def heading(name: Name) -> str:
    """Where a name stands."""
    fitting = (
        title
        for title, modules in HEADINGS.items()
        for module in modules
        if name.module == module or name.module.startswith(f"{module}.")
    )
    return next(fitting, REST)


def file(title: str) -> str:
    """The file of a page."""
    return "reference/" + title.lower().replace(" ", "-") + ".md"


def pages() -> dict[str, str]:
    """Title and content of each page: one for each heading that has names, one for each public module."""
    found: dict[str, str] = {}
    names = [name for name in public() if name.module]
    for title in (*HEADINGS, REST):
        below = [name for name in names if heading(name) == title]
        if below:
            found[title] = "\n\n".join([f"# {title}", *map(directive, below)]) + "\n"
    for module in (name for name in public() if not name.module):
        found[module.path] = f"# {module.path}\n\n" + module_directive(module)
    return found


def directive(name: Name) -> str:
    """Has mkdocstrings put a name's docstring there."""
    return f"::: {name.path}\n    options:\n      heading: ganzoo.{name.name}\n      toc_label: {name.name}"


def module_directive(module: Name) -> str:
    """Has it put a module's there: its own text, and what it exports that stands on no other page."""
    elsewhere = {name.path for name in public()}
    members = [
        name for name in exported(importlib.import_module(module.path)) if f"{module.path}.{name}" not in elsewhere
    ]
    options = ("show_root_heading: false", "show_root_toc_entry: false", "heading_level: 1", "show_submodules: false")
    lines = "".join(f"      {option}\n" for option in (*options, f"members: {json.dumps(members)}"))
    return f"::: {module.path}\n    options:\n{lines}"


def exported(module: ModuleType) -> list[str]:
    """What a module says is public, else what it defines without an underscore."""
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return list(getattr(module, "__all__", own))


def index() -> str:
    """Every name, in the order of the alphabet under its heading."""
    return "\n\n".join(["# Reference", *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    yield "What `import ganzoo` gives. All else may change without notice."
    names = public()
    for title in (*HEADINGS, REST):
        below = [name for name in names if name.module and heading(name) == title]
        if below:
            links = ", ".join(f"[`{name.name}`][{name.path}]" for name in below)
            yield f"**[{title}]({Path(file(title)).name})**: {links}"
    modules = ", ".join(f"[`{name.path}`]({Path(file(name.path)).name})" for name in names if not name.module)
    yield f"**Modules**: {modules}"
