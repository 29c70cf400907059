"""Makes the README's tables from results, and puts them there: `python benchmarks/table.py [RESULT.json ...]`."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


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


@dataclass(frozen=True)
class Result:
    """One benchmark of a result file."""

    name: str
    facts: Mapping[str, Any]
    machine: Mapping[str, str]
    commit: str

    @property
    def hardware(self) -> str:
        """What it was measured on, in words."""
        return f"{self.machine[self.facts['device']]}, {self.facts['precision']}"

    @property
    def kind(self) -> str:
        """The kind of device: cpu or cuda."""
        return str(self.facts["device"]).partition(":")[0]


def goal(name: str, device: str) -> str | None:
    """What is written beside a measurement, if it has a goal on that kind of device."""
    found = (
        least for row in GOALS if row.device == device for start, least in row.least.items() if name.startswith(start)
    )
    return next((aim(least) for least in found), None)


def line(facts: Mapping[str, Any]) -> str:
    """What was measured in words, for who waits for it at the terminal."""
    words = {
        "images_per_second": "{images_per_second:,.4g} images/s",
        "ratio": "{ratio:.2f}x ({ratio_min:.2f} to {ratio_max:.2f}): {seconds:.4g} s against {reference_seconds:.4g} s",
        "goal": "goal {goal}",
        "share_of_peak": "{flops_per_second:.3g} FLOP/s, {share_of_peak:.1%} of the {peak_precision} peak",
        "peak_memory_mib": "at most {peak_memory_mib:,.0f} MiB",
    }
    return "; ".join(form.format(**facts) for fact, form in words.items() if fact in facts)


def aim(least: float) -> str:
    """A goal in words."""
    return f"≥ {least:g}x" if least >= 1 else f"≥ {least:.0%}"


def read(files: Iterable[Path]) -> list[Result]:
    """What files hold of trainings and generations; smoke passes measure nothing.

    Raises:
        ValueError: naming the file that pytest-benchmark did not write.
    """
    results = []
    for file in files:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            machine, commit = content["machine_info"], content["commit_info"]["id"]
            found = [Result(entry["name"], entry["extra_info"], machine, commit) for entry in content["benchmarks"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file} is no result of pytest-benchmark") from error
        results += [result for result in found if "precision" in result.facts and not result.facts.get("smoke")]
    return results


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


def throughput_rows(results: Sequence[Result]) -> Iterator[str]:
    """A row for each GAN, a column for each machine."""
    speeds = {
        (result.facts["gan"], result.hardware, result.name.partition("[")[0]): result
        for result in results
        if result.name.startswith(("test_training[", "test_generation["))
    }
    machines = sorted({machine for _, machine, _ in speeds})
    if not machines:
        return
    yield row("GAN", "images", *machines)
    yield row(*["---"] * 2, *["---:"] * len(machines))
    for gan in sorted({gan for gan, _, _ in speeds}):
        facts = next(result.facts for (name, _, _), result in speeds.items() if name == gan)
        cells = [
            " / ".join(speed(speeds.get((gan, machine, work))) for work in ("test_training", "test_generation"))
            for machine in machines
        ]
        yield row(f"`{gan}`", f"{facts['size']}, batch {facts['batch_size']}", *cells)


def speed(result: Result | None) -> str:
    """Images per second, to three digits."""
    if result is None:
        return "unmeasured"
    number = float(f"{result.facts['images_per_second']:.3g}")
    return f"{number:,.0f}" if number >= 100 else f"{number:g}"


def version(result: Result) -> str:
    """What was measured with what."""
    return f"torch {result.machine['torch']}, Python {result.machine['python']}, commit {result.commit[:7]}"


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def insert(file: Path, content: str) -> str:
    """A file's text with the content between its markers.

    Raises:
        ValueError: it has not both of them, in their order.
    """
    before, begin, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{file} has no {BEGIN} with a {END} after it: put both where the tables should be")
    return f"{before}{begin}\n{content}\n{end}{after}"


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
