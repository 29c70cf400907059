"""Environment variables that torchrun's agents set for their processes."""

import os
from pathlib import Path


def rank_and_count() -> tuple[int, int]:
    """Return rank and world size from the environment: 0 and 1 without torchrun."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def started_by_launcher() -> bool:
    """Whether torchrun, or `--processes`, started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def local_rank() -> int:
    """Return the rank on this machine, which is the index of the GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def launch_of(agent: int, run_id: str) -> str:
    """Return an identifier of all processes that one agent starts for one job, including restarts.

    Args:
        agent: ID of the agent's process, which outlives its workers.
        run_id: torchrun's ID of the job.
    """
    start_iteration = Path(f"/proc/{agent}/stat")  # the start time, as process IDs are reused, in containers soon
    ticks = (
        start_iteration.read_text(encoding="utf-8").rpartition(")")[2].split()[19] if start_iteration.exists() else ""
    )
    return f"{run_id}/{agent}/{ticks}"


def this_launch() -> str | None:
    """Return the identifier of this process's launch; None if started without a launcher."""
    run_id = os.environ.get("TORCHELASTIC_RUN_ID")
    return None if run_id is None else launch_of(os.getppid(), run_id)
