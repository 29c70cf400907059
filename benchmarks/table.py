"""Makes the README's tables from results, and puts them there: `python benchmarks/table.py [RESULT.json ...]`."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganzoo_bench.results import Result, read
from ganzoo_bench.tables import insert, row, throughput_rows, version

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Goal:
    """One row: what is measured against what, and how much is enough."""

    work: str
    reference: str
    device: str
    """The kind of device that it is a goal for."""
    least: Mapping[str, float]
    """How the names of the benchmarks begin, and the least ratio; below 1: the least share of the peak. Where several
    begin so, the least ratio counts (the same work, measured twice), or the best share (of several batches)."""


CHAPTER, PLAIN = "the chapter's loop", "a plain loop"
GOALS = (
    Goal("DCGAN 64x64 batch 32, CPU, end to end", CHAPTER, "cpu", {"test_dcgan[32-default-end-to-end]": 5}),
    Goal("DCGAN 64x64 batch 32, CPU, end to end, fp32", CHAPTER, "cpu", {"test_dcgan[32-fp32-end-to-end]": 2.2}),
    Goal("Pix2Pix 256x256 batch 1, CPU, step only", PLAIN, "cpu", {"test_pix2pix[1-": 1.7}),
    Goal(
        "DCGAN 64x64 batch 32, GPU, end to end / step only",
        CHAPTER,
        "cuda",
        {"test_dcgan[32-default-end-to-end]": 15, "test_dcgan[32-default-step-only]": 4},
    ),
    Goal(
        "DCGAN 64x64 batch 1024, GPU, end to end / step only",
        CHAPTER,
        "cuda",
        {"test_dcgan[1024-default-end-to-end]": 25, "test_dcgan[1024-default-step-only]": 2},
    ),
    Goal(
        "Pix2Pix 256x256 batch 1 / batch 16, GPU, step only",
        PLAIN,
        "cuda",
        {"test_pix2pix[1-default]": 3, "test_pix2pix[16-default]": 2.2},
    ),
    Goal("Pix2Pix 256x256, GPU, best batch: share of the bf16 peak", "matrix product", "cuda", {"test_peak": 0.3}),
    Goal("WGAN-GP 64x64 batch 64, GPU, captured", "our own eager mode", "cuda", {"test_captured": 3}),
)


def goal(name: str, device: str) -> str | None:
    """What is written beside a measurement, if it has a goal on that kind of device."""
    found = (
        least for row in GOALS if row.device == device for start, least in row.least.items() if name.startswith(start)
    )
    return next((aim(least) for least in found), None)


def aim(least: float) -> str:
    """A goal in words."""
    return f"≥ {least:g}x" if least >= 1 else f"≥ {least:.0%}"


def of_speed(folder: Path) -> list[Path]:
    """The results that are kept there, but for those of quality, which `quality_table.py` reads."""
    return sorted(file for file in folder.glob("*.json") if not file.name.startswith("quality-"))


def tables(results: Sequence[Result]) -> str:
    """Everything between the markers."""
    parts = ["\n".join(goal_rows(results))]
    if throughput := list(throughput_rows(results)):
        parts += ["Images per second, training / generation:", "\n".join(throughput)]
    if versions := sorted({version(result) for result in results}):
        parts.append("Measured with " + "; ".join(versions) + ". How: [benchmarks](benchmarks/README.md).")
    return "\n\n".join(parts)


def goal_rows(results: Sequence[Result]) -> Iterator[str]:
    """A row for each goal and each machine on which it was measured."""
    yield row("work", "reference", "goal", "measured (spread)", "on")
    yield row(*["---"] * 5)
    for target in GOALS:
        wanted = " / ".join(aim(least) for least in target.least.values())
        places = dict.fromkeys(result.hardware for start in target.least for result in matching(results, target, start))
        for place in places or [""]:
            here = [result for result in results if result.hardware == place]
            cells = [measured(matching(here, target, start), least) for start, least in target.least.items()]
            yield row(target.work, target.reference, wanted, " / ".join(cells) if place else "unmeasured", place)


def matching(results: Sequence[Result], target: Goal, start: str) -> list[Result]:
    """The results that tell about a goal."""
    return [result for result in results if result.kind == target.device and result.name.startswith(start)]


def measured(results: Sequence[Result], least: float) -> str:
    """The least ratio, or the best share, of some results; bold if it is enough."""
    if not results:
        return "unmeasured"
    fact = "ratio" if least >= 1 else "share_of_peak"
    facts = (min if least >= 1 else max)((result.facts for result in results), key=lambda facts: facts[fact])
    value = f"{facts[fact]:.2f}x" if least >= 1 else f"{facts[fact]:.0%}"
    spread = f" ({facts['ratio_min']:.2f} to {facts['ratio_max']:.2f})" if least >= 1 else ""
    return (f"**{value}**" if facts[fact] >= least else value) + spread


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Makes the README's benchmark tables from result files.")
    parser.add_argument(
        "results", nargs="*", type=Path, metavar="RESULT.json", help="default: all of speed in results/"
    )
    parser.add_argument("--print", action="store_true", dest="only_print", help="print the tables, change nothing")
    parser.add_argument("--into", type=Path, default=HERE.parent / "README.md", metavar="FILE", help="default: README")
    given = parser.parse_args(words)
    try:
        content = tables(read(given.results or of_speed(HERE / "results")))
        if given.only_print:
            sys.stdout.write(content + "\n")
        else:
            given.into.write_text(insert(given.into, content), encoding="utf-8")
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
