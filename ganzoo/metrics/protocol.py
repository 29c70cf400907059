"""What a figure depends on beside what is measured: figures of two protocols say nothing of each other."""

import shlex
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import Field

from ganzoo.config import Config, NamedConfig
from ganzoo.contract.extractor import Extractor
from ganzoo.contract.metric import Metric
from ganzoo.data.dataset import Dataset, Part


class Protocol(Config):
    """How figures were measured. Every line of evaluations.jsonl carries it."""

    name: str | None = Field(None, description="the named protocol that all of it follows")
    data: str = Field(description="the data set")
    split: Part = Field(description="which part of it")
    samples: int = Field(description="images made")
    reals: int | None = Field(None, description="real images, at even distances, if they are not as many")
    seed: int = Field(description="of the noise, and of all else that is drawn")
    shape: tuple[int, int, int] = Field(description="channels, height and width of the images, looked at in 8 bits")
    images: str = Field(
        description="SHA-256 of the real images, and of sources where images are translated; or of reference statistics"
    )
    reference: str | None = Field(None, description="name of the file of reference statistics, in place of real images")
    metrics: dict[str, dict[str, Any]] = Field(description="the options of each metric, and its weights' SHA-256")
    extractor: str | None = Field(None, description="what sets of images are seen through")
    extractor_options: dict[str, Any] = Field({}, description="its options")
    weights: str | None = Field(None, description="SHA-256 of its weights")
    resizer: str | None = Field(None, description="how it brings images to its size")
    sampling: dict[str, Any] = Field({}, description="the GAN's options that change how images are made")

    def differences(self, other: "Protocol") -> dict[str, str]:
        """What keeps figures of this one from being compared with those of another: `samples is 1000, not 500`.

        By the name of the field, or `metrics.NAME` and `sampling.NAME`.

        Metrics, and options of GANs, that only one of them has are no difference.
        """
        mine, theirs = self.model_dump(), other.model_dump()
        named = {"name", "reference"}  # words for what other fields say in numbers
        pairs = {name: (mine[name], theirs[name]) for name in type(self).model_fields if name not in named}
        if (self.reals is None) != (other.reals is None):
            pairs["reals"] = self.reals or self.samples, other.reals or other.samples
        if self.reference or other.reference:  # whatever split its conditions are of, `images` tells the statistics
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
        """Of what differs between this protocol and another, that which no option of `ganzoo evaluate` makes alike.

        Args:
            different: names, as `differences` gives them.
        """
        reached = {"samples", "reals", "split", "seed"}
        if reached & {*different} or "data" in different:
            reached.add("images")
        if self.data in Dataset.choices():
            reached.add("data")
        if self.extractor in Extractor.choices():
            reached |= {"extractor", "extractor_options"}
            if not {"extractor", "extractor_options"}.isdisjoint(different):
                reached |= {"weights", "resizer"}  # they are those of the extractor
        reached |= {f"metrics.{name}" for name in self.metrics.keys() & Metric.choices().keys()}
        reached |= {f"sampling.{name}" for name, value in self.sampling.items() if value is not None}
        return [name for name in different if name not in reached]

    def command(self, run: object, different: Collection[str] = ()) -> str:
        """What to type to measure a run in this way, as far as options go.

        Protocols are read from folders that anybody may have sent: names that are not registered are left out, and a
        shell takes every word for what it is.

        Args:
            run: its folder.
            different: what of its protocol differs from this one, by name.
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
        """In one line, for people."""
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
    """Those that the class has, as they are typed; a checksum of weights is told as `weights`, and is no option."""
    places: frozenset[str] = getattr(kind, "places", frozenset())
    names = [name for name in options if name in kind.model_fields and name not in places | {"weights"}]
    return {name: _as_typed(options[name]) for name in names if options[name] is not None}


def _as_typed(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
