"""`ganzoo pretrained`: trained weights that come with ganzoo and with other packages."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ganzoo.commands import AS_JSON, TARGET, pretrained_names, print_table, printable
from ganzoo.errors import OptionError, UnknownName, UserError

if TYPE_CHECKING:
    from ganzoo.exports import Summary

SHOWN = 2
"""Figures of a row of the table at most; of one pretrained GAN alone, all are shown."""


@click.command()
@click.argument("name", required=False, shell_complete=pretrained_names)
@click.option("-o", "--out", type=TARGET, metavar="FILE", help="Copy the sample picture of NAME to this file.")
@AS_JSON
def pretrained(name: str | None, out: Path | None, as_json: bool) -> None:
    """List the pretrained GANs that are installed, or show the one called NAME.

    A pretrained GAN is used by its name, wherever a run folder is taken: `ganzoo generate NAME`.
    """
    if name is None and out is not None:
        raise OptionError("option '--out' is for the picture of one pretrained GAN; name it: ganzoo pretrained NAME")
    if name is None:
        _list(as_json)
    else:
        _show(name, out, as_json)


def _list(as_json: bool) -> None:
    from ganzoo.exports import summary
    from ganzoo.plugins import zoo

    found: list[Summary] = []
    damaged: list[dict[str, object]] = []
    for _, entry in sorted(zoo().pretrained.items()):
        try:
            found.append(summary(entry))
        except UserError as error:
            origin = zoo().pretrained.origin(entry)
            damaged.append({"name": entry.name, "from": origin, "reason": " ".join(str(error).split())})
    if as_json:
        click.echo(json.dumps({"pretrained": [each.values() for each in found], "damaged": damaged}, indent=2))
        return
    if found:
        print_table(map(_row, found))
        click.echo(f"\n`{found[0].usage}` makes images; `ganzoo pretrained NAME` tells more")
    elif not damaged:
        click.echo("no installed package provides a pretrained GAN; `ganzoo run NAME` trains one")
    if damaged:
        click.echo("\ndamaged:")
        print_table(damaged)


def _row(each: "Summary") -> dict[str, object]:
    from ganzoo.metrics.compare import brief

    shown = [f"{figure} {brief(value)}" for figure, value in each.figures.items()][:SHOWN]
    return {
        "name": each.name,
        "GAN": each.gan if each.installed else f"{each.gan} (not installed)",
        "data": each.data.dataset,
        "image": _size(each),
        "figures": ", ".join(shown),
        "size": _megabytes(each),
        "from": each.provided_by,
    }


def _show(name: str, out: Path | None, as_json: bool) -> None:
    from ganzoo.exports import summary
    from ganzoo.plugins import zoo
    from ganzoo.runs.locate import check_whole

    if name not in zoo().pretrained:
        raise UnknownName("pretrained GAN", name, zoo().pretrained)
    entry = zoo().pretrained[name]
    check_whole(entry)
    found = summary(entry)
    if out is not None:
        _copy(found, out)
    if as_json:
        click.echo(json.dumps(found.values(), indent=2))
        return
    _print(found)
    if out is not None:
        click.echo(f"\n{out}")


def _copy(found: "Summary", out: Path) -> None:
    from PIL import Image

    from ganzoo.sampling.output_files import kind_of, write_picture

    if found.picture is None:
        raise UserError(f"the pretrained GAN '{found.name}' has no picture; make one: {found.usage}")
    if kind_of(out) != "picture":
        raise OptionError(f"'{out}' is no picture; give a file such as {found.name}.png as --out")
    with Image.open(found.picture) as picture:
        write_picture(out, picture.copy)


def _print(found: "Summary") -> None:
    from ganzoo.metrics.compare import brief

    gan = found.installed
    click.echo(f"{found.name}: {found.gan} trained on {printable(found.data.dataset)}, images of {_size(found)}")
    if gan is None:
        click.echo(f"the GAN '{found.gan}' is not installed: install the package that brings it, or add --plugin FILE")
    else:
        click.echo(f"{gan.summary()}\n{gan.paper()}".rstrip())
    click.echo()
    figures = [f"{metric} {brief(value)}" for metric, value in found.figures.items()]
    precision = {"float16": "half precision"}.get(found.precision, printable(found.precision))
    rows = {
        "figures": ", ".join(figures),
        "measured": found.measured if figures else "",
        "try": found.usage if gan else "",
        "trained by": found.command,
        "iteration": f"{found.iteration:,}",
        "networks": f"{', '.join(found.networks)}; {precision}, {_megabytes(found)}",
        "from": found.provided_by,
        "card": found.card,
        "picture": found.picture or "",
        "folder": found.folder,
    }
    for title, value in rows.items():
        if value:
            click.echo(f"{title:<10} {printable(value)}")


def _size(each: "Summary") -> str:
    channels, height, width = each.data.shape
    colours = {1: "grey", 3: "colour", 4: "colour and alpha"}[channels]
    return f"{height} x {width} {colours}"


def _megabytes(each: "Summary") -> str:
    return f"{each.size / 1e6:.2g} MB"


COMMANDS = [pretrained]
