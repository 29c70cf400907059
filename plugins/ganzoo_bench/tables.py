"""What results say: in Markdown, as the README has it, and in rows for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ganzoo_bench.results import SPEEDS, UNVERSIONED, WORK, Result

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
"""Between them stand the tables, in a README."""


def markdown(results: Sequence[Result]) -> str:
    """Images per second and with what they were measured: what a package publishes; empty if nothing was measured."""
    rows = list(throughput_rows(results))
    if not rows:
        return ""
    measured = "; ".join(sorted({version(result) for result in results}))
    parts = ["Images per second, training / generation:", "\n".join(rows), f"Measured with {measured}."]
    return "\n\n".join(parts)


def throughput_rows(results: Sequence[Result]) -> Iterator[str]:
    """A row for each GAN and images, a column for each machine; of the same work measured twice the later counts."""
    speeds = {
        (result.facts["gan"], result.images, result.hardware, result.work): result
        for result in results
        if result.work in SPEEDS
    }
    machines = sorted({machine for _, _, machine, _ in speeds})
    if not machines:
        return
    yield row("GAN", "images", *machines)
    yield row(*["---"] * 2, *["---:"] * len(machines))
    for gan, images in sorted({(gan, images) for gan, images, _, _ in speeds}):
        cells = [" / ".join(speed(speeds.get((gan, images, machine, work))) for work in SPEEDS) for machine in machines]
        yield row(f"`{gan}`", images, *cells)


def speed(result: Result | None) -> str:
    """Images per second, to three digits."""
    return "unmeasured" if result is None else brief(result.facts["images_per_second"])


def brief(value: float) -> str:
    """A number to three digits."""
    number = float(f"{value:.3g}")
    return f"{number:,.0f}" if number >= 100 else f"{number:g}"


def version(result: Result) -> str:
    """What was measured with what."""
    used = [f"torch {result.machine['torch']}", f"Python {result.machine['python']}"]
    if result.commit != UNVERSIONED:
        return ", ".join([*used, f"commit {result.commit[:7]}{' with changes' if result.changed else ''}"])
    ours = f"ganzoo {result.machine['ganzoo']}"
    theirs = result.facts.get("from", ours)
    return ", ".join([*used, ours, *([theirs] if theirs != ours else [])])


def table_of(results: Sequence[Result]) -> list[dict[str, object]]:
    """What was measured of one GAN, in words: rows for a terminal."""
    rows: list[dict[str, object]] = []
    for result in results:
        median, *ends = map(duration, result.seconds)
        rows.append(
            {
                "work": WORK[result.work],
                "median": median,
                "spread": " to ".join(ends),
                "images/s": speed(result) if "images_per_second" in result.facts else "",
                "memory": mebibytes(result.facts.get("peak_memory_mib")),
                "note": remark(result),
            }
        )
    return rows


def remark(result: Result) -> str:
    """What else there is to say of a result."""
    facts = result.facts
    if "ratio" in facts:
        return "{ratio:.2f}x as fast as eager mode ({ratio_min:.2f} to {ratio_max:.2f})".format(**facts)
    return f"of {mebibytes(facts['checkpoint_mib'])}" if "checkpoint_mib" in facts else ""


def duration(seconds: float) -> str:
    """A time in the unit that suits it, to three digits."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{brief(seconds * factor)} {unit}"
    return f"{brief(seconds * 1e6)} µs"


def mebibytes(size: float | None) -> str:
    """A size; empty if it is not known."""
    return "" if size is None else f"{brief(size)} MiB"


def row(*cells: str) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"


def insert(file: Path, content: str) -> str:
    """A file's text with the content between its markers.

    Raises:
        ValueError: it has not both of them, in their order.
        OSError: it cannot be read.
    """
    before, begin, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{file} has no {BEGIN} with a {END} after it: put both where the tables should be")
    return f"{before}{begin}\n{content}\n{end}{after}"


def line(facts: Mapping[str, object]) -> str:
    """What was measured in words, for who waits for it at the terminal."""
    words = {
        "images_per_second": "{images_per_second:,.4g} images/s",
        "ratio": "{ratio:.2f}x ({ratio_min:.2f} to {ratio_max:.2f}): {seconds:.4g} s against {reference_seconds:.4g} s",
        "goal": "goal {goal}",
        "share_of_peak": "{flops_per_second:.3g} FLOP/s, {share_of_peak:.1%} of the {peak_precision} peak",
        "peak_memory_mib": "at most {peak_memory_mib:,.0f} MiB",
    }
    return "; ".join(form.format(**facts) for fact, form in words.items() if fact in facts)
