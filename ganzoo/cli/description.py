"""`ganzoo info NAME`: all about a GAN, first as data, then as text or as a config file to fill in."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import rich_click as click

from ganzoo.commands import print_table

if TYPE_CHECKING:
    from ganzoo.cli.flags import Flag
    from ganzoo.contract.gan import GAN
    from ganzoo.options.run import RunOptions


def describe(gan: "type[GAN]") -> dict[str, Any]:
    """Paper, networks, players, data, losses, recipes and options, as JSON values.

    Of one that cannot be made without being told more, what its class says, and a note of what is missing.
    """
    from ganzoo.config import cli_name
    from ganzoo.errors import UserError
    from ganzoo.exports import of_gan

    about: dict[str, Any] = {
        "name": gan.name,
        "family": gan.family(),
        "summary": gan.summary(),
        "paper": gan.paper(),
        "year": gan.year(),
    }
    about["pretrained"] = of_gan(gan.name)
    recipes = {name: {cli_name(option): value for option, value in told.items()} for name, told in gan.recipes.items()}
    try:
        made = _made(gan)
    except UserError as error:
        made = {"note": str(error)}
    sizes = {name: _sizes(gan, name) for name in gan.recipes}
    return {**about, **made, "recipes": recipes, "networks_by_recipe": sizes, "options": _options(gan)}


def _made(gan: "type[GAN]") -> dict[str, Any]:
    """What is to be told of it once it is made, as it is unless told otherwise."""
    from ganzoo.data.load import describe as describe_data
    from ganzoo.options.run import resolve
    from ganzoo.plugins import zoo
    from ganzoo.summary import summarise

    options = resolve(gan, {})
    data = describe_data(options, gan.needs, options.gan.scale_factor)
    summary = summarise(options, data)
    losses = sorted(zoo().losses.items()) if "loss" in gan.model_fields else []
    return {
        "image": list(data.shape),
        "networks": [
            {"network": part.name, "class": part.kind, "parameters": part.parameters, "output": part.output}
            for part in summary.networks
        ],
        "players": [
            {
                "player": part.name,
                "moves": part.moves,
                "every": part.every,
                "losses": part.losses,
                "optimizer": part.optimizer,
            }
            for part in summary.players
        ],
        "data": _data(gan, options),
        "losses": [name for name, loss in losses if gan.allows(loss)],
        "codes": {code.name: code.takes for code in options.gan.codes},
        "recipe": options.recipe,
    }


def _sizes(gan: "type[GAN]", recipe: str) -> dict[str, Any]:
    """The images of a recipe and the parameters of its networks, or a note of why they cannot be built."""
    from ganzoo.data.load import describe as describe_data
    from ganzoo.errors import UserError
    from ganzoo.options.run import resolve
    from ganzoo.summary import count_parameters

    try:
        options = resolve(gan, {"recipe": recipe})
        data = describe_data(options, gan.needs, options.gan.scale_factor)
        return {"image": list(data.shape), "parameters": count_parameters(options, data)}
    except UserError as error:
        return {"note": str(error)}


def _data(gan: "type[GAN]", options: "RunOptions") -> dict[str, Any]:
    from ganzoo.data.plan import PAIR, adaptors, suitable

    return {
        "needs": sorted(gan.needs),
        "suitable": suitable(gan.needs),
        "as": adaptors() if gan.needs & PAIR else "",
        "default": options.data.label(),
        "default_as": options.as_.kind,
    }


def _options(gan: "type[GAN]") -> dict[str, list[dict[str, str]]]:
    from ganzoo.cli import config_flags

    return {
        title: [
            {"option": flag.spelling, "takes": flag.form, "default": flag.default, "help": flag.help}
            for flag in flags
            if not flag.hidden
        ]
        for title, flags in config_flags.by_run(gan).items()
    }


def print_description(found: Mapping[str, Any]) -> None:
    """What `describe` found, for a person."""
    click.echo(f"{found['name']}: {found['summary']}\n{found['paper']}\n")
    if names := found["pretrained"]:
        click.echo(f"trained weights come along: {', '.join(names)}; try `{_usage(names[0])}`\n")
    if "note" in found:
        click.echo(f"as it is, it cannot be made: {found['note']}")
    else:
        _print_made(found)
    if len(found["networks_by_recipe"]) > 1:
        _print_sizes(found["networks_by_recipe"])
    for recipe, values in found["recipes"].items():
        mark = "  (in force unless --recipe names another)" if recipe == found.get("recipe") else ""
        click.echo(f"recipe {recipe}: {json.dumps(values)}{mark}")
    for title, rows in found["options"].items():
        click.echo(f"\noptions: {title}")
        print_table(rows)


def _usage(name: str) -> str:
    from ganzoo.exports import summary
    from ganzoo.plugins import zoo

    return summary(zoo().pretrained[name]).usage


def _print_made(found: Mapping[str, Any]) -> None:
    channels, height, width = found["image"]
    data = found["data"]
    click.echo(f"networks, for {channels} x {height} x {width} images ({data['default'].partition(':')[0]})")
    print_table([{**row, "parameters": f"{row['parameters']:,}"} for row in found["networks"]])
    click.echo("\nplayers, in the order in which they move")
    print_table(found["players"])
    adapted = f"; with --as {data['as']}, any that has images" if data["as"] else ""
    chosen = data["default"] if data["default_as"] == "none" else f"{data['default']} as {data['default_as']}"
    click.echo(f"\ndata with {', '.join(data['needs'])}: {', '.join(data['suitable'])}{adapted}; by default {chosen}")
    if found["losses"]:
        click.echo(f"losses it takes: {', '.join(found['losses'])}")
    for code, takes in found["codes"].items():
        click.echo(f"code {code}: {takes}")


def _print_sizes(recipes: Mapping[str, Mapping[str, Any]]) -> None:
    """A row for each recipe, a column for each network."""
    names = dict.fromkeys(name for sizes in recipes.values() for name in sizes.get("parameters", ()))
    rows = []
    for recipe, sizes in recipes.items():
        image = " x ".join(map(str, sizes["image"])) if "image" in sizes else sizes["note"]
        counts = {name: f"{count:,}" for name, count in sizes.get("parameters", {}).items()}
        rows.append({"recipe": recipe, "image": image, **{name: counts.get(name, "") for name in names}})
    click.echo("\nparameters of the networks, by recipe")
    print_table(rows)
    click.echo()


def template(gan: "type[GAN]", language: str) -> Iterator[str]:
    """The lines of a config file that has every option, commented out, with what it is and its default.

    Args:
        gan: what it is for.
        language: "yaml" or "toml".
    """
    from ganzoo.cli import config_flags
    from ganzoo.errors import UserError
    from ganzoo.options.run import resolve

    values: dict[str, Any] = {}
    note = ""
    try:
        values = resolve(gan, {}).model_dump(mode="json")
        values |= values.pop("gan")
    except UserError as error:
        note = " ".join(str(error).split())
    yield f"# {gan.name}: {gan.summary()}"
    if note:
        yield f"# As it is, it cannot be made: {note}"
    recipe = f" (those of recipe {values['recipe']})" if gan.recipes and values else ""
    yield f"# Every option of `ganzoo run {gan.name} --config FILE`, with its default{recipe}."
    yield "# Take the `#` before a name away, and change the value. What ends in (NAME) goes with that choice only."
    for title, flags in config_flags.by_run(gan).items():
        yield f"\n# ---- {title}"
        for flag in flags:
            yield ""
            choices = f" ({flag.form.replace('|', ', ')})" if "|" in flag.form else ""
            yield f"# {flag.help}{choices}"
            yield _line(flag, _default(flag, values), language)


def _default(flag: "Flag", values: Mapping[str, Any]) -> object:
    from pydantic_core import to_jsonable_python

    from ganzoo.config import one_of

    mark = one_of(flag.field)
    # An option of a choice that is not the default one; or all of them, where not all are known.
    if flag.hidden or not values:
        if flag.field.is_required():
            return None
        default = flag.field.get_default(call_default_factory=True)
        return default.label() if mark and isinstance(default, mark.base) else to_jsonable_python(default, fallback=str)
    found: Any = values
    for part in flag.name.split("."):
        found = found[part]
    return found[mark.base.key] if mark and found is not None else found


def _line(flag: "Flag", value: object, language: str) -> str:
    from ganzoo.config import cli_name, one_of

    mark, name = one_of(flag.field), cli_name(flag.name)
    if language == "yaml":
        return f"#{name}: {_yaml(value)}".rstrip()
    # In TOML a name is either a table or has a value.
    key = f"{name}.{mark.base.key}" if mark else name
    return f"#{key} = {'' if value is None else json.dumps(value, ensure_ascii=False)}".rstrip()


def _yaml(value: object) -> str:
    """As one writes it by hand: quotes only where they are needed."""
    if value is None:
        return ""
    plain = isinstance(value, str) and value.replace("-", "").replace(".", "").isalnum() and value != "null"
    return str(value) if plain else json.dumps(value)
