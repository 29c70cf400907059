"""Sources of image files: a folder, or a ZIP that is read without unpacking.

Archives are untrusted. Anything that no honest one contains is rejected before reading: paths that lead out of it,
links, encryption, and the sizes of zip bombs. Nothing is ever written to disk.
"""

import stat
import threading
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Self

from PIL import Image

from ganzoo.data.images import EXTENSIONS, existing, find_images, open_image
from ganzoo.errors import DataError, typed

MEMBER = 256 * 2**20
"""Maximum uncompressed size of one file in an archive of any kind, in bytes: 256 MiB."""
TOTAL = 256 * 2**30
"""Maximum uncompressed size of all images of an archive, in bytes."""
RATIO = 200
"""Maximum compression ratio of a member of more than `SMALL` bytes; drawings in a BMP reach 100."""
SMALL = 2**20
"""Size in bytes up to which the compression ratio is not checked."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compression methods whose output can be bounded while reading."""
ARCHIVES = frozenset({".7z", ".bz2", ".gz", ".lz", ".rar", ".tar", ".tbz2", ".tgz", ".txz", ".xz", ".zst"})
"""Suffixes of archives of other kinds, in lower case."""


class ImageFiles(ABC):
    """Image files by name, relative to their source; a context manager that closes the source."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def names(self) -> list[PurePosixPath]:
        """Return the names of all images, sorted, without hidden ones."""

    @abstractmethod
    def folders(self) -> list[str]:
        """Return the names of the folders at the top, sorted."""

    @abstractmethod
    def open(self, name: PurePosixPath) -> Image.Image:
        """Return an image by name, decoded; thread-safe.

        Raises:
            DataError: the image is broken; the message names it.
        """

    def close(self) -> None:  # noqa: B027 - a no-op for folders
        """Close open files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def images_at(path: Path) -> ImageFiles:
    """Return the images of a folder or of a ZIP.

    Raises:
        DataError: the path is neither, or an archive that is broken or harmful.
    """
    path = existing(path)
    if path.is_dir():
        return FolderImages(path)
    ending = path.suffix.lower()
    if ending == ".zip":
        return ZipImages(path)
    if ending in ARCHIVES:
        shards = f", or try --data shards:{path}" if ending == ".tar" else ""
        raise DataError(f"'{path}' is not read as it is; unpack it and give the folder, or make it a .zip{shards}")
    raise DataError(f"'{path}' is a file; give the folder that holds the images, or a .zip of them")


class FolderImages(ImageFiles):
    """Images in a folder and below it."""

    def names(self) -> list[PurePosixPath]:
        return [PurePosixPath(file.relative_to(self.path).as_posix()) for file in find_images(self.path)]

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.path.iterdir() if path.is_dir())

    def open(self, name: PurePosixPath) -> Image.Image:
        return open_image(self.path / name)


class ZipImages(ImageFiles):
    """Images in a ZIP. If everything in it is in a single folder, names are relative to that folder.

    Raises:
        DataError: the archive is broken or harmful.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._file = zipfile.ZipFile(path)
        except Exception as error:  # zipfile raises many kinds of errors on broken archives
            raise DataError(f"'{path}' cannot be read: {error}") from error
        self._lock = threading.Lock()
        try:
            self._members = self._checked()
        except DataError:
            self.close()
            raise

    def names(self) -> list[PurePosixPath]:
        return sorted(name for name, member in self._members.items() if _is_image(name) and not member.is_dir())

    def folders(self) -> list[str]:
        folders = (name.parts[0] for name, member in self._members.items() if len(name.parts) > 1 or member.is_dir())
        return sorted(set(folders))

    def open(self, name: PurePosixPath) -> Image.Image:
        member, place = self._members[name], f"{self.path}/{name}"
        try:
            # Reads at most the declared size, which was checked; zipfile then verifies the checksum.
            with self._lock, self._file.open(member) as stream:
                content = stream.read(member.file_size)
        except Exception as error:
            raise DataError(f"'{place}' cannot be read: {error}") from error
        return open_image(content, place)

    def close(self) -> None:
        self._file.close()

    def _checked(self) -> dict[PurePosixPath, zipfile.ZipInfo]:
        """Return the checked members by name, without hidden ones."""
        members: dict[PurePosixPath, zipfile.ZipInfo] = {}
        total, packed = 0, self.path.stat().st_size
        for member in self._file.infolist():
            name = PurePosixPath(member.filename.replace("\\", "/"))
            if reason := misnamed(member.filename):
                self._refuse(member, reason)
            if not name.parts or any(part.startswith(".") or part == "__MACOSX" for part in name.parts):
                continue
            if _is_image(name) and not member.is_dir():
                if name in members:
                    self._refuse(member, "there are two of that name")
                if reason := _harm(member):
                    self._refuse(member, reason)
                total, packed = total + member.file_size, packed - member.compress_size
                if packed < 0:
                    self._refuse(member, "it shares its bytes with others: a bomb?")
                if total > TOTAL:
                    self._refuse(member, f"with it, the images unpack to more than {TOTAL // 2**30} GiB")
            members[name] = member
        return _without_top(members)

    def _refuse(self, member: zipfile.ZipInfo, reason: str) -> None:
        raise DataError(
            f"'{self.path}' is refused for its member {typed(member.filename)}: {reason}; "
            "unpack what you trust, and give the folder"
        )


def misnamed(name: str) -> str:
    """Return the reason for rejecting a member's name, in an archive of any kind; empty if it is valid."""
    path = PureWindowsPath(name)  # handles drives, and both kinds of slashes
    return "its name leads out of the archive" if path.root or path.drive or ".." in path.parts else ""


def oversized(size: int) -> str:
    """Return the reason for rejecting a member's uncompressed size, in an archive of any kind; empty if it is valid."""
    return "" if 0 <= size <= MEMBER else f"it is of {size:,} bytes, unpacked; {MEMBER:,} are read at most"


def _is_image(name: PurePosixPath) -> bool:
    return name.suffix.lower() in EXTENSIONS


def _harm(member: zipfile.ZipInfo) -> str:
    """Return the reason for rejecting a member; empty if it is valid."""
    size, packed = member.file_size, member.compress_size
    if stat.S_ISLNK(member.external_attr >> 16):
        return "it is a link"
    if member.flag_bits & 0x1:
        return "it is encrypted"
    if member.compress_type not in METHODS:
        return "it is not compressed as ZIPs usually are"
    if reason := oversized(size):
        return reason
    if size > SMALL and size > RATIO * packed:
        return f"it unpacks to {size / max(1, packed):,.0f} times its size, more than {RATIO}: a bomb?"
    return ""


def _without_top(members: dict[PurePosixPath, zipfile.ZipInfo]) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Return the members relative to the folder that holds all of them, if there is one."""
    if not members or not _all_below(members, top := next(iter(members)).parts[0]):
        return members
    return {name.relative_to(top): member for name, member in members.items() if len(name.parts) > 1}


def _all_below(members: dict[PurePosixPath, zipfile.ZipInfo], top: str) -> bool:
    names: Iterable[PurePosixPath] = members
    return all(name.parts[0] == top and (len(name.parts) > 1 or members[name].is_dir()) for name in names)
