"""Input images of translations, and output files with the same names."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from PIL import Image

from ganzoo.base.system import available_cores
from ganzoo.data.archive import ARCHIVES, ImageFiles, images_at
from ganzoo.data.images import SEVERAL, open_image
from ganzoo.errors import DataError, OptionError
from ganzoo.sampling import output_files

Put: TypeAlias = Callable[[Image.Image], None]


class OneImage(ImageFiles):
    """Single image file."""

    def names(self) -> list[PurePosixPath]:
        return [PurePosixPath(self.path.name)]

    def folders(self) -> list[str]:
        return []

    def open(self, name: PurePosixPath) -> Image.Image:
        return open_image(self.path)


def originals_at(source: Path) -> ImageFiles:
    """Return the images of a folder or ZIP, or a single one.

    Raises:
        DataError: if it is none of them.
    """
    is_one = source.is_file() and source.suffix.lower() not in ARCHIVES | {".zip"}
    return OneImage(source) if is_one else images_at(source)


class Originals:
    """Input images by name; outputs are PNGs with the same names.

    Raises:
        DataError: if there are no images.
    """

    def __init__(self, images: ImageFiles, source: Path) -> None:
        self.images = images
        self.source = source
        self.names = images.names()
        self.targets: list[Path] = []
        """Written files, in order."""
        self.notes: list[str] = []
        """Remarks about skipped images, and about animations with only the first frame used."""
        self._taken: list[PurePosixPath] = []
        if not self.names:
            raise DataError(f"there is no image in '{source}'")

    def check(self) -> None:
        """Decode all images once, in threads, so that a broken one is reported before any translation.

        Raises:
            DataError: naming the first broken image.
        """
        if len(self.names) > 1:  # a single one is decoded anyway
            with ThreadPoolExecutor(available_cores()) as pool:
                for _ in pool.map(self._decodes, self.names):
                    pass

    def _decodes(self, name: PurePosixPath) -> None:
        self.images.open(name)

    def pictures(self, skip_broken: bool) -> Iterator[Image.Image]:
        """Yield the images in turn; of an animation, the first frame.

        Args:
            skip_broken: whether to skip broken images.

        Raises:
            DataError: if one is broken and `skip_broken` is false, or if all are.
        """
        first = ""
        for name in self.names:
            try:
                picture = self.images.open(name)
            except DataError as error:
                if not skip_broken:
                    raise
                first = first or str(error)
                self.notes.append(f"left out: {error}")
                continue
            if SEVERAL in picture.info:
                self.notes.append(f"'{picture.info[SEVERAL]}' has several frames: only the first is used")
            self._taken.append(name)
            yield picture
        if not self._taken:
            raise DataError(f"all {len(self.names)} images in '{self.source}' are broken; the first: {first}")

    @contextmanager
    def written(self, out: Path) -> Iterator[Put]:
        """Yield a function that saves the outputs in turn; files appear on exit.

        Raises:
            UserError: if two outputs have the same path, one would overwrite an input, or writing fails.
        """
        if self._checked_picture(out):
            made: list[Image.Image] = []
            yield made.append
            output_files.write_picture(out, made.pop)
            self.targets = [out]
            return
        places, done = self._places(out), 0

        def put_next(picture: Image.Image) -> None:
            nonlocal done
            put(self._taken[done].with_suffix(".png"), picture)
            done += 1

        with output_files.files(out) as put:
            yield put_next
        self.targets = [out] if output_files.is_zip(out) else [places[name] for name in self._taken]

    def _checked_picture(self, out: Path) -> bool:
        """Whether the path is that of a single image, not of a folder or ZIP.

        Raises:
            UserError: if it is one file for several images, of another kind, or an input.
        """
        count, is_file = len(self.names), bool(out.suffix) and not (out.is_dir() or output_files.is_zip(out))
        other = {".npz": "an array", ".mp4": "a film"}.get(out.suffix.lower())
        if is_file and other:
            png = out.with_suffix(".png")
            raise OptionError(f"'{out}' would be {other}; give a folder, a .zip or, for one picture, {png} as --out")
        if is_file and count > 1:
            raise OptionError(f"'{out}' is one file, and there are {count} to translate; give a folder or a .zip")
        if output_files.kind_of(out) != "picture":
            return False
        self._check_apart(out, {self.source.resolve()})
        return True

    def _places(self, out: Path) -> dict[PurePosixPath, Path]:
        """Return the output path of each image in a folder."""
        origins: dict[Path, Path] = {}
        files = {name: self.source / name if self.source.is_dir() else self.source for name in self.names}
        taken = {file.resolve() for file in files.values()}
        for name, file in files.items():
            target = out / name.with_suffix(".png")
            if target in origins:
                raise DataError(f"'{origins[target]}' and '{file}' would both become '{target}'; rename one")
            origins[target] = file if self.source.is_dir() else Path(name)
            self._check_apart(target, taken)
        self._check_apart(out, taken)  # a ZIP
        return dict(zip(files, origins, strict=True))

    def _check_apart(self, target: Path, taken: set[Path]) -> None:
        if target.resolve() in taken:
            raise DataError(f"'{target}' would be overwritten by its translation; give another folder as --out")
