"""Run folders as runs leave them, without the training: their checkpoints have checksums and no networks."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shared import Answer

from ganzoo.base.io import append_line, write_json
from ganzoo.runs import checkpoint
from ganzoo.runs.folder import RunFolder

CONFIG = {"gan": {"name": "dcgan"}, "data": {"name": "mnist"}, "epochs": 4, "keep_every": None}


def make_run(
    path: Path,
    state: str = "finished",
    *,
    saved: Iterable[int] = (),
    best: int | None = None,
    iteration: int = 40,
    reason: str = "",
    **config: Any,
) -> RunFolder:
    """A run of 40 iterations with checkpoints of some of them; each has 1,000 bytes of its own."""
    path.mkdir(parents=True)
    folder = RunFolder(path)
    write_json(folder.config, CONFIG | config)
    write_json(folder.status, {"state": state, "iteration": 0, "iterations": 40, "reason": reason})
    append_line(folder.metrics, {"iteration": iteration, "epoch": iteration / 10})
    folder.samples.mkdir()
    (folder.samples / "00000010.png").write_bytes(b"picture")
    for number in saved:
        judged = [best, 1.0] if best is not None and best <= number else None
        files = {"state.json": json.dumps({"best": judged}).encode(), "networks.safetensors": bytes(1000)}
        checkpoint.write(folder.checkpoints, number, files, {"frozen.safetensors": b"shared"})
    return folder


def saved(folder: RunFolder) -> list[int]:
    return [int(path.name) for path in checkpoint.checkpoints(folder.checkpoints)]


def listed(answer: Answer) -> dict[str, dict[str, Any]]:
    assert answer.status == 0, answer.err
    return {Path(row["run"]).name: row for row in json.loads(answer.out)}


def everything(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
