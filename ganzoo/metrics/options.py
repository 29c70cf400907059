"""What an evaluation is told."""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from ganzoo.config import Config, OneOf
from ganzoo.data.dataset import Split
from ganzoo.metrics.extractor import Extractor
from ganzoo.metrics.metric import AnyMetric, Metric

MOST = 10_000
"""Images that are made and looked at unless a number is asked for."""

MaybeExtractor: TypeAlias = Annotated[Extractor | None, OneOf(Extractor)]
"""A field that holds any registered extractor, or leaves the choice to the data set."""
MaybeMetric: TypeAlias = Annotated[Metric | None, OneOf(Metric)]
"""A field that holds any registered metric, or none."""


def _several(value: object) -> object:
    """One metric is as good as a list of one."""
    return (value,) if isinstance(value, str | Metric | Mapping) else value


class EvaluationOptions(Config):
    """What an evaluation is told."""

    metric: Annotated[tuple[AnyMetric, ...], BeforeValidator(_several)] = Field(
        (), description="what to measure; unless given, all that is usual for what the GAN does"
    )
    extractor: MaybeExtractor = Field(
        None, description="the network that sets of images are seen through; unless given, the data set's"
    )
    samples: int | None = Field(
        None, gt=1, description=f"images to make, beside as many real ones; unless given, all there are up to {MOST:,}"
    )
    split: Split | None = Field(
        None, description="of the real images, classes, captions and sources; unless given, test if there is one"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of the noise")
