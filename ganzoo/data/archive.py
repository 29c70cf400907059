"""Where images are, as a data set sees it: below a folder, or in a ZIP that is read without being unpacked.

An archive comes from somebody else. What no honest one has is refused before anything is read: names that lead out of
it, links, encryption, and sizes that only a bomb has. Nothing of it is ever written to the disk.
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
"""Bytes of one file in an archive of any kind, unpacked, at most: 256 MiB."""
TOTAL = 256 * 2**30
"""Bytes of all images of an archive, unpacked, at most."""
RATIO = 200
"""How many times smaller than its content a member of more than `SMALL` bytes may be: drawings in a BMP come to 100."""
SMALL = 2**20
"""Bytes below which how well a member is compressed does not matter."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compression whose output can be held to a size while it is read."""
ARCHIVES = frozenset({".7z", ".bz2", ".gz", ".lz", ".rar", ".tar", ".tbz2", ".tgz", ".txz", ".xz", ".zst"})
"""What archives of other kinds are called, in lower case."""


class ImageFiles(ABC):
    """Image files by their names relative to where they are; to be closed when they are read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def names(self) -> list[PurePosixPath]:
        """The names of all images, sorted; nothing hidden."""

    @abstractmethod
    def folders(self) -> list[str]:
        """The names of the folders at the top, sorted."""

    @abstractmethod
    def open(self, name: PurePosixPath) -> Image.Image:
        """The picture of that name, decoded; from any thread.

        Raises:
            DataError: it is broken; it is named.
        """

    def close(self) -> None:  # noqa: B027 - a folder has nothing to close
        """Lets go of what is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def images_at(path: Path) -> ImageFiles:
    """The images of a folder, or of a ZIP.

    Raises:
        DataError: it is neither, or an archive that is broken or harmful.
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
    """Images in a ZIP. One that holds a single folder, and nothing beside it, is taken for that folder.

    Raises:
        DataError: it is broken, or has what an archive of images has not.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._file = zipfile.ZipFile(path)
        except Exception as error:  # zipfile raises whatever broken bytes make it trip over
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
            # Up to the size that it declares and was checked by, whatever is in it; then its checksum is compared.
            with self._lock, self._file.open(member) as stream:
                content = stream.read(member.file_size)
        except Exception as error:
            raise DataError(f"'{place}' cannot be read: {error}") from error
        return open_image(content, place)

    def close(self) -> None:
        self._file.close()

    def _checked(self) -> dict[PurePosixPath, zipfile.ZipInfo]:
        """The members by name, none of them hidden or harmful."""
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
    """Why a member of that name is refused, in an archive of any kind; empty: it is not."""
    path = PureWindowsPath(name)  # which knows drives, and both kinds of slashes
    return "its name leads out of the archive" if path.root or path.drive or ".." in path.parts else ""


def oversized(size: int) -> str:
    """Why a member of so many bytes, unpacked, is refused, in an archive of any kind; empty: it is not."""
    return "" if 0 <= size <= MEMBER else f"it is of {size:,} bytes, unpacked; {MEMBER:,} are read at most"


def _is_image(name: PurePosixPath) -> bool:
    return name.suffix.lower() in EXTENSIONS


def _harm(member: zipfile.ZipInfo) -> str:
    """What is wrong with a member that would be read; empty: nothing."""
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
    """The members as seen from the folder that holds all of them, if there is one."""
    if not members or not _all_below(members, top := next(iter(members)).parts[0]):
        return members
    return {name.relative_to(top): member for name, member in members.items() if len(name.parts) > 1}


def _all_below(members: dict[PurePosixPath, zipfile.ZipInfo], top: str) -> bool:
    names: Iterable[PurePosixPath] = members
    return all(name.parts[0] == top and (len(name.parts) > 1 or members[name].is_dir()) for name in names)
