"""Protocol of an evaluation: figures are comparable only under the same protocol."""

import shlex
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import Field

from ganzoo.config import Config, NamedConfig
from ganzoo.contract.extractor import Extractor
from ganzoo.contract.metric import Metric
from ganzoo.data.dataset import Dataset, Part


class Protocol(Config):
    """Conditions of a measurement, stored in every line of evaluations.jsonl."""

    name: str | None = Field(None, description="name of a standard protocol that it follows")
    data: str = Field(description="data set")
    split: Part = Field(description="split of the data set")
    samples: int = Field(description="number of samples")
    reals: int | None = Field(None, description="number of evenly spaced real images, if it differs from `samples`")
    seed: int = Field(description="random seed for noise and other random numbers")
    shape: tuple[int, int, int] = Field(description="channels, height and width of the images, quantized to 8 bits")
    images: str = Field(description="SHA-256 of the real images (and sources, if any), or of reference statistics")
    reference: str | None = Field(None, description="file name of reference statistics that replace real images")
    metrics: dict[str, dict[str, Any]] = Field(description="options of each metric, and SHA-256 of its weights")
    extractor: str | None = Field(None, description="extractor of features for sets of images")
    extractor_options: dict[str, Any] = Field({}, description="options of the extractor")
    weights: str | None = Field(None, description="SHA-256 of the extractor's weights")
    resizer: str | None = Field(None, description="resizing method of the extractor")
    sampling: dict[str, Any] = Field({}, description="sampling options of the GAN")

    def differences(self, other: "Protocol") -> dict[str, str]:
        """Return the differences that make figures of two protocols incomparable: `samples is 1000, not 500`.

        Keys are field names, or `metrics.NAME` and `sampling.NAME`. Metrics and options of GANs that only one of them
        has do not count.
        """
        mine, theirs = self.model_dump(), other.model_dump()
        named = {"name", "reference"}  # redundant with other fields
        pairs = {name: (mine[name], theirs[name]) for name in type(self).model_fields if name not in named}
        if (self.reals is None) != (other.reals is None):
            pairs["reals"] = self.reals or self.samples, other.reals or other.samples
        if self.reference or other.reference:  # whatever the split, `images` identifies the statistics
            del pairs["reals"]
        for name in ("metrics", "sampling"):
            first, second = pairs.pop(name)
            pairs |= {f"{name}.{key}": (first[key], second[key]) for key in first if key in second}
        if self.extractor is None or other.extractor is None:
            for name in ("extractor", "extractor_options", "weights", "resizer"):
                del pairs[name]
        return {name: f"{name} is {_brief(first)}, not {_brief(second)}" for name, (first, second) in pairs.items()
                if first != second}  # fmt: skip

    def beyond_options(self, different: Collection[str]) -> list[str]:
        """Return the differences that no option of `ganzoo evaluate` can remove.

        Args:
            different: names of differences, as in `differences`.
        """
        reached = {"samples", "reals", "split", "seed"}
        if reached & {*different} or "data" in different:
            reached.add("images")
        if self.data in Dataset.choices():
            reached.add("data")
        if self.extractor in Extractor.choices():
            reached |= {"extractor", "extractor_options"}
            if not {"extractor", "extractor_options"}.isdisjoint(different):
                reached |= {"weights", "resizer"}  # determined by the extractor
        reached |= {f"metrics.{name}" for name in self.metrics.keys() & Metric.choices().keys()}
        reached |= {f"sampling.{name}" for name, value in self.sampling.items() if value is not None}
        return [name for name in different if name not in reached]

    def command(self, run: object, different: Collection[str] = ()) -> str:
        """Return the command that measures a run under this protocol, as far as options allow.

        Protocols may come from untrusted folders: names that are not registered are omitted, and all words are quoted
        for a shell.

        Args:
            run: run folder.
            different: names of the fields in which its protocol differs from this one.
        """
        words = ["ganzoo", "evaluate", run, "--samples", self.samples, "--split", self.split, "--seed", self.seed]
        if self.reals is not None:
            words += ["--reals", self.reals]
        if "data" in different and self.data in (sets := Dataset.choices()):
            words += ["--data", sets[self.data].form()]
        if self.extractor and self.extractor in (extractors := Extractor.choices()):
            words += ["--extractor", self.extractor]
            for name, value in _known(self.extractor_options, extractors[self.extractor]).items():
                words += [f"--extractor.{name.replace('_', '-')}", value]
        kinds = Metric.choices()
        for name, options in self.metrics.items():
            if name in kinds:
                told = ",".join(f"{key}={value}" for key, value in _known(options, kinds[name]).items())
                words += ["--metric", f"{name}:{told}" if told else name]
        for name, value in self.sampling.items():
            if f"sampling.{name}" in different:
                words += ["-O", f"{name}={_as_typed(value)}"]
        return shlex.join(map(str, words))

    def __str__(self) -> str:
        """Return a one-line description."""
        _, height, width = self.shape
        real = f"{self.samples:,} images made, beside {self._beside()} at {height}x{width}"
        real = f"{self.name}: {real}" if self.name else real
        through = f"extractor {self.extractor} ({(self.weights or '')[:8]}), {self.resizer}"
        told = [f"{name} {value}" for name, value in self.sampling.items()]
        return "; ".join([real, *([through] if self.extractor else []), *told, f"seed {self.seed}"])

    def _beside(self) -> str:
        if self.reference:
            return f"reference statistics {self.reference} ({self.images[:8]})"
        count = "as many" if self.reals is None else f"{self.reals:,}"
        return f"{count} of {self.data}'s {self.split} split"


def _brief(value: object) -> str:
    words = str(value)
    return f"{words[:8]}..." if isinstance(value, str) and len(words) == 64 else words


def _known(options: Mapping[str, object], kind: type[NamedConfig]) -> dict[str, str]:
    """Return the options of this class as typed; `weights` is the checksum of a metric's weights, not an option."""
    places: frozenset[str] = getattr(kind, "places", frozenset())
    names = [name for name in options if name in kind.model_fields and name not in places | {"weights"}]
    return {name: _as_typed(options[name]) for name in names if options[name] is not None}


def _as_typed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
