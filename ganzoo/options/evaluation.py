"""Options of an evaluation, and named protocols: sets of their values used in papers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from ganzoo.config import LIMIT, Choice, Config, Form
from ganzoo.contract.extractor import Extractor
from ganzoo.contract.metric import AnyMetric, Metric
from ganzoo.data.dataset import Part
from ganzoo.errors import UnknownName

MOST = 10_000
"""Default limit of the number of generated images."""
ALL = LIMIT - 1
"""Number of real images for `all`: more than any split has."""

MaybeExtractor: TypeAlias = Annotated[Extractor | None, Choice(Extractor)]
"""Field that holds any registered extractor (default: that of the data set)."""
MaybeMetric: TypeAlias = Annotated[Metric | None, Choice(Metric)]
"""Field that holds any registered metric, or none."""


class NamedProtocol(Config):
    """Named values of an evaluation's options, like recipes for a run; explicit options take precedence."""

    summary: str = Field(description="papers and tools that use it")
    metric: tuple[str, ...] = Field(description="metrics")
    samples: int = Field(description="number of images to generate")
    reals: int | Literal["all"] = Field(description="number of real images")
    split: Part = Field(description="split of the real images")
    extractor: str = Field(description="feature extractor")

    def values(self) -> dict[str, Any]:
        """Return the values by option."""
        return self.model_dump(exclude={"summary"})


def _full(summary: str, extractor: str, *metric: str) -> NamedProtocol:
    """Return a protocol of 50,000 images and the whole train split."""
    return NamedProtocol(
        summary=summary, metric=metric, samples=50_000, reals="all", split="train", extractor=extractor
    )


PROTOCOLS: Mapping[str, NamedProtocol] = {
    "fid50k-full": _full("StyleGAN2-ADA: FID of 50,000 images against all training images", "inception", "fid"),
    "kid50k-full": _full("the same for KID", "inception", "kid"),
    "is50k": _full("the Inception score of 50,000 images, in ten splits", "inception", "inception-score"),
    "pr50k3-full": _full(
        "precision and recall of VGG16 features, three neighbors", "vgg16", "precision:neighbours=3",
        "recall:neighbours=3",
    ),
    "fd50k-dinov2": _full("Stein et al., 2023: Fréchet distance of DINOv2 features", "dinov2", "fid"),
    "fid10k-test": NamedProtocol(
        summary="SNGAN and others of its time: FID of 10,000 images against all test images",
        metric=("fid",),
        samples=10_000,
        reals="all",
        split="test",
        extractor="inception",
    ),
}  # fmt: skip
"""Named protocols. Other choices of a paper, such as the crop of its data set, are not included."""


def _several(value: object) -> object:
    """Turn a single metric into a tuple."""
    return (value,) if isinstance(value, str | Metric | Mapping) else value


def _count(value: object) -> object:
    return ALL if value == "all" else value


class EvaluationOptions(Config):
    """Options of an evaluation."""

    protocol: Annotated[str | None, Form("|".join(PROTOCOLS))] = Field(
        None, description="named set of values for the options below, which win over it"
    )
    metric: Annotated[tuple[AnyMetric, ...], BeforeValidator(_several)] = Field(
        (), description="metrics to compute (default: those usual for this kind of GAN)"
    )
    extractor: MaybeExtractor = Field(
        None, description="feature extractor for comparing sets of images (default: that of the data set)"
    )
    samples: int | None = Field(
        None, gt=1, description=f"number of images to generate (default: that of the real images, up to {MOST:,})"
    )
    reals: Annotated[int | None, Form("INTEGER or all"), BeforeValidator(_count)] = Field(
        None, gt=1, description="number of real images to compare with, or all (default: as many as samples)"
    )
    split: Part | None = Field(
        None,
        description="split of real images, classes, captions and sources (default: test, if the data set has one)",
    )
    reference: Path | None = Field(
        None, description="statistics in place of real images: .npz file with mu and sigma of the extractor's features"
    )
    nearest: int | None = Field(
        None, gt=0, le=64, description="number of samples to show with their nearest training images, in nearest.png"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="random seed for noise")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        """Fill in the values of a named protocol for options that are not set.

        Raises:
            UnknownName: no such protocol.
        """
        if not isinstance(values, Mapping) or values.get("protocol") is None:
            return values
        name = values["protocol"]
        if name not in PROTOCOLS:
            raise UnknownName("protocol", str(name), PROTOCOLS)
        own = {key: value for key, value in values.items() if value not in (None, ())}
        return {**PROTOCOLS[name].values(), **own}

    def follows(self) -> str | None:
        """Return the name of the protocol if all of its values are in use, else None."""
        if self.protocol is None:
            return None
        named = EvaluationOptions(protocol=self.protocol)
        alike = all(getattr(self, name) == getattr(named, name) for name in ("metric", "samples", "reals", "split"))
        kinds = [each.extractor.kind for each in (self, named) if each.extractor]
        return self.protocol if alike and kinds[0] == kinds[-1] and self.reference is None else None
