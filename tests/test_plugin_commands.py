"""Commands that plugins bring: a stranger's package, a loose file, and those that do not work, which stop nothing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from shared import Command
from strangers import Installed, install

import ganzoo
from ganzoo.cli import root

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "counting"
version = "1.2.3"
dependencies = ["ganzoo"]

[project.entry-points."ganzoo.commands"]
count = "counting_count"
late = "counting_late"
missing = "counting_missing"
raises = "counting_raises"
gan = "counting_gan"

[project.entry-points.ganzoo]
misplaced = "counting_late"

[tool.hatch.build.targets.wheel]
include = ["*.py"]
"""
MODULES = {
    "count": '''
        import rich_click as click

        import ganzoo
        from ganzoo.commands import AS_JSON, RUN

        print("plain,noise")

        @click.command()
        @RUN
        @AS_JSON
        def count(run, as_json):
            """Count the weights of RUN."""
            if run.name == "nobody":
                raise ganzoo.UserError("nobody has no weights")
            trained = ganzoo.load(run)
            click.echo(sum(weight.numel() for weight in trained.nets.parameters()))

        @ganzoo.hookimpl
        def register_commands(register):
            register(count)
        ''',
    "late": """
        import click, ganzoo

        @ganzoo.hookimpl
        def register_commands(register):
            register(click.Command("counting"))
            register(click.Command("run"))
        """,
    "missing": "import counting_nowhere",
    "raises": """
        import ganzoo

        @ganzoo.hookimpl
        def register_commands(register):
            raise SystemExit("out of fingers")
        """,
    "gan": """
        import ganzoo

        @ganzoo.hookimpl
        def register_gans(register):
            pass
        """,
}
PROBLEMS = {
    "late": f"the command 'run' is already provided by ganzoo {ganzoo.__version__}",
    "missing": r"ModuleNotFoundError: No module named 'counting_nowhere' \(counting_missing.py, line 1\)",
    "raises": r"SystemExit: out of fingers \(counting_raises.py, line 5\)",
    "gan": "it implements register_gans, which belongs in another module: one with an entry point in 'ganzoo'",
}
MISPLACED = PROBLEMS["gan"].replace("gans", "commands").replace("'ganzoo'", "'ganzoo.commands'")
LOOSE = '''
import click, ganzoo

@click.command({name})
def wave():
    """Wave."""
    click.echo("waved")

@ganzoo.hookimpl
def register_commands(register):
    register({thing})
'''
LIGHT = """
import sys
from ganzoo.cli import main
try:
    main(["--help"])
except SystemExit as stop:
    assert not stop.code, stop.code
slow = {"torch", "pydantic", "numpy", "PIL", "ganzoo.plugins"} & sys.modules.keys()
assert not slow, slow
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A package with one command that works, and others that do not."""
    folder = tmp_path_factory.mktemp("stranger")
    project = folder / "counting"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    for name, text in MODULES.items():
        (project / f"counting_{name}.py").write_text(dedent(text).lstrip())
    return install([project], folder)


def said(installed: Installed, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed.packages), "COLUMNS": "300", **variables}
    line = [sys.executable, "-m", "ganzoo", *words]
    return subprocess.run(line, cwd=installed.work, env=environment, capture_output=True, text=True, timeout=900)


def test_a_strangers_command_is_listed_and_what_does_not_work_is_told_in_a_line(installed: Installed) -> None:
    answer = said(installed, "--help")
    assert answer.returncode == 0
    assert re.search(r"\bcount +Count the weights of RUN\.", answer.stdout)
    assert "noise" not in answer.stdout, "what a plugin prints when it is imported"
    assert " counting " not in answer.stdout, "a plugin is taken whole or not at all"
    for name, problem in PROBLEMS.items():
        assert re.search(f"^note: the plugin '{name}' was set aside: {problem}$", answer.stderr, re.MULTILINE), name
    assert len(answer.stderr.splitlines()) == len(PROBLEMS)
    assert installed.python("-c", LIGHT)


def test_a_strangers_command_works_as_ours_do(installed: Installed) -> None:
    weights = sum(weight.numel() for weight in ganzoo.load("dcgan").nets.parameters())
    answer = said(installed, "count", "dcgan")
    assert (answer.stdout, answer.stderr) == (f"{weights}\n", "")
    answer = said(installed, "count", "nobody")
    assert (answer.returncode, answer.stderr) == (2, "Error: nobody has no weights\n")
    asked = {"_GANZOO_COMPLETE": "bash_complete", "COMP_WORDS": "ganzoo cou", "COMP_CWORD": "1"}
    answer = said(installed, **asked)
    assert (answer.stdout, answer.stderr) == ("plain,count\n", "")


def test_plugins_are_listed_with_the_commands_that_they_bring(installed: Installed) -> None:
    rows = {row["plugin"]: row for row in json.loads(installed.ganzoo("plugins", "--json"))}
    assert (rows["count"]["from"], rows["count"]["provides"]) == ("counting 1.2.3", "count")
    assert rows["misplaced"]["problem"] == MISPLACED
    for name, problem in PROBLEMS.items():
        assert re.fullmatch(problem, rows[name]["problem"]), name
    aside = {row["plugin"] for row in json.loads(installed.ganzoo("list", "--json"))["set_aside"]}
    assert aside == {*PROBLEMS, "misplaced"}


@pytest.mark.parametrize("line", ["--plugin {} wave", "wave --plugin={}"])
def test_a_loose_file_may_bring_a_command(line: str, command: Command) -> None:
    Path("waving.py").write_text(LOOSE.format(name='"wave"', thing="wave"))
    assert command(*line.format("waving.py").split()).out == "waved\n"
    assert re.search(r"\bwave +Wave\.", command("--plugin", "waving.py", "--help").out)
    assert [row["provides"] for row in json.loads(command("plugins", "--json", "--plugin", "waving.py").out)
            if row["plugin"] == "waving"] == ["wave"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "thing", "problem"),
    [
        ('"wave"', "print", "it registers <built-in function print>; expected a click.Command"),
        ('"Big wave"', "wave", "it registers a command called 'Big wave'; expected lower-case words joined by '-'"),
        ('"list"', "wave", f"the command 'list' is already provided by ganzoo {ganzoo.__version__}"),
        ('"new"', "wave", f"the command 'new' is already provided by ganzoo {ganzoo.__version__}"),
    ],
)
def test_what_is_no_new_command_is_set_aside(name: str, thing: str, problem: str, command: Command) -> None:
    Path("waving.py").write_text(LOOSE.format(name=name, thing=thing))
    answer = command("wave", "--plugin", "waving.py")
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"note: the plugin 'waving' was set aside: {problem}\n")
    assert answer.err.count("note:") == 1
    assert "No such command 'wave'" in answer.err
    assert command("datasets", "--plugin", "waving.py").err == "", "the core's commands need no plugin's"


def test_our_tools_are_such_commands() -> None:
    assert {"bench", "export", "new", "pull", "push", "report", "serve"} <= root.brought().commands.keys()
    assert all(not plugin.problem and plugin.builtin for plugin in root.brought().plugins)
