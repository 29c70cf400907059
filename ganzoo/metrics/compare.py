"""Comparison of runs: metrics of one protocol, and differences that exceed those between seeds."""

import itertools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganzoo.config import validate
from ganzoo.contract.metric import Metric
from ganzoo.errors import OptionError, RunFolderError, UnknownName, UserError
from ganzoo.metrics.protocol import Protocol
from ganzoo.options.checkpoint import CheckpointOptions
from ganzoo.options.run import RunOptions
from ganzoo.options.validation import ValidationOptions
from ganzoo.runs.folder import RunFolder
from ganzoo.runs.locate import locate

NO_MATTER = frozenset(
    {
        "seed",
        "workers",
        "restarts",
        "device",
        "threads",
        "keep_memory",
        *CheckpointOptions.model_fields,
        *ValidationOptions.model_fields,
    }
)
"""Options of a run that do not make it a different experiment."""
STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Two-sided 95 % quantiles of Student's t distribution for 1, 2, ... degrees of freedom."""


@dataclass(frozen=True)
class Measurement:
    """Line of a run's evaluations."""

    run: Path
    gan: str
    seed: object
    experiment: str
    """Key of the experiment, the same for runs that differ only in their seed."""
    iteration: int
    protocol: Protocol
    figures: Mapping[str, float]

    chosen_by: str | None = None
    """Metric by which it is the best of its run; None: it is the latest."""

    @property
    def group(self) -> tuple[str, int | None]:
        """Key of runs whose figures differ only by chance; for best measurements, the iteration is chance as well."""
        return self.experiment, None if self.chosen_by else self.iteration


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seed."""

    name: str
    runs: Sequence[Measurement]

    def values(self, figure: str) -> list[float]:
        """Return this figure of each run."""
        return [run.figures[figure] for run in self.runs]


@dataclass(frozen=True)
class Contrast:
    """Difference between the means of two groups in one figure."""

    figure: str
    first: str
    second: str
    difference: float
    """Mean of the first group minus that of the second."""
    chance: float | None
    """Difference exceeded by chance in one case of twenty if the groups are equal; None with one seed each."""
    better: str | None
    """Better group, if the difference exceeds chance."""


def measured(runs: Sequence[Path], best: str | None = None) -> list[Measurement]:
    """Return the latest line of each run, or the best by a metric, of a protocol that all runs share.

    Raises:
        RunFolderError: if one is no run folder, or was not evaluated.
        UserError: if there is no common protocol, with the differences and a command.
        OptionError: if a run is named twice, fewer than two are named, or a metric was not measured.
        UnknownName: if there is no such metric.
    """
    if len(runs) < 2:
        raise OptionError("name at least two runs to compare")
    lines = [lines_of(RunFolder(locate(run))) for run in runs]
    for reference in reversed(lines[0]):
        alike = [[line for line in mine if not line.protocol.differences(reference.protocol)] for mine in lines]
        if all(alike):
            chosen = [_chosen(mine, best) for mine in alike]
            break
    else:
        raise _of_two_protocols(lines)
    for first, second in itertools.combinations(chosen, 2):
        if different := first.protocol.differences(second.protocol):
            raise _not_alike(first, second, different)
        if (first.seed, first.group) == (second.seed, second.group):
            raise OptionError(
                f"'{first.run}' and '{second.run}' are the same run with the same seed, {first.seed}: leave one out, "
                "or train one with another --seed"
            )
    return chosen


def lines_of(folder: RunFolder) -> list[Measurement]:
    """Return the measurements of a run, the latest last.

    Raises:
        RunFolderError: if it is no run folder, or was not evaluated.
    """
    config = folder.read(folder.config)
    gan = config.get("gan")
    name = str(gan.get("name", "")) if isinstance(gan, dict) else ""
    with suppress(UserError):  # with defaults for newer options; else as written
        config = validate(RunOptions, config).model_dump(mode="json")
    kept = {key: value for key, value in config.items() if key not in NO_MATTER}
    experiment = json.dumps(kept, sort_keys=True)
    found = []
    for line in folder.lines(folder.evaluations):
        try:
            protocol = Protocol.model_validate(line["protocol"])
            figures = {key: float(value) for key, value in line["figures"].items() if value is not None}
            iteration = int(line["iteration"])
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, ValidationError):
            continue  # from another version of ganzoo, or not ours
        found.append(Measurement(folder.path, name, config.get("seed"), experiment, iteration, protocol, figures))
    if not found:
        raise RunFolderError(f"{folder.path} was not measured yet: `ganzoo evaluate {folder.path}` does it")
    return found


def _chosen(lines: Sequence[Measurement], best: str | None) -> Measurement:
    if best is None:
        return lines[-1]
    kinds = Metric.choices()
    if best not in kinds:
        raise UnknownName(Metric.noun, best, kinds)
    having = [line for line in lines if best in line.figures]
    if not having:
        there = sorted({name for line in lines for name in line.figures})
        raise OptionError(f"'{best}' was not measured of '{lines[0].run}'; there are: {', '.join(there)}")
    return replace(min(having, key=lambda line: kinds[best].cost(line.figures[best])), chosen_by=best)


def _of_two_protocols(lines: Sequence[Sequence[Measurement]]) -> UserError:
    reference = lines[0][-1]
    told = ((mine[-1], mine[-1].protocol.differences(reference.protocol)) for mine in lines[1:])
    other, different = next(pair for pair in told if pair[1])
    return _not_alike(other, reference, different)


def _not_alike(first: Measurement, second: Measurement, different: Mapping[str, str]) -> UserError:
    told = "; its ".join(different.values())
    fixed = [different[name] for name in second.protocol.beyond_options(different)]
    advice = (
        f"no option makes them alike: its {'; its '.join(fixed)}"
        if fixed
        else f"measure it in the same way: `{second.protocol.command(first.run, different)}`"
    )
    return UserError(f"figures of '{first.run}' and of '{second.run}' cannot be compared: its {told}\n{advice}")


def grouped(runs: Sequence[Measurement]) -> list[Group]:
    """Group runs that differ only in their seed."""
    groups: dict[tuple[str, int | None], list[Measurement]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    return [Group(letters(number), members) for number, members in enumerate(groups.values())]


def letters(number: int) -> str:
    """Return the name of a group: A, B, ..., Z, AA, AB, ..."""
    return (letters(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


def shared(runs: Sequence[Measurement]) -> list[str]:
    """Return the figures that all runs have."""
    return [name for name in runs[0].figures if all(name in run.figures for run in runs)]


def lacking(runs: Sequence[Measurement]) -> dict[str, list[Path]]:
    """Return the figures that only some runs have, and the runs without them."""
    known = dict.fromkeys(name for run in runs for name in run.figures)
    without = {name: [run.run for run in runs if name not in run.figures] for name in known}
    return {name: paths for name, paths in without.items() if paths}


def differences(groups: Sequence[Group], figures: Sequence[str]) -> list[Contrast]:
    """Compare each two groups in each figure."""
    pairs = itertools.product(figures, itertools.combinations(groups, 2))
    return [_difference(figure, first, second) for figure, (first, second) in pairs]


def _difference(figure: str, first: Group, second: Group) -> Contrast:
    mine, theirs = first.values(figure), second.values(figure)
    means = statistics.fmean(mine), statistics.fmean(theirs)
    difference = means[0] - means[1]
    chance, kind = by_chance(mine, theirs), Metric.choices().get(figure)
    better = None
    if chance is not None and abs(difference) > chance and kind is not None:
        better = first.name if kind.cost(means[0]) < kind.cost(means[1]) else second.name
    return Contrast(figure, first.name, second.name, difference, chance, better)


def by_chance(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return the difference of two means that is exceeded by chance in one case of twenty if there is none.

    Student's t of two samples with equal variance: t s (1/n + 1/m)^1/2 with n + m - 2 degrees of freedom and the pooled
    standard deviation s. One seed on one side is enough, if there are more on the other. None with one on each.
    """
    freedom = len(first) + len(second) - 2
    if freedom < 1:
        return None
    squares = sum((len(values) - 1) * variance(values) for values in (first, second))
    return _student(freedom) * math.sqrt(squares / freedom * (1 / len(first) + 1 / len(second)))


def _student(freedom: int) -> float:
    return STUDENT[min(freedom, len(STUDENT)) - 1]


def variance(values: Sequence[float]) -> float:
    """Return the sample variance, or 0 for a single value."""
    return statistics.variance(values) if len(values) > 1 else 0.0


def brief(value: float) -> str:
    """Format a figure with four significant digits."""
    return f"{value:.4g}"


def as_json(runs: Sequence[Measurement], groups: Sequence[Group], found: Sequence[Contrast]) -> dict[str, Any]:
    """Return a whole comparison as JSON data."""
    names = {run.run: group.name for group in groups for run in group.runs}
    return {
        "protocol": runs[0].protocol.model_dump(mode="json", exclude_none=True),
        "runs": [
            {
                "run": str(run.run),
                "group": names[run.run],
                "gan": run.gan,
                "seed": run.seed,
                "iteration": run.iteration,
                "figures": dict(run.figures),
            }
            for run in runs
        ],
        "groups": [
            {
                "group": group.name,
                "seeds": len(group.runs),
                "mean": {figure: statistics.fmean(group.values(figure)) for figure in shared(runs)},
                "deviation": {
                    figure: math.sqrt(variance(group.values(figure))) if len(group.runs) > 1 else None
                    for figure in shared(runs)
                },
            }
            for group in groups
        ],
        "differences": [vars(difference) for difference in found],
        "not_measured": {figure: [str(path) for path in paths] for figure, paths in lacking(runs).items()},
    }
