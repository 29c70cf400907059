"""Files of results, as pytest-benchmark writes them, read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.base.io import number, parse_json

UNVERSIONED = "unversioned"
"""In place of a commit, where what was measured is an installed package."""

WORK = {
    "training": "training, one iteration",
    "generation": "making one batch",
    "saving": "saving a checkpoint",
    "resuming": "resuming from one",
    "eager": "one iteration, data at hand",
}
"""What is measured of every GAN, in words."""
NUMBERS = ("images_per_second", "peak_memory_mib", "checkpoint_mib", "ratio", "ratio_min", "ratio_max")
"""Facts that are numbers, where they are known."""
RATIOS = ("ratio_min", "ratio_max")
"""What stands beside a ratio."""
SPEEDS = ("training", "generation")
"""Work that is measured in images per second."""


@dataclass(frozen=True)
class Result:
    """One benchmark of a result file."""

    name: str
    facts: Mapping[str, Any]
    machine: Mapping[str, str]
    commit: str
    stats: Mapping[str, float]
    """Pytest-benchmark's own, in seconds; of training they are those of a whole cycle of its players."""
    changed: bool = False
    """Whether there were changes besides the commit."""

    @property
    def hardware(self) -> str:
        """What it was measured on, in words."""
        place = self.machine[self.facts["device"]]
        threads = self.machine.get("cpu threads")
        # Torch uses all cores unless it is told otherwise, or two of them are one core's hardware threads.
        fewer = self.kind == "cpu" and threads is not None and not place.endswith(f" {threads} cores")
        return ", ".join(
            [place, *([f"{threads} thread" + "s" * (threads != "1")] if fewer else []), self.facts["precision"]]
        )

    @property
    def kind(self) -> str:
        """The kind of device: cpu or cuda."""
        return str(self.facts["device"]).partition(":")[0]

    @property
    def seconds(self) -> tuple[float, float, float]:
        """Of an iteration, a batch or a checkpoint: the median of all rounds, the shortest, the longest."""
        median = self.stats["median"]
        share = self.facts.get("seconds", median) / median  # one iteration's, of a cycle
        return share * median, share * self.stats["min"], share * self.stats["max"]

    @property
    def versions(self) -> tuple[str, ...]:
        """What it was measured with: of torch and Python; of a package ganzoo's own, and what brought the GAN."""
        used = self.machine["torch"], self.machine["python"]
        if self.commit != UNVERSIONED:
            return used
        return *used, self.machine["ganzoo"], self.facts.get("from", "")

    @property
    def work(self) -> str:
        """What was measured: training, generation, ..."""
        return self.name.partition("[")[0].removeprefix("test_")

    @property
    def options(self) -> str:
        """What it was told beside size and batch, in words; empty: nothing."""
        return ", ".join(f"{name}={value}" for name, value in self.facts.get("options", {}).items())

    @property
    def images(self) -> str:
        """The images that it was measured on, in words."""
        words = f"{self.facts['size']}, batch {self.facts['batch_size']}"
        return f"{words}, {self.options}" if self.options else words


def read(files: Iterable[Path], smoke: bool = False) -> list[Result]:
    """What files hold of trainings and generations.

    Args:
        files: that pytest-benchmark wrote.
        smoke: whether smoke passes are wanted, which measure nothing.

    Raises:
        ValueError: naming the file that pytest-benchmark did not write.
        OSError: a file cannot be read.
    """
    results = []
    for file in files:
        try:
            found = parse(parse_json(file.read_bytes()))
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{file} is no result of pytest-benchmark") from error
        results += [result for result in found if smoke or not result.facts.get("smoke")]
    return results


def parse(content: Mapping[str, Any]) -> list[Result]:
    """What a file's content holds of trainings and generations."""
    machine, commit = content["machine_info"], content["commit_info"]
    found = [
        Result(
            entry["name"],
            entry["extra_info"],
            machine,
            commit["id"],
            entry.get("stats", {}),
            bool(commit.get("dirty")),
        )
        for entry in content["benchmarks"]
    ]
    found = [result for result in found if "precision" in result.facts]
    for result in found:
        _check(result)
    return found


def _check(result: Result) -> None:
    """Finds what tables could not be made of, in a file that anybody may have written."""
    if result.work in WORK:
        parts = [result.facts["gan"], result.images, result.hardware, result.commit, *result.versions]
        numbers = [*result.seconds, result.stats["rounds"]]
        numbers += [result.facts[name] for name in NUMBERS if name in result.facts]
        numbers += [result.facts[name] for name in RATIOS if "ratio" in result.facts]
        numbers += [result.facts["images_per_second"]] if result.work in SPEEDS else []
        if not all(isinstance(part, str) for part in parts) or any(number(value) is None for value in numbers):
            raise ValueError(f"{result.name} has facts that cannot be")
