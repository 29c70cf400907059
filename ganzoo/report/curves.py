"""Curves of what a run logged and measured: grouped so that each can be read, and thinned so that a page bears them."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean, median
from typing import Any

from ganzoo.report.record import Record, number

POINTS = 1500
"""Points of a curve at most."""
APART = 8.0
"""Terms whose usual sizes differ by more than this factor are drawn apart."""


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

    @property
    def positive(self) -> bool:
        """Whether it can be drawn on a logarithmic axis."""
        values = [value for series in self.series for value in series.values]
        return bool(values) and min(values) > 0

    @property
    def drawn(self) -> dict[str, Any]:
        """What the page's script draws it from."""
        return {**asdict(self), "positive": self.positive}


@dataclass(frozen=True)
class Measured:
    """What was measured by one protocol."""

    protocol: dict[str, str]
    panels: list[Panel] = field(default_factory=list)


def losses(record: Record) -> list[Panel]:
    """A chart for each player; several where its terms are of different sizes."""
    players: dict[str, list[Series]] = {}
    for term, series in _terms(record).items():
        player, _, name = term.partition("/")
        players.setdefault(player, []).append(_renamed(series, name))
    return [
        Panel(player, group)
        for player, terms in players.items()
        for group in _of_one_size(terms)
    ]


def losses_of(records: Sequence[Record]) -> list[Panel]:
    """A chart for each term, with a curve for each run that has it."""
    terms: dict[str, list[Series]] = {}
    for index, record in enumerate(records):
        for term, series in _terms(record, index).items():
            terms.setdefault(term, []).append(_renamed(series, record.name))
    return [Panel(term.replace("/", " · ", 1), series) for term, series in terms.items()]


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
    return Panel("speed", series, unit="images/s") if series else None


def measured(records: Sequence[Record]) -> list[Measured]:
    """A chart for each figure of each protocol: what was measured in different ways is never in one curve."""
    protocols: dict[str, Measured] = {}
    for index, record in enumerate(records):
        own: dict[str, dict[str, Series]] = {}
        for row in sorted(record.evaluations, key=lambda row: float(row["iteration"])):
            protocol, figures = row.get("protocol"), row.get("figures")
            protocol = protocol if isinstance(protocol, dict) else {"protocol": protocol or "not said"}
            key = json.dumps(protocol, sort_keys=True)
            protocols.setdefault(key, Measured(dict(flat(protocol))))
            for name, value in flat(figures if isinstance(figures, dict) else {}):
                if (figure := number(value)) is not None:
                    series = own.setdefault(key, {}).setdefault(name, _empty(record, name, index))
                    series.x.append(float(row["iteration"]))
                    series.y.append(figure)
        for key, found in own.items():
            _add(protocols[key].panels, found, record.name if len(records) > 1 else "")
    return [
        Measured({name: shown(value) for name, value in one.protocol.items()}, one.panels)
        for one in protocols.values()
        if one.panels
    ]


def seconds(record: Record) -> float:
    """How long it has trained, by the speed it logged."""
    whole, before = 0.0, 0.0
    for row in record.rows:
        images, rate = number(row.get("images")), number(row.get("images_per_second"))
        if images is not None and rate:
            whole += max(0.0, images - before) / rate
            before = images
    return whole


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """The values of tables within tables: `loss.kind`."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def shown(value: object) -> str:
    """A value of JSON as people write it."""
    if value is None or value in ({}, []):
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _add(panels: list[Panel], found: Mapping[str, Series], run: str) -> None:
    for name, series in found.items():
        panel = next((panel for panel in panels if panel.title == name), None)
        if panel is None:
            panel = Panel(name, [], noisy=False)
            panels.append(panel)
        panel.series.append(_renamed(series, run or name))


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
