"""What a figure depends on beside what is measured: figures of two protocols say nothing of each other."""

from typing import Any

from pydantic import Field

from ganzoo.config import Config
from ganzoo.data.dataset import Split


class Protocol(Config):
    """How figures were measured. Every line of evaluations.jsonl carries it."""

    data: str = Field(description="the data set")
    split: Split = Field(description="which part of it")
    samples: int = Field(description="images made, and as many real ones, at even distances")
    seed: int = Field(description="of the noise, and of all else that is drawn")
    shape: tuple[int, int, int] = Field(description="channels, height and width of the images, looked at in 8 bits")
    images: str = Field(description="SHA-256 of the real images, and of sources where images are translated")
    metrics: dict[str, dict[str, Any]] = Field(description="the options of each metric, and its weights' SHA-256")
    extractor: str | None = Field(None, description="what sets of images are seen through")
    extractor_options: dict[str, Any] = Field({}, description="its options")
    weights: str | None = Field(None, description="SHA-256 of its weights")
    resizer: str | None = Field(None, description="how it brings images to its size")
    sampling: dict[str, Any] = Field({}, description="the GAN's options that change how images are made")

    def differences(self, other: "Protocol") -> list[str]:
        """What keeps figures of this one from being compared with those of another: `samples is 1000, not 500`.

        Metrics, and options of GANs, that only one of them has are no difference.
        """
        mine, theirs = self.model_dump(), other.model_dump()
        pairs = {name: (mine[name], theirs[name]) for name in type(self).model_fields}
        for name in ("metrics", "sampling"):
            first, second = pairs.pop(name)
            pairs |= {f"{name}.{key}": (first[key], second[key]) for key in first if key in second}
        if self.extractor is None or other.extractor is None:
            for name in ("extractor", "extractor_options", "weights", "resizer"):
                del pairs[name]
        return [f"{name} is {_brief(first)}, not {_brief(second)}" for name, (first, second) in pairs.items()
                if first != second]  # fmt: skip

    def command(self, run: object) -> str:
        """What to type to measure a run in this way, as far as options go."""
        words = ["ganzoo", "evaluate", str(run), "--samples", self.samples, "--split", self.split, "--seed", self.seed]
        words += ["--extractor", self.extractor] if self.extractor else []
        for name, options in self.metrics.items():
            told = ",".join(f"{key}={value}" for key, value in options.items() if key != "weights")
            words += ["--metric", f"{name}:{told}" if told else name]
        return " ".join(map(str, words))

    def __str__(self) -> str:
        """In one line, for people."""
        _, height, width = self.shape
        real = f"{self.samples:,} images made, beside as many of {self.data}'s {self.split} split at {height}x{width}"
        through = f"extractor {self.extractor} ({(self.weights or '')[:8]}), {self.resizer}"
        told = [f"{name} {value}" for name, value in self.sampling.items()]
        return "; ".join([real, *([through] if self.extractor else []), *told, f"seed {self.seed}"])


def _brief(value: object) -> str:
    words = str(value)
    return f"{words[:8]}..." if isinstance(value, str) and len(words) == 64 else words
