"""The model card: README.md of an export, in the form that the Hugging Face Hub shows (YAML before Markdown)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganzoo_export.facts import Facts
from ganzoo_export.graphs import SIZES
from ganzoo_export.trace import OUTPUT
from ganzoo_export.weights import Rounding

UNKNOWN = "unknown"
TASKS = {
    "noise to image": "unconditional-image-generation",
    "class to image": "unconditional-image-generation",
    "text to image": "text-to-image",
    "image to image": "image-to-image",
}
"""The Hub's word for each family of GANs."""


@dataclass(frozen=True)
class Contents:
    """What an export has, besides what is known of the GAN."""

    format: str
    files: Mapping[str, str]
    """SHA-256 by name."""
    use: str
    """How to make images with it: Markdown."""
    inputs: dict[str, list[int | str]]
    drawn: tuple[str, ...] = ()
    """Inputs that stand for random numbers that the GAN draws by itself."""
    drawing: bool = False
    """Whether it draws such that are no inputs."""
    difference: float | None = None
    """The largest from PyTorch, where another program runs it."""
    rounding: Rounding | None = None
    """What half precision changes, where weights are stored so."""
    networks: tuple[str, ...] = ()
    """Whose weights it has."""
    licence: str = UNKNOWN
    picture: str | None = None
    """The name of the file with samples."""


def card(facts: Facts, contents: Contents) -> str:
    """The card as text."""
    parts = [_front_matter(facts, contents), _title(facts, contents), _use(facts, contents), _training(facts)]
    parts += [_data(facts, contents), _evaluation(facts), _limits(facts), _files(contents)]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _front_matter(facts: Facts, contents: Contents) -> str:
    gan = facts.trained.gan
    figures = sorted(facts.evaluation["figures"]) if facts.evaluation else []
    values: dict[str, object] = {
        "license": contents.licence,
        "library_name": "ganzoo",
        "pipeline_tag": TASKS[gan.family()],
        "tags": ["gan", gan.name, "image-generation", *([contents.format] if contents.format != "torchexport" else [])],
        "datasets": [facts.dataset],
        **({"metrics": figures} if figures else {}),
    }
    # JSON is YAML too, whatever the names have in them.
    return "\n".join(["---", *(f"{name}: {json.dumps(value)}" for name, value in values.items()), "---"])


def _title(facts: Facts, contents: Contents) -> str:
    gan, data = facts.trained.gan, facts.trained.data
    channels, height, width = data.shape
    paper = f" ({gan.paper()})" if gan.paper() else ""
    picture = f"\n\n![Samples]({contents.picture})" if contents.picture else ""
    return (
        f"# {gan.name} trained on {_inline(facts.dataset)}\n\n"
        f"{gan.summary().rstrip('.')}{paper}. It makes images of {channels} x {height} x {width} "
        f"(channels, height, width). Trained and exported with ganzoo.{picture}"
    )


def _use(facts: Facts, contents: Contents) -> str:
    lines = ["## Use", contents.use]
    result: dict[str, list[int | str]] = {OUTPUT: ["batch", *facts.trained.data.shape]}
    rows = [
        f"| {'gives ' if name in result else ''}`{name}` | {' x '.join(map(str, shape))} | {_meaning(facts, name)} |"
        for name, shape in (contents.inputs | result).items()
    ]
    lines.append("\n".join(["| input | shape | what |", "|---|---|---|", *rows]))
    if contents.drawn:
        lines.append(
            "This GAN draws random numbers as it makes images, beside its noise; in this file they are inputs: "
            f"{', '.join(f'`{name}`' for name in contents.drawn)}."
        )
    elif contents.drawing:
        lines.append("This GAN draws random numbers as it makes images, beside its inputs: another seed, other images.")
    else:
        lines.append("It draws no random numbers: the same inputs give the same images.")
    if contents.difference is not None:
        lines.append(
            f"Compared with PyTorch on the CPU, on random inputs in batches of {' and '.join(map(str, SIZES))}, values "
            f"differ by {contents.difference:.2g} at most, of the 2 between black and white."
        )
    if contents.rounding is not None:
        lines.append(
            f"The weights are stored in half precision and loaded back into full. On {contents.rounding.images} random "
            f"inputs, values differ from those of the full weights by {contents.rounding.largest:.2g} at most and by "
            f"{contents.rounding.mean:.2g} on average, of the 2 between black and white."
        )
    return "\n\n".join(lines)


def _meaning(facts: Facts, name: str) -> str:
    data = facts.trained.data
    if name == OUTPUT:
        return "float32 in [-1, 1]"
    row = data.shapes.get(name)
    if row is None:
        return "float32, even in [0, 1)" if "uniform" in name else "float32, standard normal"
    if len(row) == 3:
        return "float32, an image in [-1, 1]"
    if row:
        return f"uint8, a caption's UTF-8 bytes, at most {row[0]}, filled up with zeros"
    shown = ", ".join(data.classes[:20]) + (", ..." if len(data.classes) > 20 else "")
    return f"int64, the number of a class from 0: {_inline(shown)}" if shown else "int64, the number of a class"


def _training(facts: Facts) -> str:
    config, about = facts.config, facts.environment
    whole = f" of {facts.whole:,}" if facts.whole is not None and not facts.at_end else ""
    batch, seed = (_inline(config.get(name, "?")) for name in ("batch_size", "seed"))
    lines = [f"Iteration {facts.trained.iteration:,}{whole}, batches of {batch}, seed {seed}."]
    if not facts.at_end:
        lines.insert(0, "**These weights are not from the end of the training**.")
    if config.get("ema_images"):
        lines.append("The weights are a moving average of those that were trained.")
    command = f"\n\n{_fenced(about['command'])}" if "command" in about else ""
    versions = ", ".join(f"{name} {_inline(about[name])}" for name in ("ganzoo", "torch", "python") if name in about)
    place = "; ".join(_inline(about[name]) for name in ("cuda:0", "cpu") if name in about)
    made = f"\n\nWith {versions}{f', on {place}' if place else ''}." if versions else ""
    return f"## Training\n\n{' '.join(lines)} All options are in `config.json`.{command}{made}"


def _data(facts: Facts, contents: Contents) -> str:
    said = (
        "Whoever trained it has not said under which licence the weights are"
        if contents.licence == UNKNOWN
        else f"The weights are under: {contents.licence}"
    )
    return (
        f"## Data and licences\n\nTrained on {_inline(facts.dataset)}. Licence of the data: "
        f"{_inline(facts.data_licence)}. {said}. ganzoo itself is under MIT."
    )


def _evaluation(facts: Facts) -> str:
    row = facts.evaluation
    if row is None:
        return "## Metrics\n\nNone were measured."
    figures = "\n".join(f"| {_inline(name)} | {_number(value)} |" for name, value in sorted(row["figures"].items()))
    protocol = "; ".join(f"{_inline(name)}: {_inline(value)}" for name, value in row["protocol"].items())
    same = row["iteration"] == facts.trained.iteration
    when = "of these weights" if same else f"of iteration {row['iteration']:,}, not of these weights"
    return f"## Metrics\n\nMeasured {when}.\n\n| metric | value |\n|---|---:|\n{figures}\n\nHow: {protocol}."


def _limits(facts: Facts) -> str:
    strange = "On pictures unlike those that it was trained on, it makes something or other. "
    return (
        "## Intended use and limits\n\n"
        "For study, teaching and comparison of generative models, at the size that it was trained at. It shows what "
        "its training data shows, with its gaps and its biases, and may repeat single images of it. "
        f"{strange if facts.trained.takes_images else ''}"
        "Images that it makes are no photographs and no evidence of anything; say that they are generated where that "
        "is not plain. Nothing checks what it makes."
    )


def _files(contents: Contents) -> str:
    rows = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in contents.files.items())
    networks = f"Networks: {', '.join(f'`{name}`' for name in contents.networks)}."
    return f"## Files\n\n{networks}\n\n| file | SHA-256 |\n|---|---|\n{rows}"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else _inline(value)


def _inline(value: object) -> str:
    """Anybody's words on one line, which cannot become markup of their own."""
    line = " ".join(str(value).split())
    return re.sub(r"([\\\[\]*_])", r"\\\1", line).replace("|", "/").replace("`", "'").replace("<", "&lt;")


def _fenced(value: object) -> str:
    """Anybody's words on one line, as they are, as a block of code that they cannot end."""
    line = " ".join(str(value).split())
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", line)), 0)
    return f"{fence}text\n{line}\n{fence}"
