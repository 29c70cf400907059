"""`ganzoo serve`: a page to play with what was trained."""

import contextlib
import re
from pathlib import Path

import rich_click as click

import ganzoo
from ganzoo.commands import CHECKPOINT, DEVICE, OPTION, RUN, pairs
from ganzoo.errors import OptionError, check_installed, no_exit, typed

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
SIZE = re.compile(r"([0-9]{1,9})\s*([KMG]?)i?B?", re.IGNORECASE)


@click.command()
@RUN
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Whom it answers: 127.0.0.1: this computer; 0.0.0.0: everyone on the network, without password.",
)
@click.option(
    "--port", type=click.IntRange(0, 2**16 - 1), default=7860, show_default=True, help="0 takes any that is free."
)
@click.option("--queue", type=click.IntRange(1), default=32, show_default=True, help="How many requests may wait.")
@click.option("--max-upload", default="10MB", show_default=True, metavar="SIZE", help="How large a picture may be.")
@click.option("--open/--no-open", "opens", default=False, help="Open the page in a browser.  [default: no-open]")
@OPTION
@CHECKPOINT
@DEVICE
def serve(
    run: Path,
    host: str,
    port: int,
    queue: int,
    max_upload: str,
    opens: bool,
    options: tuple[str, ...],
    checkpoint: str,
    device: str,
) -> None:
    """Play with the GAN that was trained in the folder RUN, on a page in the browser."""
    most_bytes = _parsed_size(max_upload)
    told = pairs(options, "--option")
    check_installed("the page", "web", "gradio")
    from ganzoo_serve.server import server, take

    place = take(host, port)  # before the GAN, which may take long to load
    with contextlib.closing(place.socket):
        with no_exit():
            trained = ganzoo.load(run, device=device, checkpoint=checkpoint).with_options(told)
        from ganzoo_serve.maker import PageBackend
        from ganzoo_serve.page import page

        serving = server(page(PageBackend(trained, most_bytes), queue), place, most_bytes, queue)
        click.echo(f"{trained.gan.name} of {run}{_standing(trained)}: {place.url} for {place.reach}; Ctrl-C ends it")
        if opens:
            click.launch(place.url)
        with contextlib.suppress(KeyboardInterrupt):  # the server has ended what was under way
            serving.run(sockets=[place.socket])
    click.echo("stopped")


def _parsed_size(size: str) -> int:
    """A size as people write it: 500KB, 10MB.

    Raises:
        OptionError: it is none.
    """
    found = SIZE.fullmatch(size.strip())
    if found is None or int(found[1]) == 0:
        raise OptionError(f"option '--max-upload' cannot be {typed(size)}: write a size, such as 10MB")
    return int(found[1]) * UNITS[found[2].upper()]


def _standing(trained: "ganzoo.TrainedGAN") -> str:
    """The iteration of its weights, and how that stands with the run: words for the line that is printed."""
    from ganzoo.run_folders import inspect_run

    run = inspect_run(trained.folder.resolve())
    words = f" at iteration {trained.iteration:,}"
    if run.state in ("running", "stopped", "failed") and run.epoch is not None and run.epochs:
        words += f" (the run is not finished: {run.epoch:g} of {run.epochs} epochs)"
    return words


@ganzoo.hookimpl
def register_commands(register: ganzoo.Register) -> None:
    register(serve)
