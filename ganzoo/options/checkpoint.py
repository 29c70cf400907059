"""Options of checkpoints, logs and samples, and of divergence."""

from typing import Literal

from pydantic import Field

from ganzoo.callbacks import ChosenCallbacks
from ganzoo.config import Config


class CheckpointOptions(Config):
    """What a run writes during training, and what it does when training diverges."""

    log_every: int = Field(50, gt=0, description="iterations between two lines of metrics.jsonl")
    sample_every: int = Field(200, gt=0, description="iterations between two sample grids")
    checkpoint_every: int = Field(1000, gt=0, description="iterations between two checkpoints")
    keep_last: int = Field(2, gt=0, description="number of latest checkpoints to keep")
    keep_every: int | None = Field(None, gt=0, description="iterations between two checkpoints to keep permanently")
    on_nan: Literal["stop", "rollback"] = Field(
        "stop", description="action on a NaN loss or weight: stop, or go back a checkpoint and halve learning rates"
    )
    callback: ChosenCallbacks = Field(
        (), description="logger or other callback, may be given several times; `none` removes those of a resumed run"
    )
