"""`ganzoo generate` and `ganzoo translate`: pictures from a run folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ganzoo.cli.parts import CHECKPOINT, DEVICE, RUN
from ganzoo.errors import no_exit

if TYPE_CHECKING:
    from PIL import Image


@click.command()
@RUN
@click.option("-n", "--count", type=click.IntRange(1), default=64, show_default=True, help="How many images.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Another seed, other images."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE|FOLDER",
    help="A file takes all images in one grid; a folder takes a file for each.",
)
@click.option("--text", multiple=True, metavar="CAPTION", help="What to show; several are taken in turn.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME|NUMBER",
    help="Of which class; several are taken in turn.  [default: all]",
)
@click.option(
    "-O",
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the GAN that only changes how images are made, such as truncation=0.7.",
)
@CHECKPOINT
@DEVICE
def generate(
    run: Path,
    count: int,
    seed: int,
    out: Path,
    text: tuple[str, ...],
    classes: tuple[str, ...],
    options: tuple[str, ...],
    checkpoint: str,
    device: str,
) -> None:
    """Make new images with the GAN that was trained in the folder RUN."""
    from ganzoo import pictures
    from ganzoo.api import take_up

    file = pictures.picture_file(out)
    with no_exit():
        trained = take_up(run, device, None, _values(options), checkpoint)
        made = trained.generate(count, seed, text=text or None, classes=classes or None)
    if file:
        columns = pictures.columns_of(count, max(len(text), len(classes)))  # a column shows one text, or one class
        _save(pictures.grid(made, columns), out)
    else:
        for number, image in enumerate(made):
            _save(pictures.to_picture(image), out / f"{number:05}.png")
    click.echo(out)


@click.command()
@RUN
@click.argument("source", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Takes a PNG for each image."
)
@CHECKPOINT
@DEVICE
def translate(run: Path, source: Path, out: Path, checkpoint: str, device: str) -> None:
    """Translate images with the GAN that was trained in the folder RUN."""
    from ganzoo import pictures
    from ganzoo.api import take_up
    from ganzoo.data.images import existing_folder, find_images, open_image
    from ganzoo.errors import DataError

    with no_exit():
        trained = take_up(run, device, None, {}, checkpoint)
    files = [source] if source.is_file() else find_images(existing_folder(source))
    if not files:
        raise DataError(f"there is no image in '{source}'")
    targets = _targets(files, source, out)
    if trained.takes_images:
        for file in files:  # a broken one is named before the first is written
            open_image(file)
    with no_exit():
        for target, image in zip(targets, trained.translate_files(files), strict=True):
            _save(pictures.to_picture(image), target)
            click.echo(target)


def _values(options: tuple[str, ...]) -> dict[str, object]:
    """NAME=VALUE as names and values.

    Raises:
        OptionError: one is no such pair.
    """
    from ganzoo.errors import OptionError, typed

    values: dict[str, object] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not (name and equals):
            raise OptionError(f"option '--option' cannot be {typed(option)}; write NAME=VALUE")
        values[name.replace("-", "_")] = value
    return values


def _targets(files: list[Path], source: Path, out: Path) -> list[Path]:
    """Where the translation of each file goes.

    Raises:
        DataError: two would go to one place, or one to where a source is.
    """
    from ganzoo.errors import DataError

    origins: dict[Path, Path] = {}
    taken = {file.resolve() for file in files}
    for file in files:
        target = out / (file.relative_to(source) if source.is_dir() else Path(file.name)).with_suffix(".png")
        if target in origins:
            raise DataError(f"'{origins[target]}' and '{file}' would both become '{target}'; rename one")
        if target.resolve() in taken:
            raise DataError(f"'{target}' would be overwritten by its translation; give another folder as --out")
        origins[target] = file
    return list(origins)


def _save(picture: "Image.Image", file: Path) -> None:
    """Writes a picture.

    Raises:
        OptionError: there is no such place, or the format cannot hold it.
    """
    from ganzoo import pictures
    from ganzoo.errors import OptionError

    try:
        pictures.save(picture, file)
    except (OSError, KeyError) as error:  # a KeyError is Pillow's word for a format that it only reads
        reason = f"{file.suffix} can only be read" if isinstance(error, KeyError) else error.strerror or error
        raise OptionError(f"'{file}' cannot be written: {reason}; give another --out, such as images.png") from error


COMMANDS = [generate, translate]
