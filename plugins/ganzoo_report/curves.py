"""Curves of what a run logged and measured: grouped so that each can be read, and thinned so that a page bears them."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, median
from typing import Any

from ganzoo.base.io import number
from ganzoo.config import flat
from ganzoo.run_folders import leading
from ganzoo_report.record import Record

POINTS = 1500
"""Points of a curve at most."""
APART = 8.0
"""Terms whose usual sizes differ by more than this factor are drawn apart."""


UNSET = "—"
"""What stands where nothing was said, or nothing is known."""
DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Series:
    """One curve."""

    name: str
    x: list[float]
    """Iterations."""
    y: list[float | None]
    """None: it was no finite number."""
    run: int = 0
    """Which of the runs of the page."""
    per_epoch: float | None = None
    """Iterations of one epoch."""
    batch: float | None = None
    """Images of one iteration."""

    @property
    def values(self) -> list[float]:
        """Those that are numbers."""
        return [value for value in self.y if value is not None]

    @property
    def facts(self) -> dict[str, float]:
        """The curve for those who do not see it."""
        known = self.values
        return {"first": known[0], "lowest": min(known), "highest": max(known), "last": known[-1]} if known else {}


@dataclass(frozen=True)
class Panel:
    """One chart."""

    title: str
    series: list[Series]
    noisy: bool = True
    """Whether smoothing helps to see where the curves go."""
    unit: str = ""
    legend: bool = False
    """Whether its title does not say what its curves are."""

    @property
    def positive(self) -> bool:
        """Whether it can be drawn on a logarithmic axis."""
        values = [value for series in self.series for value in series.values]
        return bool(values) and min(values) > 0

    @property
    def is_single(self) -> bool:
        """Whether there is one point of each curve, so that a chart would show nothing more than the number."""
        return all(len(series.values) == 1 for series in self.series)

    @property
    def drawn(self) -> dict[str, Any]:
        """What the page's script draws it from."""
        return {**asdict(self), "positive": self.positive}


@dataclass(frozen=True)
class Charts:
    """What was measured by one protocol."""

    protocol: dict[str, str]
    panels: list[Panel] = field(default_factory=list)


def losses(record: Record) -> list[Panel]:
    """A chart for each player; several where its terms are of different sizes."""
    players: dict[str, list[Series]] = {}
    for term, series in _terms(record).items():
        player, _, name = term.partition("/")
        players.setdefault(player, []).append(_renamed(series, name))
    groups = [(player, group) for player, terms in players.items() for group in _of_one_size(terms)]
    return [
        Panel(player, group, legend=True) if len(group) > 1 else Panel(f"{player} · {group[0].name}", group)
        for player, group in groups
    ]


def losses_of(records: Sequence[Record]) -> list[Panel]:
    """A chart for each term, with a curve for each run that has it."""
    terms: dict[str, list[Series]] = {}
    for index, record in enumerate(records):
        for term, series in _terms(record, index).items():
            terms.setdefault(term, []).append(_renamed(series, record.name))
    return [Panel(term.replace("/", " · ", 1), series, legend=True) for term, series in terms.items()]


def speed(records: Sequence[Record]) -> Panel | None:
    """Images per second over time; None: nothing was logged."""
    name = "images_per_second"
    found = [_series(record, name, index) for index, record in enumerate(records)]
    several = len(records) > 1
    series = [
        _renamed(one, record.name if several else "speed")
        for record, one in zip(records, found, strict=True)
        if one.values
    ]
    return Panel("speed", series, unit="images/s", legend=several) if series else None


def measured(records: Sequence[Record]) -> list[Charts]:
    """A chart for each figure of each protocol: what was measured in different ways is never in one curve.

    What a protocol says of single metrics matters to their own figures only; how images were sampled, a GAN's own
    affair, makes curves of their own in the same chart.
    """
    protocols: dict[str, Charts] = {}
    charts: dict[tuple[str, ...], Panel] = {}
    drawn: dict[tuple[str, ...], Series] = {}
    for index, record in enumerate(records):
        for row in sorted(record.evaluations, key=lambda row: float(row["iteration"])):
            shared, metrics, sampling = _protocol(row)
            key = json.dumps(shared, sort_keys=True)
            for name, value in flat(row["figures"] if isinstance(row.get("figures"), dict) else {}):
                if (figure := number(value)) is None:
                    continue
                one = protocols.setdefault(key, Charts(_words(shared)))
                own = _told(metrics.get(name))
                if (key, name, own) not in charts:
                    panel = charts[key, name, own] = Panel(name, [], noisy=False, unit=own, legend=len(records) > 1)
                    one.panels.append(panel)
                curve = (key, name, own, str(index), sampling)
                if curve not in drawn:
                    label = ", ".join(filter(None, (record.name if len(records) > 1 else name, sampling)))
                    drawn[curve] = _empty(record, label, index)
                    charts[key, name, own].series.append(drawn[curve])
                drawn[curve].x.append(float(row["iteration"]))
                drawn[curve].y.append(figure)
    return list(protocols.values())


def headlines(record: Record, most: int = 3) -> dict[str, str]:
    """The figures of the evaluation that leads, each under its name and the protocol in brief."""
    row = leading(record.evaluations) if record.evaluations else {}
    if not isinstance(row.get("figures"), dict):
        return {}
    shared, _, sampling = _protocol(row)
    words = [shown(shared[part]) for part in ("extractor", "samples", "split") if shared.get(part) is not None]
    how = ", ".join(filter(None, (*words, sampling)))
    figures = [(name, figure) for name, value in flat(row["figures"]) if (figure := number(value)) is not None]
    return {f"{name} ({how})" if how else name: f"{figure:.4g}" for name, figure in figures[:most]}


def _words(values: Mapping[str, Any]) -> dict[str, str]:
    """What is said of them at all."""
    return {name: words for name, value in flat(values) if (words := shown(value)) != UNSET}


def _protocol(row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """What all figures of a line share; the options of each metric; those of the GAN, in words."""
    found = row.get("protocol")
    protocol = dict(found) if isinstance(found, dict) else {"protocol": found or "not said"}
    metrics, sampling = (protocol.pop(part, None) for part in ("metrics", "sampling"))
    return protocol, metrics if isinstance(metrics, dict) else {}, _told(sampling)


def _told(options: object) -> str:
    """Options in words, digests in brief."""
    values = flat(options) if isinstance(options, dict) else ()
    return ", ".join(f"{name} {brief(shown(value))}" for name, value in values)


def brief(text: str) -> str:
    """A SHA-256 by its first digits; all else as it is."""
    return f"{text[:8]}…" if DIGEST.fullmatch(text) else text


def seconds(record: Record) -> float:
    """How long it has trained, by the speed it logged."""
    whole, before = 0.0, 0.0
    for row in record.rows:
        images, rate = number(row.get("images")), number(row.get("images_per_second"))
        if images is not None and rate:
            whole += max(0.0, images - before) / rate
            before = images
    return whole


def shown(value: object) -> str:
    """A value of JSON as people write it."""
    if value is None or value in ({}, []):
        return UNSET
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _terms(record: Record, run: int = 0) -> dict[str, Series]:
    names = dict.fromkeys(name for row in record.rows for name in row if "/" in name)
    found = {name: _series(record, name, run) for name in names}
    return {name: series for name, series in found.items() if series.values}


def _series(record: Record, name: str, run: int = 0) -> Series:
    points = [(float(row["iteration"]), number(row[name])) for row in record.rows if name in row]
    series = _empty(record, name, run)
    for part in _parts(points):
        known = [value for _, value in part if value is not None]
        series.x.append(part[-1][0])
        series.y.append(float(f"{fmean(known):.6g}") if known else None)
    return series


def _parts(points: list[tuple[float, float | None]]) -> Iterable[list[tuple[float, float | None]]]:
    """As many parts as there may be points: each becomes one, their mean, as lines of metrics are means themselves."""
    size = math.ceil(len(points) / POINTS) or 1
    return (points[start : start + size] for start in range(0, len(points), size))


def _empty(record: Record, name: str, run: int) -> Series:
    return Series(name, [], [], run, record.per_epoch, record.batch_size)


def _renamed(series: Series, name: str) -> Series:
    return Series(name, series.x, series.y, series.run, series.per_epoch, series.batch)


def _of_one_size(terms: list[Series]) -> list[list[Series]]:
    """Terms that can be read on one axis, in the order in which they were logged."""
    sizes = {id(series): median(map(abs, series.values)) for series in terms}
    groups: list[list[Series]] = []
    for series in sorted(terms, key=lambda series: sizes[id(series)]):
        least = sizes[id(groups[-1][0])] if groups else 0.0
        if groups and sizes[id(series)] <= APART * least:
            groups[-1].append(series)
        else:
            groups.append([series])
    order = {id(series): place for place, series in enumerate(terms)}
    ordered = [sorted(group, key=lambda series: order[id(series)]) for group in groups]
    return sorted(ordered, key=lambda group: order[id(group[0])])
