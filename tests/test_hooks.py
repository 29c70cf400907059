"""Hooks: each is documented with its arguments, and a plugin may say for which version of them it was written."""

import inspect
import json
import re
from pathlib import Path

import pytest
from shared import Command

import ganzoo
from ganzoo.contract import hookspecs
from ganzoo.plugins import zoo

PAGE = Path(__file__).parent.parent / "docs" / "hooks.md"
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("register_")}
LOSS = '''
import ganzoo

{said}


class Quiet(ganzoo.losses.Hinge):
    """A hinge by another name."""

    kind = "quiet"


@ganzoo.hookimpl
def register_losses(register: ganzoo.Register) -> None:
    register(Quiet)
'''


@pytest.fixture
def plugins(command: Command, place: Path) -> "Command":
    """`plugins("ganzoo_hooks = 1")`: the answer of `ganzoo plugins --json` to a plugin that says so."""

    def ask(said: str, *words: str) -> object:
        file = place / "quiet.py"  # by its whole name, as a zoo is kept for each
        file.write_text(LOSS.format(said=said))
        return command(*(words or ("plugins", "--json")), "--plugin", str(file))

    return ask  # type: ignore[return-value]  # it answers as a command does


def row(answer: object) -> dict[str, object]:
    [found] = [row for row in json.loads(answer.out) if row["plugin"] == "quiet"]  # type: ignore[attr-defined]
    assert isinstance(found, dict)
    return found


def test_each_hook_has_a_heading_with_its_arguments_and_a_word_on_each() -> None:
    text = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (register_\w+\(.*?\))\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    expected = {f"{name}({', '.join(inspect.signature(hook).parameters)})" for name, hook in HOOKS.items()}
    assert sections.keys() == expected
    for heading, text in sections.items():
        for argument in inspect.signature(HOOKS[heading.partition("(")[0]]).parameters:
            assert f"`{argument}`: " in text, heading
        for name in re.findall(r"`ganzoo\.(\w+)`", text):
            assert name in dir(ganzoo), f"{heading} names ganzoo.{name}"


def test_each_section_names_the_base_that_its_hook_takes() -> None:
    for noun, shelf in zoo().shelves().items():
        section = PAGE.read_text().partition(f"## register_{noun}(")[2].partition("\n## ")[0]
        named = [getattr(ganzoo, name) for name in re.findall(r"`ganzoo\.(\w+)`", section)]
        assert named, noun
        assert all(issubclass(kind, shelf.base) for kind in named), noun
        assert f"`{shelf.base.key}` is the word in " in " ".join(section.split()), noun


def test_the_page_tells_the_version_there_is() -> None:
    assert re.findall(r"This is version \*\*(\d+)\*\*", PAGE.read_text()) == [str(ganzoo.HOOKS_VERSION)]


def test_the_plugin_of_the_page_is_one(command: Command, place: Path) -> None:
    code = re.search(r"```python[^\n]*\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code
    (place / "plain.py").write_text(code[1])
    answer = command("--plugin", "plain.py", "info", "plain", "--json")
    assert answer.status == 0, answer.err
    assert json.loads(answer.out)["name"] == "plain"


@pytest.mark.parametrize(("said", "hooks"), [("", None), ("ganzoo_hooks = None", None), ("ganzoo_hooks = 1", 1)])
def test_a_plugin_may_say_its_version_or_leave_it_out(said: str, hooks: int | None, plugins: Command) -> None:
    assert row(plugins(said)) == {
        "plugin": "quiet", "from": str(Path("quiet.py").absolute()), "hooks": hooks, "provides": "quiet", "problem": "",
    }  # fmt: skip


def test_one_that_needs_newer_hooks_is_set_aside_and_told_how_to_get_them(plugins: Command) -> None:
    newer = ganzoo.HOOKS_VERSION + 1
    # It also has a hook that is yet to come: its version is what is complained of.
    said = f"ganzoo_hooks = {newer}\n\n\n@ganzoo.hookimpl\ndef register_sounds(register):\n    pass"
    reason = (
        f"it needs hooks version {newer}; this is ganzoo {ganzoo.__version__} with {ganzoo.HOOKS_VERSION}: "
        "pip install -U ganzoo"
    )
    found = row(plugins(said))
    assert (found["hooks"], found["provides"], found["problem"]) == (newer, "", reason)
    listed = plugins(said, "list")
    assert listed.status == 0
    assert any(line.startswith("quiet ") and line.rstrip().endswith(reason) for line in listed.out.splitlines())
    assert reason in plugins(said, "plugins").out
    assert "'quiet'" in plugins(said, "run", "dcgan", "--loss", "quiet").err


@pytest.mark.parametrize("said", ["0", "-1", "True", "'1'", "1.0", "[1]", "ganzoo", "10**5000"])
def test_what_is_no_version_is_said_to_be_none(said: str, plugins: Command) -> None:
    answer = plugins(f"ganzoo_hooks = {said}")
    assert answer.status == 0, answer.err
    assert row(answer)["provides"] == ""
    expected = f"expected a whole number from 1: ganzoo_hooks = {ganzoo.HOOKS_VERSION}"
    assert str(row(answer)["problem"]).endswith(expected)
