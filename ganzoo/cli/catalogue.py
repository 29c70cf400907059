"""`ganzoo list`, `info`, `datasets`, `plugins`, `env`: what there is."""

import json
from typing import TYPE_CHECKING, Any

import rich_click as click

from ganzoo.commands import AS_JSON, gan_names, print_rows, print_table

if TYPE_CHECKING:
    from ganzoo.base.registry import ClassRegistry, Registry, Thing
    from ganzoo.config import NamedConfig


@click.command("list")
@AS_JSON
def list_gans(as_json: bool) -> None:
    """The GANs of the zoo, and plugins that were set aside."""
    from ganzoo.cli.plugin_commands import all_plugins
    from ganzoo.exports import of_gan
    from ganzoo.plugins import zoo

    rows: list[dict[str, object]] = [
        {
            "name": gan.name,
            "family": gan.family(),
            "summary": gan.summary(),
            "year": gan.year(),
            "pretrained": of_gan(gan.name),
            "from": _origin(zoo().gans, gan.name),
        }
        for gan in _by_name(zoo().gans)
    ]
    failed: list[dict[str, object]] = [
        {"plugin": plugin.name, "from": plugin.package, "reason": plugin.problem}
        for plugin in all_plugins()
        if plugin.problem
    ]
    if as_json:
        click.echo(json.dumps({"gans": rows, "set_aside": failed}, indent=2))
        return
    if rows:
        print_table({**row, "pretrained": "yes" if row["pretrained"] else ""} for row in rows)
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
            "licence": dataset.licence,
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
    from ganzoo.cli.plugin_commands import all_plugins

    rows: list[dict[str, object]] = [
        {
            "plugin": plugin.name,
            "from": plugin.package,
            **({"hooks": plugin.hooks} if as_json else {}),  # most plugins say none, and the table is wide enough
            "provides": ", ".join(plugin.provides),
            "problem": plugin.problem,
        }
        for plugin in all_plugins()
    ]
    print_rows(rows, as_json)


@click.command()
@AS_JSON
def env(as_json: bool) -> None:
    """Versions and devices: what a bug report needs."""
    from ganzoo.base.environment import environment

    found = environment()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {value}")


@click.command()
@click.argument("name", shell_complete=gan_names)
@AS_JSON
@click.option(
    "--config-template",
    "language",
    is_flag=False,
    flag_value="yaml",
    type=click.Choice(["yaml", "toml"]),
    metavar="[yaml|toml]",
    help="Print a file for `ganzoo run NAME --config`, with every option, in YAML unless told otherwise.",
)
def info(name: str, as_json: bool, language: str | None) -> None:
    """All about the GAN called NAME: paper, networks, players, options, data."""
    from ganzoo.cli.description import describe, print_description, template
    from ganzoo.errors import OptionError
    from ganzoo.plugins import zoo

    if language and as_json:
        raise OptionError("option '--json' does not go with --config-template; give one of them")
    gan = zoo().gan(name)
    if language:
        click.echo("\n".join(template(gan, language)))
    elif as_json:
        click.echo(json.dumps(describe(gan), indent=2))
    else:
        print_description(describe(gan))


def _defaults(config: "type[NamedConfig]") -> dict[str, object]:
    return {name: field.default for name, field in config.model_fields.items() if not field.is_required()}


def _by_name(shelf: "ClassRegistry[Thing]") -> "list[type[Thing]]":
    return [thing for _, thing in sorted(shelf.items())]


def _origin(shelf: "Registry[Any]", name: str) -> str:
    plugin = shelf.origins[name]
    return "built-in" if plugin.builtin else plugin.package


COMMANDS = [list_gans, info, list_datasets, list_callbacks, list_plugins, env]
