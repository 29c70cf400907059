"""Small text files: JSON from untrusted sources, and atomic writes."""

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
    "atomic_write",
    "digest",
    "number",
    "parse_json",
    "write_atomically",
    "write_json",
]

DEPTH = 30
"""Maximum nesting of JSON."""


def expanduser(path: str | Path) -> Path:
    """Replace `~` and `~user` in a path. The path of an unknown user stays unchanged."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises there


def parse_json(text: str | bytes) -> Any:
    """Parse JSON from an untrusted source.

    Raises:
        ValueError: invalid JSON, too long a number, or too deep a nesting.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _is_deeper(content, DEPTH):
        raise ValueError("it is nested too deeply")
    return content


def number(value: object) -> float | None:
    """Return a finite number as a float, and None for anything else."""
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
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(file: Path, content: Mapping[str, object]) -> None:
    """Write a human-readable JSON object atomically."""
    write_atomically(file, json.dumps(content, indent=2) + "\n")


def write_atomically(file: Path, text: str) -> None:
    """Replace a file in one step: readers see the old content or the new, even after a crash."""
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
def atomic_write(draft: Path, place: Path, move: Callable[[Path, Path], object] = Path.replace) -> Iterator[Path]:
    """Context for writing a file or a folder as a draft that is moved into place at the end.

    Creates missing parent folders. An error removes them and the draft.

    Args:
        draft: path to write to, on the same disk.
        place: final path.
        move: function that moves the draft, in one step.
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
            with suppress(OSError):  # not empty: another process has added files
                parent.rmdir()


def append_line(file: Path, row: Mapping[str, object]) -> None:
    """Append a JSON object as one line in a single write: a run and `ganzoo evaluate` may do so at the same time.

    A last line cut short by a crash stays on its own line.
    """
    with file.open("ab+") as stream:  # at its end
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
        cut_short = stream.read() not in (b"", b"\n")
        stream.write(b"\n" * cut_short + json.dumps(row).encode() + b"\n")


def row_of(line: str) -> dict[str, Any] | None:
    """Parse the JSON object of a line, and return None for anything else."""
    try:
        row = parse_json(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def iteration_of(line: str) -> float:
    """Return the iteration of a line of metrics, and infinity for a line cut short by a crash."""
    try:
        return float(json.loads(line)["iteration"]) if line.endswith("\n") else math.inf
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return math.inf
