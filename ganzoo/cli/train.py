"""`ganzoo run NAME`: a command for each GAN in the zoo, its options made from the GAN's and the run's fields."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from rich_click.rich_panel import RichOptionPanel

if TYPE_CHECKING:
    from ganzoo.cli.flags import Flag
    from ganzoo.config import Config
    from ganzoo.gan import GAN


class RunGroup(click.RichGroup):
    """Finds its commands in the zoo."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from ganzoo.plugins import zoo

        return sorted(zoo().gans)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        from ganzoo.plugins import zoo

        return run_command(zoo().gan(cmd_name))


@click.group("run", cls=RunGroup, short_help="Train a GAN.", subcommand_metavar="NAME [OPTIONS]")
def run_group() -> None:
    """Train a GAN. `ganzoo run NAME --help` lists what it can be told.

    Without --out, a new folder below runs/ takes the results; an --out that holds the same run continues it.
    """


def run_command(gan: "type[GAN]") -> click.Command:
    """The command that trains this GAN."""
    panels = option_panels(gan)
    flags = {flag.parameter: flag for group in panels.values() for flag in group}
    files = [
        click.Option(["--out"], type=click.Path(path_type=Path), metavar="FOLDER", help="The run folder."),
        click.Option(
            ["--data-dir"],
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Where downloads are kept.  [default: GANZOO_DATA or the user's cache]",
        ),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="Check everything, train for some seconds, say how long it will take. Write nothing.",
        ),
    ]

    @click.pass_obj
    def callback(words: list[str], /, out: Path | None, data_dir: Path | None, dry_run: bool, **typed: Any) -> None:
        given = {flags[name].name: flags[name].parse(value) for name, value in typed.items() if value not in (None, ())}
        _run(gan, given, words, out, data_dir, dry_run)

    return click.RichCommand(
        name=gan.name,
        callback=callback,
        params=[*(flag.option() for flag in flags.values()), *files],
        help=f"{gan.summary()}\n\n{gan.paper()}",
        short_help=gan.summary(),
        panels=[
            *(
                RichOptionPanel(title, options=[flag.spelling for flag in group if not flag.hidden])
                for title, group in panels.items()
            ),
            RichOptionPanel("Files", options=["--out", "--data-dir", "--dry-run", "--help"]),
        ],
    )


def option_panels(gan: "type[GAN]") -> "dict[str, list[Flag]]":
    """What a run of this GAN can be told, under headings, with the values in force."""
    from ganzoo.cli.flags import flags
    from ganzoo.data.load import DataOptions
    from ganzoo.engine.ranks import Processes
    from ganzoo.engine.speed import Speed
    from ganzoo.errors import UserError
    from ganzoo.options import RunOptions, Schedule, resolve

    try:
        defaults = resolve(gan, {}).model_dump(mode="json")
    except UserError:  # an option that must be given, or a data set that is not installed: shown without defaults
        defaults = {"gan": {}}
    parts: dict[str, type[Config]] = {
        "Data": DataOptions,
        "Training": Schedule,
        "Speed": Speed,
        "Processes": Processes,
    }
    elsewhere = {"gan", *(name for part in parts.values() for name in part.model_fields)}
    recipe = list(flags(RunOptions, defaults, leave_out=sorted(elsewhere))) if gan.recipes else []
    return {
        gan.name: [*flags(gan, defaults["gan"]), *recipe],
        **{title: list(flags(part, defaults)) for title, part in parts.items()},
    }


def _run(
    gan: "type[GAN]",
    given: dict[str, object],
    words: list[str],
    out: Path | None,
    data_dir: Path | None,
    trial: bool,
) -> None:
    from ganzoo.cli.display import Display
    from ganzoo.cli.launch import launch
    from ganzoo.engine.run import dry_run, run
    from ganzoo.engine.torchrun import started_by_launcher
    from ganzoo.machine import held_to_free_memory
    from ganzoo.options import resolve

    options = resolve(gan, given)
    if options.processes > 1 and not started_by_launcher():
        sys.exit(launch(options, words, out))
    display = Display()
    with held_to_free_memory() if options.place().type == "cpu" else nullcontext():
        if trial:
            display.tried(options, dry_run(options, out, data_dir))
            return
        try:
            with display:
                folder = run(options, out, data_dir, display)
        except KeyboardInterrupt:
            display.interrupted()
            sys.exit(130)
    display.left(folder)


COMMANDS = [run_group]
