"""`ganzoo report`: what a run left behind, as a page."""

from pathlib import Path

import rich_click as click

import ganzoo
from ganzoo.commands import CHECKPOINT, DEVICE, TARGET, runs
from ganzoo.errors import no_exit


@click.command()
@runs("RUN [RUN ...]")
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FILE",
    help="The page; what is there is replaced.  [default: report.html in RUN; of a pretrained GAN ./RUN.html, of "
    "several runs ./comparison.html]",
)
@click.option(
    "--text", multiple=True, metavar="CAPTION", help="What the interpolation is to show, if captions are needed."
)
@CHECKPOINT
@DEVICE
def report(runs: tuple[Path, ...], out: Path | None, text: tuple[str, ...], checkpoint: str, device: str) -> None:
    """Write a page about the run in the folder RUN; several are set side by side.

    One HTML file that needs no network: samples, losses, metrics and their protocol, an interpolation, configuration,
    environment and command.
    """
    from ganzoo_report import write

    with no_exit():
        click.echo(write(runs, out, checkpoint=checkpoint, device=device, text=text))


@ganzoo.hookimpl
def register_commands(register: ganzoo.Register) -> None:
    register(report)
