"""Writes docs/quality.md's tables of what the GANs learned, from what `quality.py` kept.

`python -m benchmarks.quality_table` puts them between its markers. The documentation site shows the same rows, with
their pictures, on the page of each GAN.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.quality import PICTURES, RESULTS, RIVALS
from ganzoo.bench.tables import insert, row

Row: TypeAlias = Mapping[str, Any]
DOCS = PICTURES.parents[1]
WORDS = {
    "frechet": "Fréchet distance",
    "entropy": "entropy (bits)",
    "accuracy": "accuracy",
    "l1": "L1",
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "sharpness": "sharpness",
    "cycle_l1": "cycle error (L1)",
    "group": "own group",
    "own_of_10": "itself among 10",
    "labels": "labels",
}
"""What figures are called in a table."""
SHARES = {"accuracy", "group", "own_of_10"}
"""Figures that are shown in per cent."""
NO_LINES = {"labels"}
"""What is said in words, not in a column."""


def read(files: Iterable[Path]) -> list[Row]:
    """The rows of files."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def tables(rows: Sequence[Row]) -> str:
    """A table for each kind of proof, and that of equal time."""
    parts = []
    shown = chosen(rows)
    for kind in dict.fromkeys(str(entry["protocol"]["measured"]) for entry in shown):
        of_kind = [entry for entry in shown if entry["protocol"]["measured"] == kind]
        parts += [f"### {kind[0].upper()}{kind[1:]}", "\n".join(table(of_kind)), legend(of_kind[0]["protocol"])]
    equal = sorted((entry for entry in rows if entry["equal_time"]), key=title)
    if equal:
        parts += ["### Equal time", "\n".join(race(equal)), legend(equal[0]["protocol"])]
    if rows:
        parts.append("Measured with " + "; ".join(dict.fromkeys(map(setting, rows))) + ".")
    return "\n\n".join(parts) or "Nothing was measured yet."


def chosen(rows: Sequence[Row]) -> list[Row]:
    """One row for each proof of each GAN: that of equal time only where there is no other."""
    found: dict[tuple[str, str], Row] = {}
    for entry in sorted(rows, key=lambda entry: (entry["equal_time"], entry["recipe"] == "chapter", entry["picture"])):
        found.setdefault((entry["gan"], entry["protocol"]["measured"]), entry)
    return [found[key] for key in sorted(found)]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each GAN, trained and untrained; then what they stand beside."""
    names = list(dict.fromkeys(name for entry in rows for name in entry["trained"]))
    yield row("GAN", "trained for", "images seen", *(WORDS.get(name, name) for name in names))
    yield row("---", "---:", "---:", *["---:"] * len(names))
    for entry in rows:
        first = f"`{entry['gan']}`"
        yield row(first, f"{entry['seconds']:.0f} s", f"{entry['images']:,}", *cells(entry["trained"], names))
        yield row("untrained", "", "", *cells(entry["untrained"], names))
        own = {name: figures for name, figures in entry["beside"].items() if name not in common(rows)}
        for name, figures in own.items():
            yield row(words(name, figures), "", "", *cells(figures, names))
    for name, figures in common(rows).items():
        yield row(f"*{words(name, figures)}*", "", "", *cells(figures, names))


def common(rows: Sequence[Row]) -> dict[str, Mapping[str, float]]:
    """What stands beside every row of a table, and is the same beside all."""
    first, *others = (entry["beside"] for entry in rows)
    return {name: figures for name, figures in first.items() if all(other.get(name) == figures for other in others)}


def words(name: str, figures: Mapping[str, float]) -> str:
    """What a line is called that is no GAN."""
    return f"{name} ({figures['labels']})" if "labels" in figures else name


def cells(figures: Mapping[str, float], names: Iterable[str]) -> Iterator[str]:
    """Figures for a table, those that there are."""
    for name in names:
        yield shown(name, figures[name]) if name in figures else ""


def shown(name: str, value: float) -> str:
    """A figure as it is shown: three digits, shares in per cent."""
    return f"{value:.1%}" if name in SHARES else f"{value:.3g}"


def race(rows: Sequence[Row]) -> Iterator[str]:
    """Distances after equal time, and how many times as far the first is."""
    first = next((entry["trained"]["frechet"] for entry in rows if title(entry) == RIVALS[0]), None)
    yield row(
        "GAN", "trained for", "images seen", "Fréchet distance", "untrained", f"share of {RIVALS[0]}'s", "entropy"
    )
    yield row("---", *["---:"] * 6)
    for entry in sorted(rows, key=lambda entry: float(entry["trained"]["frechet"])):
        distance = entry["trained"]["frechet"]
        share = f"{distance / first:.2f}" if first else ""
        figures = (distance, entry["untrained"]["frechet"])
        numbers = [f"{entry['seconds']:.0f} s", f"{entry['images']:,}", *(f"{value:.3g}" for value in figures)]
        yield row(f"`{title(entry)}`", *numbers, share, f"{entry['trained']['entropy']:.3g}")


def title(entry: Row) -> str:
    """A GAN and its recipe."""
    return f"{entry['gan']}:{entry['recipe']}" if entry["recipe"] else str(entry["gan"])


def legend(protocol: Mapping[str, Any]) -> str:
    """What a reader must know of the figures of one table."""
    facts = {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in protocol.items()}
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items() if name != "measured")


def setting(entry: Row) -> str:
    """On what a row was measured."""
    machine = entry["machine"]
    threads = f"{machine['cpu threads']} thread{'s' * (str(machine['cpu threads']) != '1')}"
    return (
        f"torch {machine['torch']}, Python {machine['python']}, {machine['cpu']}, {threads}, "
        f"seed {entry['seed']}, commit {entry['commit'][:7]}"
    )


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Writes the tables of what the GANs learned.")
    parser.add_argument("results", nargs="*", type=Path, metavar="ROW.json", help="default: all of quality in results/")
    parser.add_argument("--docs", type=Path, default=DOCS, metavar="FOLDER", help="where quality.md is")
    given = parser.parse_args(words)
    try:
        rows = read(given.results or sorted(RESULTS.glob("quality-*.json")))
        file = given.docs / "quality.md"
        file.write_text(insert(file, tables(rows)), encoding="utf-8")
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
