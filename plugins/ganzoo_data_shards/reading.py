"""Shards on disk and on servers: expansion of patterns, lists of samples, and their contents."""

import glob
import math
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import ganzoo
from ganzoo.data import download, is_address
from ganzoo.data.tar import Member, contents, members
from ganzoo.errors import typed

ARCHIVES = (".tar", ".tar.gz", ".tgz")
"""Extensions of shards in a folder."""
KINDS = ("jpg", "jpeg", "png", "webp")
FILES = {
    "image": KINDS,
    "source": tuple(f"source.{kind}" for kind in KINDS),
    "target": tuple(f"target.{kind}" for kind in KINDS),
    "label": ("cls",),
    "caption": ("txt",),
}
"""Extensions of files, after a sample's key and a dot, by field."""
MOST = 10**6
"""Largest number of names in a pattern: at 500 MB for each, 500 TB."""
Result = TypeVar("Result")
Sample = Mapping[str, Any]
"""Members by their extension after the key; `__key__` is the key."""


@dataclass(frozen=True)
class Shard:
    """Shard in memory, in its original form."""

    name: str
    samples: Sequence[Sample]
    content: memoryview

    @classmethod
    def open(cls, name: str, fields: frozenset[str]) -> "Shard":
        """Read a whole shard.

        Raises:
            DataError: if it is not available, damaged, or rejected.
        """
        content = download(name) if is_address(name) else read_file(name)
        return cls(name, group(members(content, name), name, fields), content.getbuffer())

    def file(self, sample: Sample, field: str) -> tuple[bytes, str]:
        """Return a sample's file for a field, and its name for messages.

        Raises:
            DataError: if it has none.
        """
        found = next((sample[suffix] for suffix in FILES[field] if suffix in sample), None)
        if found is None:
            raise ganzoo.DataError(
                f"'{sample['__key__']}' in '{self.name}' has no {field} ({', '.join(FILES[field])}); files of one "
                "sample must follow each other in the archive, which tar --sort=name sees to"
            )
        return bytes(self.content[found.start : found.start + found.size]), f"{found.name} in {self.name}"


def find(pattern: str) -> list[str]:
    """Return the shards of a pattern: braces are expanded, then folders and wildcards are searched.

    Raises:
        DataError: if there are none, one is missing, or its kind is not supported.
    """
    if "${" in pattern:
        raise ganzoo.DataError(f"'{pattern}' names an environment variable; write its value")
    try:
        if sum(map(expansions, pattern.split("::"))) > MOST:
            raise ganzoo.DataError(f"{typed(pattern)} means more than {MOST:,} shards; name fewer, or their folder")
        named = library().shardlists.expand_urls(pattern)
    except ValueError as error:
        raise ganzoo.DataError(f"'{pattern}' is no pattern of shards: {error}") from error
    found = [shard for name in named for shard in look_up(name)]
    if not found:
        raise ganzoo.DataError(f"there are no shards in '{pattern}' (looked for {', '.join(ARCHIVES)})")
    return found


def expansions(pattern: str) -> int:
    """Return the number of names from expanding braces, or more if they hold letters, without expanding them.

    Raises:
        ValueError: if a number in them has thousands of digits.
    """

    def product(text: str) -> int:  # counted groups are replaced by their count between NULs
        return math.prod(max(1, int(count)) for count in re.findall("\0([0-9]+)\0", text))

    def counted(group: re.Match[str]) -> str:
        if ends := re.fullmatch(r"(-?\d+)\.\.(-?\d+)(?:\.\.-?(\d+))?\n?", group[1]):
            count = abs(int(ends[2]) - int(ends[1])) // (int(ends[3] or 1) or 1) + 1
        elif re.fullmatch(r"[A-Za-z]\.\.[A-Za-z](\.\.-?\d+)?\n?", group[1]):
            count = 52  # at most
        else:
            count = sum(map(product, group[1].split(",")))
        return f"\0{count}\0"

    text, found = re.sub(r"(?s)\\.", "", pattern), 1
    while found:  # from the innermost outward
        text, found = re.subn(r"\{([^{}]*)\}", counted, text)
    return product(text)


def look_up(name: str) -> list[str]:
    """Return the shards of a name, folder or wildcard."""
    if is_address(name):
        return [name]
    path = Path(os.path.expanduser(name))  # noqa: PTH111 - a Path's own raises for the home of nobody
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        return sorted(str(file) for file in path.iterdir() if file.name.endswith(ARCHIVES) and file.is_file())
    if scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", name):
        why = "it would run a command, and a configuration may be anyone's" if scheme[1] == "pipe" else "it is not read"
        raise ganzoo.DataError(f"'{name}' cannot be used: {why}; give paths of files, or http:// or https:// addresses")
    if glob.has_magic(name):
        return sorted(glob.glob(str(path)))  # noqa: PTH207 - a Path's own needs to be told where the wildcards begin
    raise ganzoo.DataError(f"there is no shard '{path}'")


def count(shard: str, fields: frozenset[str]) -> int:
    """Return the number of samples in a file, from its headers alone unless it is gzipped."""
    if shard.endswith(".tar"):
        try:
            with Path(shard).open("rb") as file:
                return len(group(members(file, shard), shard, fields))
        except OSError as error:
            raise unreadable(shard, error) from error
    return len(Shard.open(shard, fields).samples)


def group(files: Sequence[Member], shard: str, fields: frozenset[str]) -> list[Sample]:
    """Return the samples of a shard: consecutive files with the same key and any of the fields.

    Raises:
        DataError: if a sample has two files of one kind.
    """
    wanted = {suffix for field in fields for suffix in FILES[field]}
    named = ({"fname": file.name, "data": file, "__url__": shard} for file in files)
    try:
        grouped = list(library().tariterators.group_by_keys(named, suffixes=wanted))
    except ValueError as error:
        raise ganzoo.DataError(f"'{shard}' cannot be used: {error.args[0]}") from error
    return [sample for sample in grouped if not wanted.isdisjoint(sample)]


def read_file(name: str) -> BytesIO:
    """Read a shard from a file."""
    try:
        with Path(name).open("rb", buffering=0) as file:
            return contents(file, name)
    except (OSError, EOFError) as error:
        raise unreadable(name, error) from error


def in_background(work: Callable[[], Result]) -> Future[Result]:
    """Run a function in a background thread and return its future."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # raised by the future's result()
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def unreadable(shard: str, error: Exception) -> ganzoo.DataError:
    """Return the error for a shard that cannot be read."""
    return ganzoo.DataError(f"the shard '{shard}' cannot be read: {error}")


def nothing(shards: Sequence[str], fields: frozenset[str]) -> ganzoo.DataError:
    """Return the error for shards without samples."""
    expected = ", ".join(f"KEY.{suffix}" for field in sorted(fields) for suffix in FILES[field])
    return ganzoo.DataError(f"there are no samples in '{shards[0]}' or others that belong to it; expected {expected}")


def library() -> Any:
    """Import webdataset, which comes with an extra.

    Raises:
        DataError: if it is not installed.
    """
    try:
        import webdataset
    except ImportError as error:
        raise ganzoo.DataError("'shards' needs a library that is not there: pip install 'ganzoo[shards]'") from error
    return webdataset
