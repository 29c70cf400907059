"""What torchrun's agents tell the processes that they start, by way of the environment."""

import os
from pathlib import Path


def rank_and_count() -> tuple[int, int]:
    """Which process of how many this is, by the environment: 0 of 1 without torchrun."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def started_by_launcher() -> bool:
    """Whether this is one of the processes that torchrun, or `--processes`, starts."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def local_rank() -> int:
    """Which of this machine's processes this is: the number of its GPU."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def launch_of(agent: int, run_id: str) -> str:
    """A name for all that one agent starts for one job: the same for a process that it starts again.

    Args:
        agent: the agent's process; it outlives those that it starts.
        run_id: what torchrun calls the job.
    """
    start_iteration = Path(f"/proc/{agent}/stat")  # numbers of processes are used again, in containers soon
    ticks = (
        start_iteration.read_text(encoding="utf-8").rpartition(")")[2].split()[19] if start_iteration.exists() else ""
    )
    return f"{run_id}/{agent}/{ticks}"


def this_launch() -> str | None:
    """The launch that this process is of; None: it was started by itself."""
    run_id = os.environ.get("TORCHELASTIC_RUN_ID")
    return None if run_id is None else launch_of(os.getppid(), run_id)
