"""The blocks of code in the pages of the documentation, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.building import links

FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks)$", re.MULTILINE | re.DOTALL
)
TITLE = re.compile(r'\btitle="([^"]*)"')
NEEDS = re.compile(r"\bneeds?\b", re.IGNORECASE)

RUN, NOT_RUN = {"bash", "python"}, {"sh", "console"}
"""Languages of blocks that tests run, and of those that need what a test has not: the page says what."""
READ = {"yaml", "toml", "json"}
"""Languages of blocks that are read by their parsers."""
SHOWN = {"text", "html"}
"""What is only shown."""


@dataclass(frozen=True)
class Block:
    """A block of code."""

    language: str
    title: str
    text: str
    before: str
    """The paragraph before it."""
    line: int

    @property
    def says_what_it_needs(self) -> bool:
        """Whether its title or the paragraph before it does."""
        return bool(NEEDS.search(self.title) or NEEDS.search(self.before))


def pages() -> dict[str, Path]:
    """The pages that people write, by their names in the repository."""
    docs = links.ROOT / "docs"
    found = [*links.included().values(), *sorted(docs.rglob("*.md"))]
    return {str(file.relative_to(links.ROOT)): file for file in found}


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    for found in FENCE.finditer(text):
        title = TITLE.search(found["info"])
        language = found["info"].split()[0] if found["info"].strip() else ""
        content = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        before = text[: found.start()].rstrip().rpartition("\n\n")[2]
        yield Block(language, title[1] if title else "", content, before, text.count("\n", 0, found.start()) + 1)


@dataclass(frozen=True)
class Line:
    """One command of a block, as a shell takes it."""

    words: tuple[str, ...]
    into: str = ""
    """The file that its output goes to."""
    typed: str = ""


def lines(block: Block) -> Iterator[Line]:
    """The commands of a block."""
    for typed in re.sub(r"\\\n\s*", "", block.text).splitlines():
        reader = shlex.shlex(typed, posix=True, punctuation_chars=True)
        reader.whitespace_split = True
        command: list[str] = []
        for word in [*reader, "&&"]:
            if word == "&&" and command:
                yield _line(command, typed)
                command = []
            elif word != "&&":
                command.append(word)


def _line(words: list[str], typed: str) -> Line:
    if words[-2:-1] == [">"]:
        return Line(tuple(words[:-2]), words[-1], typed)
    return Line(tuple(words), typed=typed)
