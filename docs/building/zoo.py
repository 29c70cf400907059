"""A page for each GAN of the registry: paper, idea, command, players, data, options, pictures, what was measured."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganzoo_bench.results import SPEEDS, Result, read
from ganzoo_bench.tables import speed

from benchmarks import quality_table
from benchmarks.rows import PICTURES, RESULTS, Row, read_rows
from benchmarks.table import of_speed
from docs.building.markdown import code, linked, option, plain, table
from ganzoo.cli.description import describe
from ganzoo.contract.gan import GAN
from ganzoo.plugins import zoo

FAMILIES = ("noise to image", "class to image", "text to image", "image to image")
"""The families in the order in which they are listed."""
HERE = "zoo"
"""The folder of these pages."""
OVERVIEW = "<!-- zoo -->"
"""What the overview takes the place of, in the page that introduces it."""
NOT_MEASURED = "Not measured."


def gans() -> list[type[GAN]]:
    """The GANs that come with ganzoo, family by family, the oldest first."""
    builtin = [gan for name, gan in zoo().gans.items() if zoo().gans.origins[name].builtin]
    return sorted(builtin, key=lambda gan: (FAMILIES.index(gan.family()), gan.year(), gan.name))


def families() -> dict[str, list[type[GAN]]]:
    """They, by what they make images from."""
    found: dict[str, list[type[GAN]]] = {}
    for gan in gans():
        found.setdefault(gan.family(), []).append(gan)
    return found


def rows() -> list[Row]:
    """What was measured of quality: weights that ship first, then what default recipes learn in three minutes."""
    found = quality_table.chosen(read_rows(sorted(RESULTS.glob("quality-*.json"))))
    return sorted(found, key=lambda row: row["column"] != "trained")


def overview() -> str:
    """A card for each GAN, family by family."""
    pictures = {str(row["gan"]): row["picture"] for row in reversed(rows())}
    parts = []
    for family, members in families().items():
        cards = "\n".join(card(gan, pictures.get(gan.name)) for gan in members)
        parts += [f"## {family.capitalize()}", f'<div class="grid cards" markdown>\n\n{cards}\n</div>']
    return "\n\n".join(parts)


def card(gan: type[GAN], picture: str | None) -> str:
    """A GAN in short, as an item of a list."""
    image = f"![What {gan.name} makes]({picture_of(picture)}){{ .zoo loading=lazy }}" if picture else ""
    parts = (f"**[{gan.name}]({gan.name}.md)**", image, plain(gan.summary()), linked(gan.paper()))
    return "-   " + "".join(f"{part}\n\n    " for part in parts if part).rstrip() + "\n"


def page(gan: type[GAN]) -> str:
    """All that there is to say of a GAN."""
    found = describe(gan)
    measured = [row for row in rows() if row["gan"] == gan.name]
    parts = [
        f"# {gan.name}",
        f"**{plain(gan.summary())}**",
        f"{gan.family().capitalize()}. {linked(gan.paper())}.",
        gan.idea(),
        *trained(measured),
        "## Train it",
        f"```bash\nganzoo run {gan.name}\n```",
        *on_the_spot(measured),
        *basics(found),
        "## Networks and players",
        *made_of(found),
        "## Data",
        *data(found),
        "## Options",
        *options(gan, found),
        "## What was measured",
        "### Quality",
        *quality(measured),
        "### Speed",
        *speeds(gan.name, read(of_speed(RESULTS))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def picture_of(name: object) -> str:
    """Where a picture is, from these pages."""
    return f"../images/{PICTURES.name}/{name}"


def trained(measured: Sequence[Row]) -> Iterator[str]:
    """What the weights that ship make, how to make more, and how they were trained."""
    for row in measured:
        if row["column"] != "trained":
            continue
        yield image(row)
        if row["name"] in zoo().pretrained:
            example = folded(row["example"]) if row["language"] == "bash" else row["example"]
            yield row["shows"]
            yield f"```{row['language']}\n{example}\n```"
        yield (
            f"Trained on {row['images']:,} images in {quality_table.duration(row['seconds'])} "
            f"({quality_table.place(row)}) by"
        )
        yield f"```bash\n{folded(row['command'])}\n```"


def on_the_spot(measured: Sequence[Row]) -> Iterator[str]:
    """What the default recipe learns in three minutes, and the command that repeats it."""
    for row in measured:
        if row["column"] == "trained":
            continue
        yield (
            f"After {quality_table.duration(row['seconds'])} of it ({quality_table.place(row)}), "
            f"{row['images']:,} images:"
        )
        yield image(row)
        yield f"```bash\n{folded(row['command'])}\n```"


def image(row: Row) -> str:
    """The picture of a row."""
    kind = quality_table.measured(row)
    return f"![What {row['name']} makes: {kind}, {quality_table.weights(row)}]({picture_of(row['picture'])})"


def folded(command: str, width: int = 72) -> str:
    """A long command in lines of about that width."""
    lines = textwrap.wrap(command, width, break_long_words=False, break_on_hyphens=False)
    return " \\\n    ".join(lines)


def basics(found: Mapping[str, Any]) -> Iterator[str]:
    """What a run is like that is told nothing more."""
    channels, height, width = found["image"]
    defaults = {row["option"]: row["default"] for panel in found["options"].values() for row in panel}
    chosen = f" with `--as {found['data']['default_as']}`" if found["data"]["default_as"] != "none" else ""
    yield (
        f"Unless told otherwise: `{found['data']['default']}`{chosen}, {channels} x {height} x {width}, "
        f"batches of {defaults['--batch-size']}, {defaults['--epochs']} epochs."
    )
    if found["recipes"]:
        lines = (
            (
                code(f"--recipe {name}") + (" (in force)" if name == found["recipe"] else ""),
                ", ".join(code(f"{key} = {shown(value)}") for key, value in values.items()),
            )
            for name, values in found["recipes"].items()
        )
        yield table(["recipe", "sets"], lines)


def shown(value: object) -> str:
    """A value of a recipe."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(part)}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def made_of(found: Mapping[str, Any]) -> Iterator[str]:
    """Networks with their sizes, and who moves them."""
    yield f"For images of {' x '.join(map(str, found['image']))}:"
    networks = (
        (code(row["network"]), code(row["class"]), f"{row['parameters']:,}", row["output"]) for row in found["networks"]
    )
    yield table(["network", "class", "parameters", "gives, for one image"], networks, numbers=[2])
    yield "In the order in which they move:"
    players = (
        (code(row["player"]), row["moves"], row["every"], row["losses"], row["optimizer"]) for row in found["players"]
    )
    yield table(["player", "moves", "every", "losses", "optimizer"], players)


def data(found: Mapping[str, Any]) -> Iterator[str]:
    """What it can be trained on."""
    suitable, needs = (", ".join(map(code, found["data"][key])) for key in ("suitable", "needs"))
    adapted = found["data"]["as"]
    more = f" With `--as {adapted}` any data that has images will do." if adapted else ""
    yield f"It needs {needs}: `--data` takes {suitable}.{more} See [data](../data.md)."


def options(gan: type[GAN], found: Mapping[str, Any]) -> Iterator[str]:
    """Its own options, and where those are that every GAN has."""
    own = found["options"][gan.name]
    lines = ((option(row["option"], row["takes"]), code(row["default"]), plain(row["help"])) for row in own)
    yield table(["option", "default", "what it is"], lines)
    if found["losses"]:
        yield f"Losses that it takes: {', '.join(map(code, found['losses']))}."
    if found["codes"]:
        yield "Codes: " + "; ".join(f"{code(name)}, {plain(takes)}" for name, takes in found["codes"].items()) + "."
    yield f"All options, with those that every GAN has: `ganzoo run {gan.name} --help`, or [here](../commands.md#run)."


def quality(measured: Sequence[Row]) -> Iterator[str]:
    """Figures, beside what they stand beside."""
    if not measured:
        yield NOT_MEASURED
        return
    for entries in quality_table.together(measured):
        names = quality_table.columns(entries)
        others = {"untrained": entries[0]["untrained"]} | {
            f"*{quality_table.words(name, figures)}*": figures for name, figures in entries[0]["beside"].items()
        }
        kind = f"{quality_table.measured(entries[0])}, {quality_table.size(entries[0])}"
        head = [kind, *(quality_table.WORDS.get(name, name) for name in names)]
        content = [
            *([quality_table.weights(row), *quality_table.cells(row, names)] for row in entries),
            *([line, *quality_table.values(figures, names)] for line, figures in others.items()),
        ]
        yield table(head, content, numbers=range(1, len(head)))
        yield "; ".join(f"{quality_table.weights(row)}: {quality_table.setting(row)}" for row in entries) + "."
    yield "What the figures mean, and how they were measured: [do they learn?](../quality.md)"


def speeds(name: str, results: Sequence[Result]) -> Iterator[str]:
    """Images per second on each machine."""
    found = {
        (result.hardware, result.images, result.work): result
        for result in results
        if result.facts.get("gan") == name and result.work in SPEEDS
    }
    if not found:
        yield NOT_MEASURED + " How to: [benchmarks](../benchmarks.md)."
        return
    lines = [
        (machine, images, *(speed(found.get((machine, images, work))) for work in SPEEDS))
        for machine, images in sorted({(machine, images) for machine, images, _ in found})
    ]
    yield table(["on", "images", "training, images/s", "generation, images/s"], lines, numbers=[2, 3])
    yield "How it is measured: [benchmarks](../benchmarks.md)."
