"""Whatever prints a table prints the same as JSON, too."""

import ast
import importlib
import inspect
import json
import math
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import rich_click as click
from folders import make_run
from shared import TINY, Command

import ganzoo.cli
from ganzoo.cli import root
from ganzoo.commands import print_table
from ganzoo.plugins import zoo

PRINT = {"print_table", "print_rows"}
"""What prints tables."""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands, those of groups too, but for those of GANs, which are one of each other's kind."""
    context = click.Context(group)
    for name in group.list_commands(context) if group is not root.commands["run"] else ():
        command = group.get_command(context, name) or group
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
    if group is root.commands["run"]:
        yield "run dcgan", group.get_command(click.Context(group), "dcgan") or group


def names(module: ModuleType) -> dict[str, set[str]]:
    """The functions of a module, each with all names that it mentions."""
    tree = ast.parse(inspect.getsource(module))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {
        function.name: {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} for function in functions
    }


def prints_table(command: click.Command) -> bool:
    """Whether its function, or any that this one calls in the modules of the command line, prints a table."""
    mentioned: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(ganzoo.cli.__path__, "ganzoo.cli."):
        mentioned |= names(importlib.import_module(module.name))
    callback = inspect.unwrap(command.callback) if command.callback else None
    seen: set[str] = set()
    left = {callback.__name__} if callback else set()
    while left:
        name = left.pop()
        seen.add(name)
        left |= mentioned.get(name, set()) - seen
    return bool(seen & PRINT)


def test_every_command_that_prints_a_table_has_a_flag_for_json() -> None:
    found = {}
    for name, command in commands(root):
        if prints_table(command):
            found[name] = any("--json" in parameter.opts for parameter in command.params)
    assert found.keys() >= {"list", "datasets", "plugins", "info", "runs list", "runs prune"}
    assert all(found.values()), [name for name, has in found.items() if not has]


def test_the_manual_lists_the_commands_that_print_json() -> None:
    page = (Path(__file__).parents[2] / "docs/runs.md").read_text().partition("## JSON\n")[2]
    listed = set(re.findall("`([a-z][a-z -]*?)(?: NAME)?(?: --dry-run)?`", page))
    found = {name for name, command in commands(root) if any("--json" in each.opts for each in command.params)}
    assert listed == {{"runs list": "runs", "run dcgan": "run"}.get(name, name) for name in found}


def test_what_is_printed_is_no_command_to_the_terminal(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"na\x1b[2Jme": "va\x9blue", "other": "ä\n2"}])
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x9b"} & set(shown)
    assert {"na\N{REPLACEMENT CHARACTER}[2Jme", "ä", "2"} <= set(shown.split())
    answer = command("report", "no\x1b[2Jrun")
    assert answer.err.startswith("Error: no\N{REPLACEMENT CHARACTER}[2Jrun is no run folder")


@pytest.mark.parametrize(
    "line",
    ["list", "datasets", "plugins", "env", "info dcgan", "runs", "runs list", "runs prune --dry-run", "runs runs"],
)
def test_what_is_printed_is_json(line: str, command: Command) -> None:
    make_run(Path("runs/a"), saved=[10, 20])
    answer = command(*line.split(), "--json")
    assert (answer.status, answer.err) == (0, "")
    assert json.loads(answer.out)


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_the_description_of_a_gan_is_what_is_printed_of_it(name: str, command: Command) -> None:
    found = json.loads(command("info", name, "--json").out)
    text = command("info", name).out
    assert (found["name"], found["summary"] in text, found["paper"] in text) == (name, True, True)
    for network in found["networks"]:
        assert f"{network['parameters']:,}" in text
    for rows in (found["players"], *found["options"].values()):
        assert all(value in text for row in rows for value in map(str, row.values()))


def test_a_dry_run_as_json_has_the_figures_of_its_table(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo.training.dry_run.SECONDS", 0.1)
    answer = command("run", "dcgan", "--image-size", "16", *TINY.split(), "--dry-run", "--json")
    found = json.loads(answer.out)
    assert (found["gan"], found["data"], found["iterations"]) == ("dcgan", "mnist", 2)
    assert found["images_per_second"] > 0
    assert found["peak"] > 2**20
    assert found["losses"].keys() == {"generator/adversarial", "discriminator/adversarial", "r1/penalty"}
    assert all(math.isfinite(loss) for loss in found["losses"].values())
