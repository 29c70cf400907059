"""What commands share, ganzoo's own and those of plugins: arguments, options, completion, and tables.

Importing it costs as little as `ganzoo --help` may: neither torch nor the zoo.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ganzoo.errors import OptionError, typed

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "AS_JSON",
    "CHECKPOINT",
    "DATA_DIR",
    "DEVICE",
    "OPTION",
    "RUN",
    "TARGET",
    "gan_names",
    "pairs",
    "print_rows",
    "print_table",
    "printable",
    "runs",
]


def gan_names(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the name of a GAN: `shell_complete=gan_names`."""
    from click.shell_completion import CompletionItem

    gans = _known()["gans"]
    return [CompletionItem(name, help=gans[name]["help"]) for name in gans if name.startswith(incomplete)]


def pretrained_names(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The pretrained GANs whose names begin so."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help="pretrained") for name in _known()["pretrained"] if name.startswith(incomplete)]


def runs_and_pretrained(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Both run folders and pretrained GANs, of which only those without a separator in their names are names."""
    folders = run_folders(ctx, parameter, incomplete)
    names = pretrained_names(ctx, parameter, incomplete) if incomplete and os.sep not in incomplete else []
    return [*names, *(folder for folder in folders if not names or folder.type != "dir")]


def run_folders(_: click.Context, __: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """The run folders whose paths begin so, or lie in a folder whose path does; else the shell's own choice."""
    from click.shell_completion import CompletionItem

    typed = Path(incomplete or ".")
    parent, stem = (typed, "") if incomplete.endswith(os.sep) or not incomplete else (typed.parent, typed.name)
    found: list[str] = []
    with suppress(OSError):
        for path in sorted(path for path in parent.iterdir() if path.name.startswith(stem) and path.is_dir()):
            inside = [path, *sorted(path.iterdir())]
            found += [str(run) for run in inside if (run / "config.json").is_file()]
    if not found:
        return [CompletionItem(incomplete, type="dir")]
    return [CompletionItem(path) for path in found]


def _known() -> dict[str, Any]:
    from ganzoo.cli.completion import known  # which asks the zoo, and keeps what it says

    return known()


RUN = click.argument("run", type=click.Path(path_type=Path), shell_complete=runs_and_pretrained)
"""The argument `run`: a run folder, an export, or the name of a pretrained GAN."""


def runs(metavar: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The argument `runs`: several run folders, at least one.

    Args:
        metavar: its form in `--help`, which shows how many there must be: `RUN [RUN ...]`.
    """
    kind = click.Path(path_type=Path)
    return click.argument(
        "runs", metavar=metavar, nargs=-1, required=True, type=kind, shell_complete=runs_and_pretrained
    )


DEVICE = click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
"""The option `--device`."""
CHECKPOINT = click.option(
    "--checkpoint",
    default="newest",
    show_default=True,
    metavar="newest|best|ITERATION",
    help="Which weights: the newest checkpoint's, those that scored best on the metric watched in training, or those "
    "of an iteration.",
)
"""The option `--checkpoint`, as `ganzoo.load` takes it."""


class Target(click.Path):
    """A path to write to."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A path; an empty word is a variable of the shell's that is not set, and nothing here goes to a pipe."""
        if value in ("", "-"):
            option = param.opts[-1] if param else "--out"
            raise OptionError(f"option '{option}' cannot be '{value}'; give the name of a file or a folder")
        return super().convert(value, param, ctx)


TARGET = Target(path_type=Path)
"""The type of an option such as `--out`: a path to write to, and neither an empty word nor `-`."""

OPTION = click.option(
    "-O",
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the GAN that only changes how images are made, such as truncation=0.7.",
)
"""The option `-O NAME=VALUE`, given as `options`: see `pairs`."""
DATA_DIR = click.Option(
    ["--data-dir"],
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where downloads are kept.  [default: GANZOO_DATA or the user's cache]",
)
"""The option `--data-dir`: `@click.command(params=[DATA_DIR])`."""
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
"""The switch `--json`, given as `as_json`."""

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def stem(path: Path) -> str:
    """What a file is called that is made from a run folder, or from a picture, unless it is named."""
    return path.resolve().stem or "images"


def pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """Names and values of words like NAME=VALUE; the last of a name counts.

    Args:
        words: as they were typed.
        option: the option that took them, for the error: `--option`.

    Raises:
        OptionError: one is no such pair.
    """
    values = {}
    for pair in words:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise OptionError(f"option '{option}' cannot be {typed(pair)}; write NAME=VALUE")
        values[name.replace("-", "_") if option == "--option" else name] = value
    return values


def printable(text: object, most: int | None = None) -> str:
    """Text without control characters: names and contents of files may hold commands to the terminal.

    Args:
        text: its lines stay lines.
        most: letters to keep, at most.
    """
    line = "".join(letter if letter.isprintable() or letter == "\n" else UNPRINTABLE for letter in str(text))
    return line if most is None or len(line) <= most else f"{line[: most - 3]}..."


def print_rows(rows: Sequence[dict[str, object]], as_json: bool) -> None:
    """Print rows as a table, or as a JSON list."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        print_table(rows)


def print_table(rows: Iterable[dict[str, object]]) -> None:
    """Print rows under the names of their columns, which are the same in all rows."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)  # whatever they hold, nothing of it is a command to the terminal
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0] if rows else ["none"]:
        table.add_column(Text(printable(name)))
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row.values()))
    terminal = Console()
    # What no person looks at is read line by line: there, no row of the table is broken into several.
    (terminal if terminal.is_terminal else Console(width=1000)).print(table)
