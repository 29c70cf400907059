"""The registry: what is found where, and that the core knows none of it by name."""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import torch
from shared import Command, vouch
from unregistered import Line, Noise

import ganzoo
from ganzoo import discovery, plugins
from ganzoo.cli import plugin_commands
from ganzoo.plugins import zoo

CORE = Path(ganzoo.__file__).parent
ENTRIES = [entry for entry in entry_points(group="ganzoo") if entry.dist is not None and entry.dist.name == "ganzoo"]
MODULES = sorted(entry.module for entry in ENTRIES)


@pytest.fixture
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment in which nothing has entry points."""

    def none(group: str) -> list[EntryPoint]:
        return []

    caches = plugins._load, plugin_commands.load
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(discovery, "entry_points", none)
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("no_plugins")
def test_without_entry_points_there_is_an_empty_zoo(command: Command) -> None:
    assert dict(zoo().gans) == {}
    assert dict(zoo().datasets) == {}
    assert {"cross-entropy", "hinge", "wasserstein-gp"} <= zoo().losses.keys()
    answer = command("list")
    assert (answer.status, answer.out) == (0, "the zoo is empty: no installed package provides a GAN\n")
    assert json.loads(command("list", "--json").out) == {"gans": [], "set_aside": []}
    for words in (["datasets"], ["datasets", "--json"], ["plugins"], ["env"], ["--help"], ["run", "--help"]):
        assert command(*words).status == 0, words
    answer = command("run", "line")
    assert (answer.status, answer.err) == (2, "Error: no GAN is called 'line'; there are: none\n")


@pytest.mark.usefixtures("no_plugins")
def test_without_entry_points_a_class_of_ones_own_trains_on_ones_own_data(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = ganzoo.run(Line, data=Noise(), image_size=8, batch_size=4, epochs=1, out=out)
    before = {name: value.clone() for name, value in first.nets.state_dict().items()}
    again = ganzoo.run(Line, data=Noise(), image_size=8, batch_size=4, epochs=2, out=out)
    assert any(not torch.equal(value, before[name]) for name, value in again.nets.state_dict().items())
    trained = ganzoo.load(out, gan=Line)
    assert trained.generate(3).shape == (3, 1, 8, 8)
    assert torch.equal(trained.generate(3), again.generate(3))
    with pytest.raises(ganzoo.UserError, match="is a run of 'line': no GAN is called 'line'"):
        ganzoo.load(out)


def test_the_core_imports_no_plugin_and_knows_no_gan_by_name() -> None:
    assert MODULES, "ganzoo is not installed"
    builtin = [gan for name, gan in zoo().gans.items() if zoo().gans.origins[name].builtin]
    words = {*MODULES, *(gan.name for gan in builtin), *(gan.__name__ for gan in builtin)}
    words.remove(ganzoo.GAN.noun.lower())  # the first of them has no other name than all of them
    forbidden = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})(?![\w-])")
    for file in sorted(CORE.rglob("*.py*")):
        if file.suffix in (".py", ".pyi"):
            for text in code_words(ast.parse(file.read_text())):
                assert not forbidden.search(text), f"{file.relative_to(CORE)} knows {text!r}"
                assert not text.startswith("import ganzoo_"), f"{file.relative_to(CORE)} has: {text}"


def code_words(tree: ast.AST) -> Iterator[str]:
    """Every name, import and string of a module, but for its docstrings."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value
        elif isinstance(node, ast.ImportFrom):
            yield f"import {node.module}"
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names)
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield node.name


def test_a_run_folder_causes_no_file_to_be_loaded(command: Command, place: Path, runs: Path) -> None:
    """Whatever stands in it: a name of a file for a GAN, lists of plugins, Python beside it, pickles for weights."""
    run = place / "run"
    shutil.copytree(runs / "dcgan", run)
    trap = "from pathlib import Path\n\nPath({!r}).write_text('')".format(str(place / "sprung"))
    for folder in (place, run):
        for name in ("evil", "plugin", "conftest", "sitecustomize", "ganzoo_evil"):
            (folder / f"{name}.py").write_text(trap)
    config = json.loads((run / "config.json").read_text())
    for name in ("evil", "evil.py", str(run / "evil.py"), "ganzoo_evil"):
        bait = {"plugins": ["evil.py"], "plugin": str(run / "evil.py"), "gan": {**config["gan"], "name": name}}
        (run / "config.json").write_text(json.dumps(config | bait))
        assert command("generate", "run", "-o", "x.png").status == 2
        assert command(*f"run dcgan --image-size 16 --limit 8 --batch-size 4 --out {run}".split()).status == 2
    (run / "config.json").write_text(json.dumps(config))

    class Pickled:
        def __reduce__(self) -> tuple[object, ...]:
            return exec, (trap,)

    torch.save(Pickled(), run / "checkpoints" / "00000002" / "networks.safetensors")
    vouch(run / "checkpoints" / "00000002")
    answer = command("generate", "run", "-o", "x.png")
    assert answer.status == 2
    assert "networks.safetensors is no safetensors file" in answer.err
    assert not (place / "sprung").exists()


def test_shelves_refuse_what_is_no_usable_class() -> None:
    class Unnamed(Line):
        name = "Not A Name"

    class Late(Line):
        out: str = "here"

    class Unfinished(ganzoo.GAN):
        name = "unfinished"

    for thing, reason in (
        (42, "it registers 42; expected a class that inherits ganzoo.GAN"),
        (Line(), "expected a class that inherits ganzoo.GAN"),
        (Noise, "expected a class that inherits ganzoo.GAN"),
        (Unnamed, "Unnamed.name is 'Not A Name'; expected lower-case words"),
        (Late, "Late calls a field 'out', which is an option of every run"),
        (Unfinished, "Unfinished does not define generate, networks, players"),
    ):
        with pytest.raises(ganzoo.ContractError, match=re.escape(reason)):
            zoo().gans.check(thing)
    zoo().gans.check(Line)
