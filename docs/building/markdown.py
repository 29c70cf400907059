"""Pieces of Markdown."""

import re
from collections.abc import Iterable, Sequence

ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> str:
    """A table; the columns of numbers are aligned to the right."""
    right = set(numbers)
    line = [("---:" if column in right else "---") for column in range(len(head))]
    return "\n".join(f"| {' | '.join(map(cell, row))} |" for row in (head, line, *rows))


def cell(value: object) -> str:
    """A value as it stands in a table."""
    return " ".join(str(value).split()).replace("|", r"\|")


def code(value: object) -> str:
    """A value in the letters of code; nothing where there is none."""
    return f"`{value}`" if str(value) else ""


def option(spelling: str, takes: str) -> str:
    """An option as it is typed, with what it takes."""
    return code(f"{spelling} {takes}".strip())


def plain(text: str) -> str:
    """A sentence that was written for a terminal, with nothing in it read as Markdown outside of its code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\*_<>\[\]#{}])", r"\\\1", part) for part in parts if part
    )


def linked(text: str) -> str:
    """A text with its papers linked to where they can be read."""
    return ARXIV.sub(lambda found: f"[{found[0]}](https://arxiv.org/abs/{found[1]})", text)
