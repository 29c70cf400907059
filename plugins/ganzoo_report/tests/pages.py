"""What tests of reports share: runs with a history, and pages that are looked at."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

Line = dict[str, Any]


def grown(run: Path, folder: Path) -> Path:
    """A copy of a tiny run of two iterations that seems to have made a hundred, and was measured."""
    shutil.copytree(run, folder)
    (grid,) = (folder / "samples").glob("*.png")
    for iteration in (50, 100):
        shutil.copy(grid, folder / "samples" / f"{iteration:08}.png")
    write_lines(folder / "metrics.jsonl", [trained(iteration) for iteration in range(2, 101, 2)])
    measured = [evaluation(50, 1000, 30.5), evaluation(100, 1000, 20.5), evaluation(100, 200, 44.5)]
    write_lines(folder / "evaluations.jsonl", measured)
    return folder


def trained(iteration: int) -> Line:
    """A line of metrics.jsonl."""
    losses = {
        "generator/adversarial": 1 + iteration / 100,
        "generator/l1": 50.0 - iteration / 10,
        "discriminator/adversarial": 0.5,
    }
    progress = {"iteration": iteration, "epoch": iteration / 100, "images": 4 * iteration}
    return {**progress, "images_per_second": 99.0 + iteration % 3, **losses}


def evaluation(iteration: int, samples: int, fid: float, **protocol: object) -> Line:
    """A line of evaluations.jsonl."""
    told = {"extractor": "inception", "samples": samples, "split": "test", **protocol}
    return {"iteration": iteration, "protocol": told, "figures": {"fid": fid}}


def write_lines(file: Path, rows: Sequence[Line]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def change(file: Path, **values: object) -> None:
    """Puts other values into a JSON object."""
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def visit(page: Page, file: Path) -> None:
    """Opens a report, and waits until all of it is drawn."""
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
