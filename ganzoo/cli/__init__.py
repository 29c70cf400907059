"""The command line. Its modules import torch and the plugins only when a command needs them."""

import errno
import io
import os
import sys
import warnings
from pathlib import Path

import rich_click as click

from ganzoo.base.deprecation import GanzooDeprecationWarning
from ganzoo.cli import catalogue, completion, evaluate, generate, pretrained, runs, train, translate
from ganzoo.cli.completion import PLUGINS
from ganzoo.cli.interrupts import stoppable
from ganzoo.cli.plugin_commands import Root
from ganzoo.cli.worker import one_of_several
from ganzoo.commands import printable
from ganzoo.errors import Diverged, OptionError, UserError, typed

PLUGIN = "--plugin"
PLACES = {
    errno.ENAMETOOLONG: "is too long to be the name of a file",
    errno.EACCES: "may not be looked at: permission denied",
}
"""What Python says of some paths wherever it is asked whether they exist."""


def _use_plugins(ctx: click.Context, _: click.Parameter, plugin: tuple[str, ...]) -> None:
    """Has this process, and those started from it, find the files: by way of the environment.

    Raises:
        OptionError: one is missing.
    """
    for file in plugin:
        if not ctx.resilient_parsing and not Path(file).is_file():
            raise OptionError(f"there is no plugin file '{file}'")
    files = [file for file in (os.environ.get(PLUGINS), *plugin) if file]
    if files:
        os.environ[PLUGINS] = os.pathsep.join(files)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(None, "--version", package_name="ganzoo")
@click.option(
    PLUGIN,
    multiple=True,
    metavar="FILE",
    help="Load a plugin from a loose file; anywhere on the line.",
    is_eager=True,  # the file may bring the command that follows, and be shown by --help
    expose_value=False,
    callback=_use_plugins,
)
def root() -> None:
    """A zoo of generative adversarial networks: train one, and make pictures with it."""


for module in (
    catalogue,
    pretrained,
    train,
    generate,
    translate,
    evaluate,
    runs,
    completion,
):
    for command in module.COMMANDS:
        root.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """The command `ganzoo`. A user's mistake is shown in a line or two and ends with status 2, divergence with 1."""
    words = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it has no letters for ends no training
    if not sys.warnoptions:  # else whoever started Python has said what is shown
        warnings.filterwarnings("default", category=GanzooDeprecationWarning)  # which Python hides by itself
    try:
        with one_of_several() if "RANK" in os.environ else stoppable():
            plugins, rest = _plugins_apart(words)
            root.main([*plugins, *rest], prog_name="ganzoo", obj=rest)
    except (UserError, Diverged) as error:
        click.echo(f"Error: {printable(error)}", err=True)
        sys.exit(2 if isinstance(error, UserError) else 1)
    except OSError as error:
        if error.errno not in PLACES or not error.filename:  # all else is said where more is known of it
            raise
        click.echo(f"Error: {printable(typed(error.filename))} {PLACES[error.errno]}", err=True)
        sys.exit(2)


def _plugins_apart(words: list[str]) -> tuple[list[str], list[str]]:
    """`--plugin FILE`, which comes before the command, as that may be one that the file brings; and the rest.

    Raises:
        OptionError: the file is missing.
    """
    first: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == PLUGIN:
            following = next(remaining, None)
            if following is None:
                raise OptionError(f"option '{PLUGIN}' needs a file: {PLUGIN} FILE")
            first += [word, following]
        else:
            (first if word.startswith(f"{PLUGIN}=") else rest).append(word)
    return first, rest
