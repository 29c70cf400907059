"""Writes docs/quality.md's tables of what the GANs learned, from the rows that `quality.py` and `showcase.py` kept.

`python -m benchmarks.quality_table` puts them between its markers. The documentation site shows the same rows, with
their pictures, on the page of each GAN.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ganzoo_bench.tables import insert, row

from benchmarks.rows import COLUMNS, PICTURES, RESULTS, Row, read_rows
from ganzoo.plugins import zoo

DOCS = PICTURES.parents[1]
WORDS = {
    "frechet": "Fréchet distance",
    "confident": "surely read",
    "entropy": "entropy (bits)",
    "purity": "purity of the code",
    "code_accuracy": "accuracy of the code",
    "accuracy": "accuracy",
    "variety": "variety within a class",
    "l1": "L1",
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "sharpness": "sharpness",
    "color": "color distance",
    "seam": "seam",
    "cycle_l1": "cycle error (L1)",
    "group": "own group",
    "own_of_10": "itself among 10",
    "labels": "labels",
}
"""Names of figures in a table."""
SHARES = {"accuracy", "confident", "purity", "code_accuracy", "variety", "group", "own_of_10"}
"""Figures that are shown in percent."""
NO_COLUMNS = {"labels"}
"""Figures that are named in the first column of their line, and have no column of their own."""
NOISE = "noise to image"
"""Family whose GANs are compared after equal time."""
BASELINE = "chapter"
"""Recipe that the others are compared with after equal time, if it was measured."""


def tables(rows: Sequence[Row]) -> str:
    """A summary, a table for each kind of proof, and equal time."""
    shown = chosen(rows)
    parts = ["### In short", "\n".join(summary(shown))] if shown else []
    for kind in dict.fromkeys(measured(entry) for entry in shown):
        of_kind = [entry for entry in shown if measured(entry) == kind]
        parts += [f"### {kind.capitalize()}", "\n".join(table(of_kind)), legend(of_kind[0]["protocol"])]
    equal = rivals(rows)
    if equal:
        parts += ["### Equal time", "\n".join(race(equal)), legend(equal[0]["protocol"])]
    for column in COLUMNS:
        settings = dict.fromkeys(setting(entry) for entry in rows if entry["column"] == column)
        if settings:
            parts.append(f"{column.capitalize()}: {'; '.join(settings)}.")
    return "\n\n".join(parts) or "Nothing was measured yet."


def chosen(rows: Sequence[Row]) -> list[Row]:
    """Rows of default recipes and of weights that ship, by kind of proof, GAN and column."""
    kept = [entry for entry in rows if entry["column"] == "trained" or entry["default_recipe"]]
    return sorted(
        kept, key=lambda entry: (measured(entry), entry["gan"], COLUMNS.index(entry["column"]), entry["name"])
    )


def measured(entry: Row) -> str:
    """What kind of proof a row is of."""
    return str(entry["protocol"]["measured"])


def together(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that can be compared: of one kind of proof, GAN and image size."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for entry in rows:
        groups.setdefault((measured(entry), entry["gan"], size(entry)), []).append(entry)
    return list(groups.values())


def size(entry: Row) -> str:
    """Height and width of its images, in pixels."""
    return str(entry["options"]["image_size"])


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each GAN and proof: its first figure, untrained, in three minutes and trained."""
    yield row("GAN", "images", "figure", "untrained", "in three minutes", "trained", "beside it")
    yield row("---", "---", "---", "---:", "---:", "---:", "---")
    for entries in together(rows):
        gan, name = str(entries[0]["gan"]), str(entries[0]["headline"])
        found = [", ".join(cell(entry, name) for entry in entries if entry["column"] == column) for column in COLUMNS]
        beside = (
            f"{words(other, figures)} {shown(name, figures[name])}"
            for other, figures in entries[0]["beside"].items()
            if name in figures
        )
        untrained = shown(name, entries[0]["untrained"][name])
        yield row(f"`{gan}`", size(entries[0]), WORDS.get(name, name), untrained, *found, ", ".join(beside))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines for each GAN, trained and untrained; then what they stand beside."""
    names = columns(rows)
    yield row("GAN", "images", "weights", "images seen", *(WORDS.get(name, name) for name in names))
    yield row("---", "---", "---", "---:", *["---:"] * len(names))
    for entries in together(rows):
        gan, side = f"`{entries[0]['gan']}`", size(entries[0])
        for entry in entries:
            yield row(gan, side, weights(entry), f"{entry['images']:,}", *cells(entry, names))
        yield row(gan, side, "untrained", "", *values(entries[0]["untrained"], names))
        own = {name: figures for name, figures in entries[0]["beside"].items() if name not in common(rows)}
        for name, figures in own.items():
            yield row(f"*{words(name, figures)}*", side, "", "", *values(figures, names))
    for name, figures in common(rows).items():
        yield row(f"*{words(name, figures)}*", "", "", "", *values(figures, names))


def columns(rows: Sequence[Row]) -> list[str]:
    """Figures that rows have."""
    names = dict.fromkeys(name for entry in rows for name in entry["trained"])
    return [name for name in names if name not in NO_COLUMNS]


def weights(entry: Row) -> str:
    """What was measured, in words: `in 178 s`, `trained for 40 min`."""
    if entry["column"] == "trained":
        return f"trained for {duration(entry['seconds'])}"
    return f"in {duration(entry['seconds'])}"


def duration(seconds: float) -> str:
    """Seconds in words: `178 s`, `40 min`, `2.5 h`."""
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def common(rows: Sequence[Row]) -> dict[str, Mapping[str, float]]:
    """What stands beside every row of a table, and is the same beside all."""
    first, *others = (entry["beside"] for entry in rows)
    return {name: figures for name, figures in first.items() if all(other.get(name) == figures for other in others)}


def words(name: str, figures: Mapping[str, float]) -> str:
    """What a line is called that is no GAN."""
    return f"{name} ({figures['labels']})" if "labels" in figures else name


def cells(entry: Row, names: Iterable[str]) -> Iterator[str]:
    """Figures of a training for a table, those that there are."""
    for name in names:
        yield cell(entry, name) if name in entry["trained"] else ""


def cell(entry: Row, name: str) -> str:
    """A figure of a training; of several seeds the median, and from where to where they go."""
    figure = shown(name, entry["trained"][name])
    if name not in entry["spread"]:
        return figure
    least, greatest = (shown(name, value) for value in entry["spread"][name])
    return f"{figure} ({least} to {greatest})"


def values(figures: Mapping[str, float], names: Iterable[str]) -> Iterator[str]:
    """Figures of what is no training, those that there are."""
    for name in names:
        yield shown(name, figures[name]) if name in figures else ""


def shown(name: str, value: float) -> str:
    """A figure as it is shown: three digits, shares in percent."""
    return f"{value:.1%}" if name in SHARES else f"{value:.3g}"


def rivals(rows: Sequence[Row]) -> list[Row]:
    """Rows of three minutes of all GANs that make images of noise, every recipe that was measured, the nearest first.

    Raises:
        ValueError: they did not train for as long, so that they cannot be compared.
    """
    family = [
        entry
        for entry in rows
        if entry["column"] == "three minutes" and zoo().gan(entry["gan"]).family() == NOISE and has_distance(entry)
    ]
    if family and len({entry["seconds_asked"] for entry in family}) > 1:
        asked = sorted({f"{title(entry)} {entry['seconds_asked']:.0f} s" for entry in family})
        raise ValueError(f"these were not trained for equal time: {', '.join(asked)}; measure them again")
    return sorted(family, key=lambda entry: float(entry["trained"]["frechet"]))


def has_distance(entry: Row) -> bool:
    """Whether a row has a distance of digits."""
    return "frechet" in entry["trained"]


def race(rows: Sequence[Row]) -> Iterator[str]:
    """Distances after equal time, the nearest first; as shares of the baseline's, if it was measured."""
    base = next((entry["trained"]["frechet"] for entry in rows if entry["recipe"] == BASELINE), None)
    names = ("frechet", "confident", "entropy")
    yield row(
        "GAN", "trained for", "images seen", *(WORDS[name] for name in names), *([f"share of {BASELINE}"] * bool(base))
    )
    yield row("---", *["---:"] * (5 + bool(base)))
    for entry in rows:
        share = [f"{entry['trained']['frechet'] / base:.2f}"] if base else []
        numbers = (duration(entry["seconds"]), f"{entry['images']:,}")
        yield row(f"`{title(entry)}`", *numbers, *cells(entry, names), *share)


def title(entry: Row) -> str:
    """A GAN, and its recipe where it is not the default."""
    return str(entry["gan"]) if entry["default_recipe"] else f"{entry['gan']}:{entry['recipe']}"


def legend(protocol: Mapping[str, object]) -> str:
    """What a reader must know of the figures of one table."""
    facts = {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in protocol.items()}
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items() if name != "measured")


def setting(entry: Row) -> str:
    """On what a row was measured."""
    machine, seeds = entry["machine"], entry["seeds"]
    return (
        f"torch {machine['torch']}, Python {machine['python']}, {place(entry)}, "
        f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}, commit {entry['commit'][:7]}"
    )


def place(entry: Row) -> str:
    """Processor, threads and precision of a training."""
    threads = entry["machine"]["cpu threads"]
    return f"{entry['machine']['cpu']}, {threads} thread{'s' * (threads != '1')}, {entry['precision']}"


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the tables of what the GANs learned.")
    parser.add_argument("results", nargs="*", type=Path, metavar="ROW.json", help="default: all of quality in results/")
    parser.add_argument("--docs", type=Path, default=DOCS, metavar="FOLDER", help="where quality.md is")
    given = parser.parse_args(words)
    try:
        rows = read_rows(given.results or sorted(RESULTS.glob("quality-*.json")))
        file = given.docs / "quality.md"
        file.write_text(insert(file, tables(rows)), encoding="utf-8")
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
