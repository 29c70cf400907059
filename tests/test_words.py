"""The field's words: those that were ours alone do not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganzoo.config import Config
from ganzoo.options.run import HEADINGS
from ganzoo.plugins import zoo

REPOSITORY = Path(__file__).parent.parent
FILES = sorted(
    file
    for folder in ("ganzoo", "plugins")
    for file in (REPOSITORY / folder).rglob("*.py")
    if "tests" not in file.parts
)
NOT_IN_NAMES = frozenset({"began", "drafted", "judge", "leads", "onlookers", "spelled", "tape", "undrawn"})
"""Words of identifiers, of which the field has others: see the glossary in CONTRIBUTING.md for those that stay."""
NOT_IN_HELP = re.compile(r"\b(anew|beside|so many|told|unless given|that which|is no number|looked at|in its midst)\b")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in FILES:
        yield file.relative_to(REPOSITORY), ast.parse(file.read_text(encoding="utf-8"))


def names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Identifiers that a file defines: of classes, functions, parameters and variables."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name


def words_of(name: str) -> set[str]:
    """Lower-case words of an identifier, whether they are joined by underscores or by capitals."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_identifiers_are_in_the_words_of_the_field() -> None:
    found = [
        f"{file}:{line}: {name}"
        for file, tree in trees()
        for line, name in names(tree)
        if words_of(name) & NOT_IN_NAMES or name in NOT_IN_NAMES
    ]
    assert not found, "\n".join(found)


def described() -> Iterator[type[Config]]:
    """Every model whose fields are options."""
    yield from HEADINGS.values()
    for shelf in zoo().shelves().values():
        yield from (entry for entry in shelf.values() if isinstance(entry, type))


@pytest.mark.parametrize("model", list(described()), ids=lambda model: model.__name__)
def test_help_lines_begin_with_the_thing(model: type[Config]) -> None:
    for name, field in model.model_fields.items():
        text = field.description or ""
        assert not NOT_IN_HELP.search(text), f"{name}: {text}"
        assert not re.match(r"(of|what|how|whether to tell)\b", text), f"{name}: {text}"
