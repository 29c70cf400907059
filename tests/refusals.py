"""A line that is refused, and changes nothing."""

import hashlib
from pathlib import Path

from shared import Answer, Command


def contents(folder: Path) -> dict[str, str]:
    """Every path below a folder, and a digest of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def refused(command: Command, place: Path, line: str) -> Answer:
    """The answer to a line that must change nothing."""
    before = contents(place)
    answer = command(*line.split(" "))
    assert answer.status == 2, answer
    assert contents(place) == before
    assert "Traceback" not in answer.err
    return answer
