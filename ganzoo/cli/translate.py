"""`ganzoo translate`: pictures made of pictures by a run folder."""

import warnings
from pathlib import Path

import rich_click as click

from ganzoo.commands import CHECKPOINT, DEVICE, OPTION, RUN, TARGET, pairs, stem
from ganzoo.errors import no_exit


@click.command()
@RUN
@click.argument("source", metavar="IMAGE|FOLDER|ZIP", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FOLDER|ZIP|FILE",
    help="Where to write: a folder or a .zip takes a PNG of the same name for each image; a single image may go to a "
    "picture file.  [default: ./IMAGE-RUN.png or ./FOLDER-RUN; with -2 behind it if that is there]",
)
@click.option(
    "--adapt", is_flag=True, help="First do to the images what --as did when this was trained: edges, a hole, ..."
)
@click.option("--skip-broken", is_flag=True, help="Leave broken images out, and name them.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Seed of the random numbers, where the GAN draws any.",
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=8, show_default=True, help="How many are translated at once."
)
@OPTION
@CHECKPOINT
@DEVICE
def translate(
    run: Path,
    source: Path,
    out: Path | None,
    adapt: bool,
    skip_broken: bool,
    seed: int,
    batch_size: int,
    options: tuple[str, ...],
    checkpoint: str,
    device: str,
) -> None:
    """Translate images, of any size and kind, with the GAN trained in the folder RUN, or the pretrained GAN called RUN.

    A folder is translated with those below it. An image is scaled until it covers the size that the GAN was trained
    on, and what hangs over is cut off; a GAN that enlarges images takes them as they are.
    """
    from ganzoo.cli.progress import shown
    from ganzoo.loading import load_trained
    from ganzoo.pictures import to_picture
    from ganzoo.sampling.input_files import OneImage, Originals, originals_at
    from ganzoo.sampling.output_files import free_target

    with no_exit(), warnings.catch_warnings(), originals_at(source) as images:
        warnings.simplefilter("ignore")  # Pillow's, of files that it can read all the same
        trained = load_trained(run, device, None, pairs(options, "--option"), checkpoint)
        out = out or free_target(f"{stem(source)}-{stem(run)}", ".png" if isinstance(images, OneImage) else "")
        originals = Originals(images, source)
        made = trained.translate_pictures(originals.pictures(skip_broken), seed, batch_size, adapt=adapt)
        with originals.written(out) as put:
            if not skip_broken:
                originals.check()
            for (image,) in shown(([image] for image in made), len(originals.names), "images"):
                put(to_picture(image))
    for note in originals.notes:
        click.echo(note, err=True)
    for target in originals.targets:
        click.echo(target)


COMMANDS = [translate]
