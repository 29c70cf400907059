"""`ganzoo generate` and `ganzoo translate`: pictures from a run folder."""

from pathlib import Path

import rich_click as click

RUN = click.argument("run", type=click.Path(path_type=Path))
DEVICE = click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")


@click.command()
@RUN
@click.option("-n", "--count", type=click.IntRange(1), default=64, show_default=True, help="How many images.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, other images.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE|FOLDER",
    help="A file takes all images in one grid; a folder takes a file for each.",
)
@DEVICE
def generate(run: Path, count: int, seed: int, out: Path, device: str) -> None:
    """Make new images with the GAN that was trained in the folder RUN."""
    from ganzoo import images
    from ganzoo.api import load

    file = images.picture_file(out)
    made = load(run, device=device).generate(count, seed)
    if file:
        images.save(images.grid(made, columns=max(1, round(count**0.5))), out)
    else:
        for number, image in enumerate(made):
            images.save(images.to_picture(image), out / f"{number:05}.png")
    click.echo(out)


@click.command()
@RUN
@click.argument("source", metavar="IMAGE|FOLDER", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Takes a PNG for each image."
)
@DEVICE
def translate(run: Path, source: Path, out: Path, device: str) -> None:
    """Translate images with the GAN that was trained in the folder RUN."""
    from ganzoo import images
    from ganzoo.api import load
    from ganzoo.data.images import existing_folder, find_images
    from ganzoo.errors import DataError

    trained = load(run, device=device)
    files = [source] if source.is_file() else find_images(existing_folder(source))
    if not files:
        raise DataError(f"there is no image in '{source}'")
    for file, image in zip(files, trained.translate_files(files), strict=True):
        target = out / (file.relative_to(source) if source.is_dir() else Path(file.name)).with_suffix(".png")
        images.save(images.to_picture(image), target)
        click.echo(target)


COMMANDS = [generate, translate]
