"""An evaluation made ready: what is to be measured is settled, checked against what there is, and loaded."""

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.config import build
from ganzoo.data.batches import scaled
from ganzoo.data.dataset import Split, Table
from ganzoo.data.load import DataOptions, data_folder, load_some
from ganzoo.data.spec import DataSpec
from ganzoo.errors import ContractError, DataError, OptionError, UserError, typed
from ganzoo.gan import GAN
from ganzoo.metrics.evaluation import PART, Evaluation
from ganzoo.metrics.extractor import Extractor, Seen, fingerprint
from ganzoo.metrics.metric import Metric, PairMetric, SetMetric
from ganzoo.metrics.options import MOST, EvaluationOptions
from ganzoo.metrics.protocol import Protocol

PAIR = frozenset({"source", "target"})


def make_ready(
    gan: GAN,
    data: DataOptions,
    spec: DataSpec,
    options: EvaluationOptions,
    device: torch.device,
    folder: Path | None = None,
    most: int = MOST,
    *,
    and_usual: bool = False,
) -> Evaluation:
    """Loads what an evaluation takes: the rows of the split, the extractor, weights of metrics.

    Args:
        gan: whose images are to be measured.
        data: where the real images come from, and how.
        spec: what it was trained on.
        options: what is asked for.
        device: where it is.
        folder: where downloads are kept.
        most: samples, unless a number is asked for.
        and_usual: measure what is usual, too, beside what is asked for, and after it.

    Raises:
        UserError: data, extractor or weights cannot be had; or what is asked for cannot be measured here, or not with
            so few images.
    """
    wanted = settled(gan, data, options, and_usual)  # what this refuses need not wait for the data
    real = "image" if "image" in gan.needs else "target"
    split = options.split or ("test" if "test" in data.data.splits else "train")
    rows = Rows(data, (gan.needs & gan.inputs) | {real}, gan.shrinks, folder)
    columns = rows.load(spec, split, options.samples, most)
    eyes = None
    if any(isinstance(metric, SetMetric) for metric in wanted):
        eyes = Eyes.of(options.extractor or _default(data), columns[real], device, data_folder(folder))
    more = partial(rows.advice, split=split, asked=options.samples is not None)
    kept, left_out = possible(wanted, columns[real], eyes, {metric.kind for metric in options.metric}, more)
    built = {metric.kind: metric.build(data_folder(folder)) for metric in kept if isinstance(metric, PairMetric)}
    pairs = {kind: made.to(device) if isinstance(made, nn.Module) else made for kind, made in built.items()}
    protocol = Protocol(
        data=data.data.label(),
        split=split,
        seed=options.seed,
        metrics={metric.kind: _told(metric, pairs.get(metric.kind)) for metric in kept},
        sampling={name: value for name, value in gan.model_dump(mode="json").items() if name in gan.may_change},
        **_looked_at(columns, real),
        **(eyes.described() if eyes else {}),
    )
    network = eyes.network if eyes else None
    return Evaluation(gan, columns, real, kept, pairs, network, protocol, device, left_out)


def _looked_at(columns: Mapping[str, Tensor], real: str) -> dict[str, Any]:
    """The part of the protocol that says which images are looked at."""
    pair = sorted({real, *(PAIR & columns.keys())})
    shape = tuple(columns[real].shape[1:])
    return {"samples": len(columns[real]), "shape": shape, "images": checksum([columns[name] for name in pair])}


@dataclass(frozen=True)
class Rows:
    """Where the rows come from that an evaluation looks at."""

    data: DataOptions
    fields: frozenset[str]
    """What is looked at of each."""
    shrinks: int
    """See `GAN.shrinks`."""
    folder: Path | None
    """Where downloads are kept."""

    def load(self, spec: DataSpec, split: Split, samples: int | None, most: int) -> dict[str, Tensor]:
        """The rows of a split, by field: `samples` of them, or up to `most`.

        Raises:
            DataError: they cannot be had, are not so many, or have another form than those that were trained on.
        """
        table = load_some(self.data, self.fields, split, samples or most, self.folder, self.shrinks)
        check_like(table, spec, self.data)
        there = min(map(len, table.columns.values()))
        if samples and there < samples:
            other = split == "test" and self.has("train", samples)
            raise DataError(
                f"{samples} samples were asked for, and the {split} split of '{self.data.data.label()}' has {there}; "
                f"try --samples {there}{' or --split train' if other else ''}"
            )
        return {name: column[:there] for name, column in table.columns.items()}

    def has(self, split: Split, count: int) -> bool:
        """Whether a split has so many, for advice: what it takes to know is done where something was refused."""
        with suppress(UserError):
            table = load_some(self.data, self.fields, split, count, self.folder, self.shrinks)
            return min(map(len, table.columns.values())) >= count
        return False

    def advice(self, needed: int, *, split: Split, asked: bool) -> str:
        """What to type to have so many samples; if nothing helps, that.

        Args:
            needed: so many.
            split: where they were too few.
            asked: whether a number of samples was asked for.
        """
        if self.has(split, needed):
            return f"try --samples {needed}"
        if split == "test" and self.has("train", needed):
            return f"try {f'--samples {needed} ' if asked else ''}--split train"
        return f"'{self.data.data.label()}' has no more"


def check_like(table: Table, spec: DataSpec, data: DataOptions) -> None:
    """Refuses rows of another form than those that were trained on.

    Raises:
        DataError: with both forms.
    """
    for name, column in table.columns.items():
        then, now = spec.shapes.get(name), tuple(column.shape[1:])
        if then != now:
            raise DataError(
                f"'{data.data.label()}' gives '{name}' in the shape {now}, and it was {then} in training: name other "
                "--data"
            )
    if "label" in table.columns and table.classes != spec.classes:
        raise DataError(
            f"the classes of '{data.data.label()}' are not those of training, {typed(spec.classes)}: name other --data"
        )


def settled(gan: GAN, data: DataOptions, options: EvaluationOptions, and_usual: bool) -> Sequence[Metric]:
    """What is to be measured: what was asked for; else what is usual for pairs, where there are any, or for sets.

    Raises:
        UserError: something was asked for that is not for what this GAN does, or asked for twice; or what a metric
            takes is not installed.
    """
    unfit = _unfit(gan, data)
    for metric in options.metric:
        if unfit and isinstance(metric, PairMetric):
            raise OptionError(f"'{metric.kind}' cannot be measured here: {unfit}; try --metric fid")
        if [other.kind for other in options.metric].count(metric.kind) > 1:
            raise OptionError(f"option 'metric' names '{metric.kind}' twice; leave one out")
    wanted = list(options.metric)
    if and_usual or not wanted:
        wanted += _usual(unfit, wanted)
    for metric in wanted:
        if isinstance(metric, SetMetric):
            metric.check()
    return wanted


def _usual(unfit: str, but: Sequence[Metric]) -> list[Metric]:
    """What is usual for pairs, or for sets where there are none, without those of the kinds that are there already."""
    asked, family = {metric.kind for metric in but}, SetMetric if unfit else PairMetric
    kinds = [kind for kind in Metric.choices().values() if kind.usual and issubclass(kind, family)]
    # One with an option that must be given is measured where it is asked for.
    usual = [kind() for kind in kinds if not any(field.is_required() for field in kind.model_fields.values())]
    return [metric for metric in usual if metric.kind not in asked]


def _unfit(gan: GAN, data: DataOptions) -> str:
    """Why what it makes has no targets that it can be held against; empty if it has."""
    if not (gan.needs >= PAIR and "source" in gan.inputs):
        return f"what '{gan.name}' makes has no targets"
    if not (data.data.paired or data.as_.makes_pairs):
        return f"sources and targets of '{data.data.label()}' do not belong together"
    return ""


@dataclass(frozen=True)
class Eyes:
    """An extractor that was built."""

    extractor: Extractor
    network: nn.Module
    widths: Mapping[str, int]
    """How many `features`, and `logits` if it has any, it gives for an image."""

    @classmethod
    def of(cls, extractor: Extractor, images: Tensor, device: torch.device, folder: Path) -> "Eyes":
        """The extractor, tried on two images."""
        network = extractor.build(folder).to(device).eval().requires_grad_(False)
        seen = Seen(network)
        seen.look(scaled(images[:2]).to(device))
        return cls(extractor, network, {what: seen.of(what).shape[1] for what in seen.kinds})

    def described(self) -> dict[str, Any]:
        """Its part of the protocol."""
        return {
            "extractor": self.extractor.kind,
            "extractor_options": _told(self.extractor),
            "weights": fingerprint(self.network),
            "resizer": self.extractor.resizer,
        }


def _default(data: DataOptions) -> Extractor:
    choices, name = Extractor.choices(), data.data.extractor
    if name not in choices:
        raise OptionError(
            f"'{data.data.label()}' is looked at by the extractor '{name}', which is not installed; name another "
            f"--extractor: {', '.join(sorted(choices))}"
        )
    return build(choices[name], {}, prefix="extractor.")


def possible(
    wanted: Sequence[Metric], images: Tensor, eyes: Eyes | None, asked: Set[str], more: Callable[[int], str]
) -> tuple[Sequence[Metric], dict[str, str]]:
    """The metrics that can be had of so many images of that size, and why others cannot.

    Args:
        wanted: what is to be measured.
        images: the real ones.
        eyes: what sets of them are looked at by.
        asked: the kinds that were named.
        more: what to type to have so many samples.

    Raises:
        OptionError: none can; or one of those that were asked for cannot.
    """
    widths = eyes.widths if eyes else {}
    reasons = [_too_few(metric, images, widths) for metric in wanted]
    refused = {metric.kind: reason for metric, reason in zip(wanted, reasons, strict=True) if reason}
    told = asked & refused.keys() or (refused if len(refused) == len(wanted) else ())
    if told:
        least = {metric.kind: _least(metric, widths) for metric in wanted if metric.kind in told}
        advice = {kind: f"; {more(count)}" for kind, count in least.items() if count > len(images)}
        raise OptionError(
            "\n".join(
                f"'{kind}' cannot be measured here: {refused[kind]}{advice.get(kind, '')}" for kind in sorted(told)
            )
        )
    return [metric for metric in wanted if metric.kind not in refused], refused


def _too_few(metric: Metric, images: Tensor, widths: Mapping[str, int]) -> str:
    if isinstance(metric, PairMetric):
        side = metric.least_side
        small = min(images.shape[2:]) < side
        return f"it takes images of {side} x {side} pixels or more" if small else ""
    if not isinstance(metric, SetMetric):
        raise ContractError(f"{type(metric).__name__} inherits neither ganzoo.SetMetric nor ganzoo.PairMetric")
    if metric.looks_at not in widths:
        return f"the extractor gives no {metric.looks_at}; name another --extractor"
    needed = _least(metric, widths)
    return "" if len(images) >= needed else f"it takes {needed:,} samples or more, and there are {len(images):,}"


def _least(metric: Metric, widths: Mapping[str, int]) -> int:
    """How many samples a metric takes, as far as their number matters to it."""
    return metric.least(widths[metric.looks_at]) if isinstance(metric, SetMetric) and metric.looks_at in widths else 0


def _told(chosen: Metric | Extractor, network: object = None) -> dict[str, Any]:
    """The options that figures depend on, and the checksum of the weights of a metric that is a network."""
    options = chosen.model_dump(mode="json", exclude=set(chosen.places))
    return {**options, "weights": fingerprint(network)} if isinstance(network, nn.Module) else options


def checksum(columns: Sequence[Tensor]) -> str:
    """The SHA-256 of columns."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{tuple(column.shape)}\n".encode())
        for part in column.split(PART):
            digest.update(part.contiguous().numpy().tobytes())
    return digest.hexdigest()
