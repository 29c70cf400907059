"""Options of several processes."""

from pydantic import Field

from ganzoo.config import Config


class DistributedOptions(Config):
    """Processes that train together."""

    processes: int = Field(
        1, gt=0, le=1024, description="processes on this machine, which share each batch; on CUDA, one GPU each"
    )
    sync_batchnorm: bool = Field(
        True, description="BatchNorm statistics over all processes, instead of each process's own"
    )
    restarts: int = Field(
        3, ge=0, description="restarts of a killed process in a row, without a new checkpoint, before the run ends"
    )
