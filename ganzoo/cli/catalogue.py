"""`ganzoo list`, `info`, `datasets`, `plugins`, `env`: what there is."""

import json
from typing import TYPE_CHECKING

import rich_click as click

from ganzoo.cli.parts import AS_JSON, print_rows, print_table

if TYPE_CHECKING:
    from ganzoo.config import NamedConfig
    from ganzoo.gan import GAN
    from ganzoo.plugins import Shelf, Thing


@click.command("list")
@AS_JSON
def list_gans(as_json: bool) -> None:
    """The GANs of the zoo, and plugins that were set aside."""
    from ganzoo.plugins import zoo

    rows: list[dict[str, object]] = [
        {
            "name": gan.name,
            "family": gan.family(),
            "summary": gan.summary(),
            "year": gan.year(),
            "from": _origin(zoo().gans, gan.name),
        }
        for gan in _by_name(zoo().gans)
    ]
    failed: list[dict[str, object]] = [
        {"plugin": plugin.name, "from": plugin.package, "reason": plugin.problem} for plugin in zoo().failed()
    ]
    if as_json:
        click.echo(json.dumps({"gans": rows, "set_aside": failed}, indent=2))
        return
    if rows:
        print_table(rows)
    else:
        click.echo("the zoo is empty: no installed package provides a GAN")
    if failed:
        click.echo("\nset aside:")
        print_table(failed)


@click.command("datasets")
@AS_JSON
def list_datasets(as_json: bool) -> None:
    """The data sets that --data takes."""
    from ganzoo.data.plan import made_of
    from ganzoo.plugins import zoo

    shelf = zoo().datasets
    rows: list[dict[str, object]] = [
        {
            "name": dataset.form(),
            "provides": ", ".join(sorted(dataset.provides)),
            "can be made": "; ".join(f"{fields} by {option}" for fields, option in made_of(dataset).items()),
            "summary": dataset.summary(),
            "from": _origin(shelf, dataset.name),
        }
        for dataset in _by_name(shelf)
    ]
    print_rows(rows, as_json)


@click.command("callbacks")
@AS_JSON
def list_callbacks(as_json: bool) -> None:
    """What --callback takes: loggers, and what else may look on while a run trains."""
    from ganzoo.cli.flags import flags
    from ganzoo.plugins import zoo

    shelf = zoo().callbacks
    rows: list[dict[str, object]] = [
        {
            "name": callback.form(),
            "summary": callback.summary(),
            "options": ", ".join(
                f"{flag.name}={flag.default or flag.form}" for flag in flags(callback, _defaults(callback))
            ),
            "from": _origin(shelf, callback.kind),
        }
        for callback in _by_name(shelf)
    ]
    print_rows(rows, as_json)


@click.command("plugins")
@AS_JSON
def list_plugins(as_json: bool) -> None:
    """The plugins that were found, what each provides, and why one was set aside."""
    from ganzoo.plugins import zoo

    rows: list[dict[str, object]] = [
        {
            "plugin": plugin.name,
            "from": plugin.package,
            "provides": ", ".join(plugin.provides),
            "problem": plugin.problem,
        }
        for plugin in zoo().plugins
    ]
    print_rows(rows, as_json)


@click.command()
@AS_JSON
def env(as_json: bool) -> None:
    """Versions and devices: what a bug report needs."""
    from ganzoo.environment import environment

    found = environment()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {value}")


@click.command()
@click.argument("name")
def info(name: str) -> None:
    """All about the GAN called NAME: paper, networks, players, options, data."""
    from ganzoo.plugins import zoo

    _describe(zoo().gan(name))


def _describe(gan: "type[GAN]") -> None:
    from ganzoo.cli.train import option_panels
    from ganzoo.config import spelled
    from ganzoo.data.load import describe
    from ganzoo.data.plan import PAIR, adaptors, suitable
    from ganzoo.options import resolve
    from ganzoo.plugins import zoo
    from ganzoo.summary import summarise

    options = resolve(gan, {})
    data = describe(options, gan.needs, options.gan.shrinks)
    summary = summarise(options, data)
    click.echo(f"{gan.name}: {gan.summary()}\n{gan.paper()}\n")
    channels, height, width = data.shape
    click.echo(f"networks, for {channels} x {height} x {width} images ({options.data.name})")
    print_table(
        [
            {"network": part.name, "class": part.kind, "parameters": f"{part.parameters:,}", "output": part.output}
            for part in summary.networks
        ]
    )
    click.echo("\nplayers, in the order in which they move")
    print_table(
        [
            {
                "player": part.name,
                "moves": part.moves,
                "every": part.every,
                "losses": part.losses,
                "optimizer": part.optimizer,
            }
            for part in summary.players
        ]
    )
    adapted = f"; with --as {adaptors()}, any that has images" if gan.needs & PAIR else ""
    chosen = options.data.label() if options.as_.kind == "none" else f"{options.data.label()} as {options.as_.kind}"
    click.echo(
        f"\ndata with {', '.join(sorted(gan.needs))}: {', '.join(suitable(gan.needs))}{adapted}; by default {chosen}"
    )
    if "loss" in gan.model_fields:
        click.echo(f"losses it takes: {', '.join(loss.kind for loss in _by_name(zoo().losses) if gan.allows(loss))}")
    for recipe, values in gan.recipes.items():
        mark = "  (in force unless --recipe names another)" if recipe == options.recipe else ""
        click.echo(f"recipe {recipe}: {json.dumps({spelled(name): value for name, value in values.items()})}{mark}")
    for title, flags in option_panels(gan).items():
        click.echo(f"\noptions: {title}")
        print_table(
            [
                {"option": flag.spelling, "takes": flag.form, "default": flag.default, "help": flag.help}
                for flag in flags
                if not flag.hidden
            ]
        )


def _defaults(config: "type[NamedConfig]") -> dict[str, object]:
    return {name: field.default for name, field in config.model_fields.items() if not field.is_required()}


def _by_name(shelf: "Shelf[Thing]") -> "list[type[Thing]]":
    return [thing for _, thing in sorted(shelf.items())]


def _origin(shelf: "Shelf[Thing]", name: str) -> str:
    plugin = shelf.origins[name]
    return "built-in" if plugin.builtin else plugin.package


COMMANDS = [list_gans, info, list_datasets, list_callbacks, list_plugins, env]
