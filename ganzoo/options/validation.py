"""Options of evaluations during training, by which the best weights are found."""

from pydantic import Field

from ganzoo.config import Config
from ganzoo.data.dataset import Part
from ganzoo.options.evaluation import MaybeExtractor, MaybeMetric


class ValidationOptions(Config):
    """Evaluations during training; a checkpoint of the best weights is kept."""

    evaluate_every: int | None = Field(None, gt=0, description="iterations between two evaluations (default: none)")
    evaluate_samples: int = Field(
        2500, gt=1, description="images made for each evaluation, at most as many as there are real ones"
    )
    evaluate_split: Part | None = Field(
        None, description="split of real images to compare with (default: test, if the data set has one)"
    )
    metric: MaybeMetric = Field(None, description="metric that finds the best weights (default: the first usual one)")
    extractor: MaybeExtractor = Field(
        None, description="network that sets of images are compared by (default: the data set's)"
    )
