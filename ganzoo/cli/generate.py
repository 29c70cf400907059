"""`ganzoo generate`: pictures and films from a run folder."""

from pathlib import Path
from typing import Any

import rich_click as click

from ganzoo.commands import CHECKPOINT, DEVICE, OPTION, RUN, TARGET, pairs, stem
from ganzoo.errors import no_exit


@click.command()
@RUN
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1),
    help="How many images; with --interpolate, how many walks side by side.  [default: 64, or 1 walk]",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Another seed, other images."
)
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FILE|FOLDER",
    help="A picture takes all images in one grid; a folder or a .zip takes a PNG for each, a .npz an array; a .gif, "
    ".webp or .mp4 takes a film.  [default: ./RUN.png, of a walk ./RUN.gif; RUN-2 if that is there]",
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
    "--truncation",
    type=float,
    metavar="NUMBER",
    help="How far from the middle images may be: the less, the more alike and often the better. The GAN's own option "
    "of that name, if it has one (1 changes nothing); else its noise is cut off there (3 changes little).",
)
@click.option(
    "--codes",
    multiple=True,
    metavar="NAME=VALUE",
    help="A code in the noise, for a GAN that has such. Several values (0,3,5 or -1..1 or -1..1:7) are laid out in "
    "columns; with two such codes the first one's are laid out in rows.",
)
@click.option("--interpolate", type=int, metavar="POINTS", help="Walk through so many images, and back to the first.")
@click.option(
    "--frames",
    type=int,
    help="Images of such a walk.  [default: 120, or one for each point if these are more; in a picture two]",
)
@click.option("--fps", type=click.IntRange(1, 120), help="Frames of a film in a second.  [default: 25]")
@click.option("--open", "is_open", is_flag=True, help="End the walk at its last image.")
@click.option("--columns", type=click.IntRange(1), help="Images in a row of the grid.")
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="How many are made at once.")
@OPTION
@CHECKPOINT
@DEVICE
def generate(run: Path, out: Path | None, options: tuple[str, ...], checkpoint: str, device: str, **asked: Any) -> None:
    """Make new images with the GAN that was trained in the folder RUN, or with the pretrained GAN called RUN."""
    from ganzoo.cli.generate_request import Generation
    from ganzoo.loading import load_trained
    from ganzoo.sampling.output_files import free_target

    out = out or free_target(stem(run), ".png" if asked["interpolate"] is None else ".gif")
    wish = Generation(out=out, **asked)
    wish.check()
    with no_exit():
        wish.make(load_trained(run, device, None, pairs(options, "--option"), checkpoint))
    click.echo(out)


COMMANDS = [generate]
