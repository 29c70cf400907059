"""`ganzoo run NAME`: a command for each GAN in the zoo, its options made from the GAN's and the run's fields.

And `ganzoo resume RUN`.
"""

import signal
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from rich_click.rich_panel import RichOptionPanel

from ganzoo.cli import completion, config_flags
from ganzoo.cli.config_command import MadeCommand
from ganzoo.commands import DATA_DIR, RUN, TARGET
from ganzoo.errors import OptionError, no_exit

if TYPE_CHECKING:
    from ganzoo.cli.flags import Flag
    from ganzoo.contract.gan import GAN
    from ganzoo.options.run import RunOptions


FILES = [
    click.Option(
        ["--config", "configs"],
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        help="Options in YAML, TOML or JSON; flags win over it. `ganzoo info NAME --config-template` prints one.",
    ),
    click.Option(["--out"], type=TARGET, metavar="FOLDER", help="The run folder."),
    DATA_DIR,
    click.Option(
        ["--dry-run"],
        is_flag=True,
        help="Check everything, train for some seconds, say how long it will take. Write nothing.",
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="Of a dry run, print JSON instead of a table."),
]
"""Options of `ganzoo run`, whatever the GAN."""


class RunGroup(click.RichGroup):
    """Finds its commands in the zoo."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        if ctx.resilient_parsing:  # a shell asks
            return list(completion.known()["gans"])
        from ganzoo.plugins import zoo

        return sorted(zoo().gans)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if ctx.resilient_parsing:
            return completion.run_command(cmd_name, FILES)
        from ganzoo.plugins import zoo

        return run_command(zoo().gan(cmd_name))


@click.group("run", cls=RunGroup, short_help="Train a GAN.", subcommand_metavar="NAME [OPTIONS]")
def run_group() -> None:
    """Train a GAN. `ganzoo run NAME --help` lists what it can be told.

    Without --out, a new folder below runs/ takes the results; an --out that holds the same run continues it.
    """


def run_command(gan: "type[GAN]") -> click.Command:
    """The command that trains this GAN."""
    panels = config_flags.by_run(gan)
    flags = {flag.parameter: flag for group in panels.values() for flag in group}

    @click.pass_obj
    def callback(
        words: list[str],
        /,
        configs: tuple[Path, ...],
        out: Path | None,
        data_dir: Path | None,
        dry_run: bool,
        as_json: bool,
        **typed: Any,
    ) -> None:
        from ganzoo.options.file import resolve_with

        if len(configs) > 1:
            raise OptionError("option '--config' is given twice; put all options into one file")
        if as_json and not dry_run:
            raise OptionError("option '--json' is for a dry run; add --dry-run")
        with no_exit():
            options = resolve_with(gan, _given(flags, typed), configs[0] if configs else None)
        _run(options, words, out, data_dir, Dry(as_json) if dry_run else None)

    return click.RichCommand(
        name=gan.name,
        callback=callback,
        params=[*(flag.option() for flag in flags.values()), *FILES],
        help=f"{gan.summary()}\n\n{gan.paper()}",
        short_help=gan.summary(),
        panels=[
            *(
                RichOptionPanel(title, options=[flag.spelling for flag in group if not flag.hidden])
                for title, group in panels.items()
            ),
            RichOptionPanel("Files", options=["--config", "--out", "--data-dir", "--dry-run", "--json", "--help"]),
        ],
    )


@click.command(cls=MadeCommand, source=config_flags.by_resume)
@RUN
@click.pass_obj
def resume(words: list[str], /, run: Path, data_dir: Path | None, **typed: Any) -> None:
    """Go on with the run in the folder RUN from its last whole checkpoint.

    What it trains stays as it is; how long, how fast and what it leaves behind may change.
    """
    from ganzoo.runs.folder import RunFolder
    from ganzoo.runs.locate import check_resumes
    from ganzoo.training.resume import options_of

    with no_exit():
        check_resumes(run)
        options = options_of(RunFolder(run), _given(config_flags.by_resume(), typed))
    _run(options, words, run, data_dir)


def _given(flags: "dict[str, Flag]", typed: dict[str, Any]) -> dict[str, object]:
    """The options that were given, by their names, as the configuration takes them."""
    return {flags[name].name: flags[name].parse(value) for name, value in typed.items() if value not in (None, ())}


@dataclass(frozen=True)
class Dry:
    """A dry run is wanted."""

    as_json: bool


def _run(
    options: "RunOptions", words: list[str], out: Path | None, data_dir: Path | None, dry: Dry | None = None
) -> None:
    from ganzoo.base.signals import Interrupted
    from ganzoo.base.system import held_to_free_memory
    from ganzoo.base.torchrun import started_by_launcher
    from ganzoo.cli.display import Display
    from ganzoo.training.run import dry_run, run

    if options.processes > 1 and not started_by_launcher():
        from ganzoo.cli.launch import launch  # slow to import

        sys.exit(launch(options, words, out))
    display = Display()
    with held_to_free_memory() if options.resolve_device().type == "cpu" else nullcontext():
        if dry:
            with no_exit():
                display.tried(options, dry_run(options, out, data_dir), dry.as_json)
            return
        try:
            with display, no_exit():
                folder = run(options, out, data_dir, display)
        except KeyboardInterrupt as stop:
            display.interrupted(stop)
            sys.exit(stop.status if isinstance(stop, Interrupted) else 128 + signal.SIGINT)
    display.left(folder)


COMMANDS = [run_group, resume]
