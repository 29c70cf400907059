"""What several commands share: arguments, options, and tables."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from ganzoo.cli.completion import runs_and_pretrained
from ganzoo.errors import OptionError, typed
from ganzoo.errors import check_installed as check_installed  # for bench

RUN = click.argument("run", type=click.Path(path_type=Path), shell_complete=runs_and_pretrained)


def runs(metavar: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The argument of commands that take several run folders.

    Args:
        metavar: how it is shown, which says how many there must be.
    """
    kind = click.Path(path_type=Path)
    return click.argument(
        "runs", metavar=metavar, nargs=-1, required=True, type=kind, shell_complete=runs_and_pretrained
    )


DEVICE = click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
CHECKPOINT = click.option(
    "--checkpoint",
    default="newest",
    show_default=True,
    metavar="newest|best|ITERATION",
    help="Which weights: the newest checkpoint's, those that scored best on the metric watched in training, or those "
    "of an iteration.",
)


class Target(click.Path):
    """Where something is to be written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A path; an empty word is a variable of the shell's that is not set, and nothing here goes to a pipe."""
        if value in ("", "-"):
            option = param.opts[-1] if param else "--out"
            raise OptionError(f"option '{option}' cannot be '{value}'; give the name of a file or a folder")
        return super().convert(value, param, ctx)


TARGET = Target(path_type=Path)

OPTION = click.option(
    "-O",
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the GAN that only changes how images are made, such as truncation=0.7.",
)
DATA_DIR = click.Option(
    ["--data-dir"],
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where downloads are kept.  [default: GANZOO_DATA or the user's cache]",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def stem(path: Path) -> str:
    """What a file is called that is made from a run folder, or from a picture, unless it is named."""
    return path.resolve().stem or "images"


def pairs(said: Sequence[str], option: str) -> dict[str, str]:
    """NAME=VALUE as names and values; what is said last counts.

    Raises:
        OptionError: one is no such pair.
    """
    values = {}
    for pair in said:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise OptionError(f"option '{option}' cannot be {typed(pair)}; write NAME=VALUE")
        values[name.replace("-", "_") if option == "--option" else name] = value
    return values


def printable(text: object, most: int | None = None) -> str:
    """Names of files and what is in them may be anything, such as commands to the terminal; lines stay lines.

    Args:
        text: what is to be shown.
        most: so many letters of it at most.
    """
    line = "".join(letter if letter.isprintable() or letter == "\n" else UNPRINTABLE for letter in str(text))
    return line if most is None or len(line) <= most else f"{line[: most - 3]}..."


def print_rows(rows: Sequence[dict[str, object]], as_json: bool) -> None:
    """Prints a table, or the same as a JSON list."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        print_table(rows)


def print_table(rows: Iterable[dict[str, object]]) -> None:
    """Prints rows under the names of their columns, all rows having the same."""
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
