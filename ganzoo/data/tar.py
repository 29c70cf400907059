"""Tar archives from untrusted sources, read in place; harmful members and bombs are rejected.

Nothing is ever unpacked to disk, so a name could do no harm; harmful names are rejected nevertheless, as they indicate
an attack or a mistake.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from ganzoo.data.archive import misnamed, oversized
from ganzoo.errors import DataError, typed

__all__ = ["Member", "contents", "members"]

LARGEST_ARCHIVE = 2**31
"""Maximum uncompressed size of a whole archive, in bytes: 2 GiB."""
BLOCK = 512
"""Block size of tar in bytes."""
CHUNK = 2**20
"""Bytes to read at once: bombs are detected before they fill the memory."""


@dataclass(frozen=True)
class Member:
    """File in an archive."""

    name: str
    start: int
    """Offset of its content in the archive."""
    size: int


def contents(archive: io.RawIOBase | BinaryIO, name: str) -> io.BytesIO:
    """Read a whole archive into memory, decompressed if gzipped, and close it.

    Raises:
        DataError: the archive is larger than `LARGEST_ARCHIVE`, or damaged.
        OSError: it is not readable.
        EOFError: it is gzipped, and truncated.
    """
    whole = io.BytesIO()
    try:
        with io.BufferedReader(cast("io.RawIOBase", archive)) as packed:
            gzipped = packed.peek(2)[:2] == b"\x1f\x8b"
            source = gzip.GzipFile(fileobj=packed) if gzipped else packed
            while whole.tell() <= LARGEST_ARCHIVE and (chunk := source.read(CHUNK)):
                whole.write(chunk)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"'{name}' is damaged: {error}") from error
    except MemoryError as error:
        raise DataError(f"'{name}' does not fit into memory; make smaller shards, or give fewer --workers") from error
    if whole.tell() > LARGEST_ARCHIVE:
        raise _too_large(name)
    whole.seek(0)
    return whole


def members(archive: BinaryIO, name: str) -> list[Member]:
    """Return the files in an uncompressed archive, in order, without reading their content.

    Args:
        archive: open and seekable archive.
        name: name of the archive, for messages.

    Raises:
        DataError: the archive is damaged or truncated, has a member that is neither a plain file nor a folder, an
            absolute name or one with `..`, a file above `archive.MEMBER`, or more than `LARGEST_ARCHIVE` in total.
    """
    found, end = list[Member](), 0
    try:
        for info in _infos(archive):
            end = info.offset_data + (-(-info.size // BLOCK) * BLOCK if info.isreg() else 0)
            _check(info, end, name)
            if info.isreg():
                found.append(Member(info.name, info.offset_data, info.size))
        archive.seek(end)
        last = archive.read(BLOCK)
    except DataError:
        raise
    except Exception as error:  # tarfile raises many kinds of errors on broken headers
        raise DataError(f"'{name}' is damaged, or no tar archive: {error}") from error
    if len(last) < BLOCK or any(last):
        after = f"after '{found[-1].name}'" if found else "at its beginning"
        raise DataError(f"'{name}' is damaged, or was cut short, {after}")
    return found


def _infos(archive: BinaryIO) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=archive, mode="r:") as tar:
        yield from tar


def _check(info: tarfile.TarInfo, end: int, archive: str) -> None:
    reason = misnamed(info.name) or oversized(info.size)
    if not (info.isreg() or info.isdir()) or info.issparse():
        reason = reason or "it is no plain file: links, devices and files with holes are not read"
    if reason:
        raise DataError(f"'{archive}' is refused for its member {typed(info.name)}: {reason}")
    if end > LARGEST_ARCHIVE:
        raise _too_large(archive)


def _too_large(name: str) -> DataError:
    return DataError(f"'{name}' is refused: unpacked, it is more than {LARGEST_ARCHIVE:,} bytes; make smaller shards")
