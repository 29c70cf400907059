"""Options of an evaluation, and named protocols: sets of values for them that papers use."""

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
"""Images that are made and looked at unless a number is asked for."""
ALL = LIMIT - 1
"""Real images where all are asked for: no split has so many."""

MaybeExtractor: TypeAlias = Annotated[Extractor | None, Choice(Extractor)]
"""A field that holds any registered extractor, or leaves the choice to the data set."""
MaybeMetric: TypeAlias = Annotated[Metric | None, Choice(Metric)]
"""A field that holds any registered metric, or none."""


class NamedProtocol(Config):
    """Values of an evaluation's options under a name, as recipes are of a run's; options that are given win."""

    summary: str = Field(description="what it is known from")
    metric: tuple[str, ...] = Field(description="metrics")
    samples: int = Field(description="images to make")
    reals: int | Literal["all"] = Field(description="real images")
    split: Part = Field(description="split of the real images")
    extractor: str = Field(description="network that images are seen through")

    def values(self) -> dict[str, Any]:
        """Its values, by the options that they are for."""
        return self.model_dump(exclude={"summary"})


def _full(summary: str, extractor: str, *metric: str) -> NamedProtocol:
    """50,000 images beside all of the train split."""
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
"""Named protocols. What else a paper did, such as the crop of its data set, is not in them."""


def _several(value: object) -> object:
    """One metric is as good as a list of one."""
    return (value,) if isinstance(value, str | Metric | Mapping) else value


def _count(value: object) -> object:
    return ALL if value == "all" else value


class EvaluationOptions(Config):
    """Options of an evaluation."""

    protocol: Annotated[str | None, Form("|".join(PROTOCOLS))] = Field(
        None, description="named set of values for the options below, which win over it"
    )
    metric: Annotated[tuple[AnyMetric, ...], BeforeValidator(_several)] = Field(
        (), description="what to measure; unless given, all that is usual for what the GAN does"
    )
    extractor: MaybeExtractor = Field(
        None, description="the network that sets of images are seen through; unless given, the data set's"
    )
    samples: int | None = Field(
        None, gt=1, description=f"images to make (default: as many as there are real ones, up to {MOST:,})"
    )
    reals: Annotated[int | None, Form("INTEGER or all"), BeforeValidator(_count)] = Field(
        None, gt=1, description="real images beside them, a number or all (default: as many as samples)"
    )
    split: Part | None = Field(
        None, description="of the real images, classes, captions and sources; unless given, test if there is one"
    )
    reference: Path | None = Field(
        None, description="statistics in place of real images: .npz file with mu and sigma of the extractor's features"
    )
    nearest: int | None = Field(
        None, gt=0, le=64, description="samples to show beside their nearest training images, in nearest.png"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of the noise")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        """Fills in the values of a named protocol where others were not given.

        Raises:
            UnknownName: there is no such protocol.
        """
        if not isinstance(values, Mapping) or values.get("protocol") is None:
            return values
        name = values["protocol"]
        if name not in PROTOCOLS:
            raise UnknownName("protocol", str(name), PROTOCOLS)
        own = {key: value for key, value in values.items() if value not in (None, ())}
        return {**PROTOCOLS[name].values(), **own}

    def follows(self) -> str | None:
        """The name of the protocol whose values are in force, all of them; None: there is none."""
        if self.protocol is None:
            return None
        named = EvaluationOptions(protocol=self.protocol)
        alike = all(getattr(self, name) == getattr(named, name) for name in ("metric", "samples", "reals", "split"))
        kinds = [each.extractor.kind for each in (self, named) if each.extractor]
        return self.protocol if alike and kinds[0] == kinds[-1] and self.reference is None else None
