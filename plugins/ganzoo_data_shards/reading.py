"""Shards on disk and on servers: which a pattern means, which samples one holds, and its bytes."""

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
"""What shards in a folder are called."""
KINDS = ("jpg", "jpeg", "png", "webp")
FILES = {
    "image": KINDS,
    "source": tuple(f"source.{kind}" for kind in KINDS),
    "target": tuple(f"target.{kind}" for kind in KINDS),
    "label": ("cls",),
    "caption": ("txt",),
}
"""What may follow a sample's key and a dot, by field."""
MOST = 10**6
"""Names that a pattern may mean: at 500 MB for each, 500 TB."""
Result = TypeVar("Result")
Sample = Mapping[str, Any]
"""A Member by what follows the key and a dot; `__key__` is the key."""


@dataclass(frozen=True)
class Shard:
    """One shard, in memory as it came."""

    name: str
    samples: Sequence[Sample]
    content: memoryview

    @classmethod
    def open(cls, name: str, fields: frozenset[str]) -> "Shard":
        """Reads a shard as a whole.

        Raises:
            DataError: it cannot be had, or is damaged, or refused.
        """
        content = download(name) if is_address(name) else read_file(name)
        return cls(name, group(members(content, name), name, fields), content.getbuffer())

    def file(self, sample: Sample, field: str) -> tuple[bytes, str]:
        """What a sample holds of a field, and what to call it.

        Raises:
            DataError: it has no file for it.
        """
        found = next((sample[suffix] for suffix in FILES[field] if suffix in sample), None)
        if found is None:
            raise ganzoo.DataError(
                f"'{sample['__key__']}' in '{self.name}' has no {field} ({', '.join(FILES[field])}); files of one "
                "sample must follow each other in the archive, which tar --sort=name sees to"
            )
        return bytes(self.content[found.start : found.start + found.size]), f"{found.name} in {self.name}"


def find(pattern: str) -> list[str]:
    """The shards that a pattern means: braces are expanded, then folders and wildcards looked up.

    Raises:
        DataError: there are none, one is missing, or it is of a kind that is not read.
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
    """How many names braces are expanded to, or somewhat more where they hold letters: told without expanding them.

    Raises:
        ValueError: a number in them has thousands of digits.
    """

    def product(text: str) -> int:  # a group that was counted stands there as its count between NULs
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
    while found:  # from the innermost outwards
        text, found = re.subn(r"\{([^{}]*)\}", counted, text)
    return product(text)


def look_up(name: str) -> list[str]:
    """The shards that one name, folder or wildcard means."""
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
    """How many samples a file holds, from its headers alone unless it is gzipped."""
    if shard.endswith(".tar"):
        try:
            with Path(shard).open("rb") as file:
                return len(group(members(file, shard), shard, fields))
        except OSError as error:
            raise unreadable(shard, error) from error
    return len(Shard.open(shard, fields).samples)


def group(files: Sequence[Member], shard: str, fields: frozenset[str]) -> list[Sample]:
    """The samples of a shard: files of one key that follow each other, where they hold anything of the fields.

    Raises:
        DataError: a sample has two files of one kind.
    """
    wanted = {suffix for field in fields for suffix in FILES[field]}
    named = ({"fname": file.name, "data": file, "__url__": shard} for file in files)
    try:
        grouped = list(library().tariterators.group_by_keys(named, suffixes=wanted))
    except ValueError as error:
        raise ganzoo.DataError(f"'{shard}' cannot be used: {error.args[0]}") from error
    return [sample for sample in grouped if not wanted.isdisjoint(sample)]


def read_file(name: str) -> BytesIO:
    """A shard that is a file."""
    try:
        with Path(name).open("rb", buffering=0) as file:
            return contents(file, name)
    except (OSError, EOFError) as error:
        raise unreadable(name, error) from error


def in_background(work: Callable[[], Result]) -> Future[Result]:
    """Has work done beside what follows; nobody waits for it who does not ask for its result."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def unreadable(shard: str, error: Exception) -> ganzoo.DataError:
    """What to say of a shard that cannot be had."""
    return ganzoo.DataError(f"the shard '{shard}' cannot be read: {error}")


def nothing(shards: Sequence[str], fields: frozenset[str]) -> ganzoo.DataError:
    """What to say of shards without samples."""
    expected = ", ".join(f"KEY.{suffix}" for field in sorted(fields) for suffix in FILES[field])
    return ganzoo.DataError(f"there are no samples in '{shards[0]}' or others that belong to it; expected {expected}")


def library() -> Any:
    """The webdataset package, which is imported when it is needed: it comes with an extra.

    Raises:
        DataError: it is not installed.
    """
    try:
        import webdataset
    except ImportError as error:
        raise ganzoo.DataError("'shards' needs a library that is not there: pip install 'ganzoo[shards]'") from error
    return webdataset
