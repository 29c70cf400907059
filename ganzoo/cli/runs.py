"""`ganzoo runs` and `ganzoo runs prune`: what there is under a folder, and what of it may go."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ganzoo.commands import AS_JSON, UNPRINTABLE, print_table, printable
from ganzoo.errors import OptionError, RunFolderError

if TYPE_CHECKING:
    from ganzoo.runs.listing import FoundRun
    from ganzoo.runs.retention import Prunable

RUNS = Path("runs")
"""As in ganzoo.training.run, which imports torch."""
FOLDER = click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))


class RunsGroup(click.RichGroup):
    """`ganzoo runs FOLDER` is `ganzoo runs list FOLDER`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named or ctx.resilient_parsing else ["list", *args])


@click.group("runs", cls=RunsGroup, subcommand_metavar="[FOLDER] [--json] | prune [FOLDER] [OPTIONS]")
def runs_group() -> None:
    """The runs under a folder, and what of them may go.

    `ganzoo runs [FOLDER]` lists them: state, GAN, data, progress, figures, size on disk. FOLDER is runs/ unless given.
    """


@runs_group.command("list")
@FOLDER
@AS_JSON
def list_runs(folder: Path | None, as_json: bool) -> None:
    """List the runs under FOLDER (runs/ unless given), the latest first."""
    found = _found(folder)
    if as_json:
        click.echo(json.dumps([_values(run) for run in found], indent=2))
        return
    if not found:
        click.echo(f"there is no run in {folder or RUNS}")
        return
    now = datetime.now(UTC)
    print_table(_without_empty([_row(run, now) for run in found]))
    for run in found:
        if run.note:  # too long for a column
            click.echo(f"{_printable(run.path)} {run.state}: {_printable(run.note)}")
    click.echo(f"{_count(len(found), 'run')}, {_shown_size(sum(run.size for run in found))}")


@runs_group.command("prune")
@FOLDER
@click.option(
    "--keep", type=click.IntRange(1), default=1, show_default=True, help="So many of the newest checkpoints stay."
)
@click.option("--milestones", is_flag=True, help="Remove also the checkpoints that --keep-every kept.")
@click.option("--failed", is_flag=True, help="Remove runs, wholly, that failed before their first checkpoint.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def prune_runs(
    folder: Path | None, keep: int, milestones: bool, failed: bool, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Free space below FOLDER (runs/ unless given), after asking.

    Of every run that is not running the newest whole checkpoint stays, that which was judged best, and those that
    --keep-every kept. Other checkpoints go, and what was damaged or half-written. Samples, figures and logs stay.
    """
    from ganzoo.runs.retention import Prunable, Rule, carry_out, plan

    if as_json and not (dry_run or yes):
        raise OptionError("with --json nothing is asked; add --dry-run to look, or --yes to remove")
    rule = Rule(keep, not milestones, not failed)
    plans = [plan(run, rule) for run in _found(folder)]
    going = [planned for planned in plans if planned.paths]
    if not as_json:
        _print_plans(plans)
    removes = bool(going) and not dry_run and (yes or _agreed(going))
    problems = {}
    for planned in going if removes else ():
        try:
            carry_out(planned, rule)
        except RunFolderError as error:
            problems[planned.run] = str(error)
    if as_json:
        done = [Prunable(each.run, note=problems[each.run]) if each.run in problems else each for each in plans]
        click.echo(json.dumps([_plan_values(each) for each in done if each.paths or each.note], indent=2))
    if problems:
        raise RunFolderError("\n".join(map(_printable, problems.values())))
    if removes and not as_json:
        click.echo(f"freed {_shown_size(sum(planned.size for planned in going))}")


def _found(folder: Path | None) -> "list[FoundRun]":
    from ganzoo.runs.listing import find_runs

    return find_runs(folder or RUNS) if folder or RUNS.exists() else []


def _agreed(going: "list[Prunable]") -> bool:
    """Whether a person says yes.

    Raises:
        OptionError: there is none.
    """
    if not sys.stdin.isatty():
        raise OptionError("there is no terminal to ask on, and nothing was removed; add --yes to remove it unasked")
    size = _shown_size(sum(planned.size for planned in going))
    return click.confirm(f"Remove this from {_count(len(going), 'run')}, {size}?")


def _print_plans(plans: "list[Prunable]") -> None:
    going = [planned for planned in plans if planned.paths]
    if going:
        print_table(
            {"run": _printable(planned.run), "goes": planned.what, "size": _shown_size(planned.size)}
            for planned in going
        )
        click.echo(f"\n{_shown_size(sum(planned.size for planned in going))} of {_count(len(plans), 'run')}")
    else:
        click.echo("there is nothing to remove")
    for planned in plans:
        if planned.note:
            click.echo(f"left alone: {_printable(planned.run)}: {_printable(planned.note)}")


def _plan_values(planned: "Prunable") -> dict[str, object]:
    return {
        "run": str(planned.run),
        "removes": [str(path.relative_to(planned.run)) for path in planned.paths],
        "wholly": planned.wholly,
        "bytes": planned.size,
        "note": planned.note,
    }


def _values(run: "FoundRun") -> dict[str, object]:
    measured = run.measured
    return {
        "run": str(run.path),
        "state": run.state,
        "gan": run.gan,
        "data": run.data,
        "iteration": run.iteration,
        "iterations": run.iterations,
        "epoch": run.epoch,
        "epochs": run.epochs,
        "checkpoint": run.checkpoint,
        "metric": measured.metric if measured else None,
        "last": measured.last if measured else None,
        "best": measured.best if measured else None,
        "bytes": run.size,
        "changed": run.changed.isoformat(timespec="seconds") if run.changed else None,
        "note": run.note,
    }


def _row(run: "FoundRun", now: datetime) -> dict[str, str]:
    told = run.state != "broken"
    measured = run.measured
    return {
        "run": _printable(run.path),
        "state": run.state,
        "gan": _printable(run.gan),
        "data": _printable(run.data),
        "iteration": f"{run.iteration}/{run.iterations or '?'}" if told else "",
        "epoch": f"{_brief(run.epoch)}/{run.epochs or '?'}" if told and run.state != "export" else "",
        "metric": f"{_printable(measured.metric)} {measured.last:.4g}" if measured else "",
        "best": f"{measured.best:.4g}" if measured and measured.best is not None else "",
        "size": _shown_size(run.size),
        "changed": _ago((now - run.changed).total_seconds()) if run.changed else "",
    }


def _without_empty(rows: list[dict[str, str]]) -> Iterable[dict[str, object]]:
    """The rows without the columns in which there is nothing."""
    used = [name for name in rows[0] if any(row[name] for row in rows)]
    return [{name: row[name] for name in used} for row in rows]


def _brief(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _shown_size(size: int) -> str:
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.3g} {unit}"


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _printable(text: object) -> str:
    """On one line of a bearable length."""
    return printable(text, 200).replace("\n", UNPRINTABLE)


COMMANDS = [runs_group]
