"""Small text files: JSON that anybody may have written, read; and files written whole or not at all."""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = [
    "digest",
    "drafted",
    "number",
    "parse_json",
    "write_atomically",
    "write_json",
]

DEPTH = 30
"""How deeply JSON may be nested."""


def expanded(path: str | Path) -> Path:
    """The path with `~` and `~user` replaced; one that begins with the name of nobody stays as it was typed."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - a Path's own raises there


def parse_json(text: str | bytes) -> Any:
    """Parse JSON that anybody may have written.

    Raises:
        ValueError: it is no JSON, or has numbers too long or tables too deep to be worked with.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deeper(content, DEPTH):
        raise ValueError("it is nested too deeply")
    return content


def number(value: object) -> float | None:
    """A finite number; None for all else that a file may hold in its place."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _is_deeper(value: object, levels: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _is_deeper(part, levels - 1) for part in parts)


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(file: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object that a person can read, whole or not at all."""
    write_atomically(file, json.dumps(content, indent=2) + "\n")


def write_atomically(file: Path, text: str) -> None:
    """Replace a file in one step: a reader, or a crash, finds the old content or the new, never half."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with draft.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)  # after an error


@contextmanager
def drafted(draft: Path, place: Path, move: Callable[[Path, Path], object] = Path.replace) -> Iterator[Path]:
    """Write a file or a folder as a draft, which takes its place at the end.

    Folders above it that are missing are made. After an error they are gone again, and so is the draft.

    Args:
        draft: where to write; on the same disk.
        place: where it goes.
        move: takes it there, in one step.
    """
    made = [parent for parent in place.parents if not parent.exists()]  # the innermost first
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        move(draft, place)
        made = []
    finally:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        for parent in made:
            with suppress(OSError):  # somebody else's files have come into it
                parent.rmdir()


def append_line(file: Path, row: Mapping[str, object]) -> None:
    """Adds a JSON object as one line to a file, in one write: a run and `ganzoo evaluate` may do so side by side.

    A last line that a crash cut short is left as a line of its own.
    """
    with file.open("ab+") as stream:  # at its end
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
        cut_short = stream.read() not in (b"", b"\n")
        stream.write(b"\n" * cut_short + json.dumps(row).encode() + b"\n")


def row_of(line: str) -> dict[str, Any] | None:
    """The JSON object of a line; None for all else that may stand there."""
    try:
        row = parse_json(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def iteration_of(line: str) -> float:
    """The iteration of a line of metrics; infinite for one that a crash cut short."""
    try:
        return float(json.loads(line)["iteration"]) if line.endswith("\n") else math.inf
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return math.inf
