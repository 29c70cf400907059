"""`ganzoo bench`: how fast GANs train, make images, and are saved and taken up again."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

import ganzoo
from ganzoo.commands import AS_JSON, DATA_DIR, DEVICE, TARGET, gan_names, pairs, print_table, printable
from ganzoo.errors import OptionError, UserError, no_exit
from ganzoo_bench import checks

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganzoo_bench.results import Result

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a GAN may be called, and no file of results is."""


@click.command(params=[DATA_DIR])
@click.argument("words", metavar="MY-GAN|RESULT.json ...", nargs=-1, required=True, shell_complete=gan_names)
@DEVICE
@click.option("--smoke", is_flag=True, help="Tiny sizes and one round: try everything, measure nothing.")
@click.option(
    "-O",
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the GANs or of their training, in place of its default: batch_size=64, precision=fp32, "
    "compile=true, ...",
)
@click.option(
    "-o",
    "--out",
    type=TARGET,
    metavar="FILE.json",
    help="Keep what is measured; what is there is replaced.",
)
@click.option("--table", is_flag=True, help="Print the table of images per second as Markdown, for a README.")
@click.option(
    "--into",
    type=TARGET,
    metavar="README.md",
    help="Put it there, between <!-- benchmarks --> and <!-- /benchmarks -->.",
)
@AS_JSON
def bench(
    words: tuple[str, ...],
    device: str,
    smoke: bool,
    options: tuple[str, ...],
    out: Path | None,
    table: bool,
    into: Path | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Measure how fast GANs are, each at its own image size and batch; or show results that were kept.

    Training, generation, saving and resuming; and what CUDA graphs and compilation gain, where they are on.
    """
    from ganzoo_bench.results import parse, read

    gans = list(dict.fromkeys(word for word in words if NAME.fullmatch(word)))
    files = [Path(word) for word in words if not NAME.fullmatch(word)]
    checks.check(gans, out, smoke, as_json, table=table, into=into)
    with checks.understood():
        results = read(files, smoke=True)
    complaints: list[object] = []
    interrupted = False
    if gans:
        with no_exit():
            asked = checks.asked(gans, device, smoke, pairs(options, "--option"), data_dir)
        from ganzoo_bench.session import run

        with _told() as tell:
            measured = run(asked, tell)
        complaints += measured.failures
        interrupted = measured.interrupted
        if measured.content is not None:
            results += parse(measured.content)
            with _told_later(complaints):
                _keep(measured.content, out)
    with _told_later(complaints):
        _show(results, as_json, table, into, failed=bool(complaints) or interrupted)
    if interrupted:
        complaints.append("it was interrupted: what is not shown was not measured")
        click.echo(printable("\n".join(map(str, complaints))), err=True)
        raise KeyboardInterrupt
    if complaints:
        raise UserError("\n".join(map(str, complaints)))


@contextmanager
def _told_later(complaints: list[object]) -> Iterator[None]:
    """Has what goes wrong wait until all else is done: what was measured is shown, whatever cannot be written."""
    try:
        yield
    except UserError as error:
        complaints.append(error)


@contextmanager
def _told() -> "Iterator[Callable[[str, str], None]]":
    """Gives what says on a terminal what is measured next; while a clock runs, nothing is drawn there."""
    terminal, last = sys.stderr, ""

    def tell(gan: str, work: str) -> None:
        nonlocal last
        if not terminal.isatty():
            return
        begin = "" if gan == last else f"{gan}: " if not last else f"\n{gan}: "
        terminal.write(f"{begin or ', '}{work}")
        terminal.flush()
        last = gan

    yield tell
    if last:
        terminal.write("\n\n")


def _keep(content: object, out: Path | None) -> None:
    """Writes the file of results, where one is wanted.

    Raises:
        OptionError: it cannot be written any more.
    """
    if out is not None:
        _write(out, json.dumps(content, indent=2) + "\n", "--out")


def _write(file: Path, text: str, option: str) -> None:
    from ganzoo.base.io import write_atomically

    try:
        write_atomically(file, text)
    except OSError as error:
        raise OptionError(f"'{file}' cannot be written: {error.strerror or error}; give another {option}") from error


def _show(results: "list[Result]", as_json: bool, table: bool, into: Path | None, failed: bool) -> None:
    """Prints what was measured, in one form or another, and puts the table where it belongs.

    Args:
        results: what was measured.
        as_json: print it as numbers.
        table: print the table.
        into: the file that takes the table.
        failed: whether it is known why there may be nothing to show.

    Raises:
        UserError: there is no table, or it cannot be written; then it is printed.
    """
    from ganzoo_bench.results import WORK
    from ganzoo_bench.tables import insert, markdown

    results = [result for result in results if result.work in WORK and "gan" in result.facts]
    text = markdown([result for result in results if not result.facts.get("smoke")])
    if (table or into) and not text:
        if failed:
            return
        raise UserError("there is no table to make: no training was measured, nor images made")
    if as_json:
        click.echo(json.dumps([_fields(result) for result in results], indent=2))
    elif table:
        click.echo(printable(text))
    elif not into:
        _print(results)
    if into:
        try:
            with checks.understood():
                written = insert(into, text)
            _write(into, written, "--into")
        except UserError:
            if not (as_json or table):
                click.echo(printable(text))
            raise


def _fields(result: "Result") -> dict[str, object]:
    median, least, most = result.seconds
    spread = {"seconds": median, "seconds_min": least, "seconds_max": most, "rounds": result.stats["rounds"]}
    return {"work": result.work, "on": result.hardware, **result.facts, **spread}


def _print(results: "list[Result]") -> None:
    """A table for each GAN."""
    from ganzoo_bench.tables import table_of

    def head(result: "Result") -> str:
        words = f"{result.facts['gan']}: {result.images}, on {result.hardware}"
        return f"{words}; a smoke pass, which measures nothing" if result.facts.get("smoke") else words

    for title, part in groupby(results, head):
        click.echo(printable(title))
        rows = table_of(list(part))
        kept = [name for name in rows[0] if any(row[name] for row in rows)]
        print_table({name: row[name] for name in kept} for row in rows)
        click.echo()
    if results:
        click.echo("spread: the shortest and the longest round; memory: the most in use, of a GPU, else of the process")
    else:
        click.echo("nothing was measured")


@ganzoo.hookimpl
def register_commands(register: ganzoo.Register) -> None:
    register(bench)
