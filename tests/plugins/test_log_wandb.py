"""Runs on Weights & Biases, made without a network and read back from what `wandb sync` would send."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from looked_on import OPTIONS, Evaluates
from PIL import Image
from shared import Command
from trained import Stop
from trained import rows as metrics

import ganzoo
from ganzoo.callbacks import CallbackConfig
from ganzoo.config import Choice

pytestmark = pytest.mark.usefixtures("toy")

wandb = pytest.importorskip("wandb")
wandb_internal_pb2 = pytest.importorskip("wandb.proto.wandb_internal_pb2")
BLOCK, HEADER = 2**15, struct.Struct("<IHB")
"""Of LevelDB's log format: bytes between two boundaries, and what stands before each part of a record."""


def records(file: Path) -> list[Any]:
    """What a .wandb file holds: LevelDB's log format, of protocol buffers."""
    data, place, found, parts = file.read_bytes(), 7, list[Any](), b""
    while place + HEADER.size <= len(data):
        if BLOCK - place % BLOCK < HEADER.size:
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = HEADER.unpack_from(data, place)
        place += HEADER.size + length
        parts += data[place - length : place]
        if kind in (1, 4):  # a whole record, or the last part of one
            found.append(wandb_internal_pb2.Record())
            found[-1].ParseFromString(parts)
            parts = b""
    return found


def history(part: Path) -> list[dict[str, Any]]:
    return [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item}
        for record in records(part)
        if record.HasField("history")
    ]


def chosen(typed: str) -> Any:
    return Choice(CallbackConfig).validate(typed, "callback")


@pytest.mark.slow
@pytest.mark.usefixtures("wandb_offline")
def test_a_run_that_was_stopped_is_the_same_run_when_it_goes_on(tmp_path: Path) -> None:
    config, run = chosen("wandb:faces"), tmp_path / "run"
    logger = config.build()
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run("toy", out=run, callback=[logger, Evaluates(logger), Stop(8)], **OPTIONS)
    [first] = run.glob("wandb/offline-run-*/*.wandb")
    lines = history(first)
    assert [line["iteration"] for line in lines if "generator/adversarial" in line] == [2, 4, 6]
    assert [line["evaluation/fid"] for line in lines if "evaluation/fid" in line] == [20.0, 10.0]
    begun = next(record.run for record in records(first) if record.HasField("run"))
    options = {item.key: json.loads(item.value_json) for item in begun.config.update}
    assert (begun.project, begun.display_name) == ("faces", "run")
    assert options["gan"]["name"] == "toy"
    assert next(record.exit.exit_code for record in records(first) if record.HasField("exit")) == 1
    ganzoo.run("toy", out=run, callback=config, **OPTIONS)
    [second] = set(run.glob("wandb/offline-run-*/*.wandb")) - {first}
    assert next(record.run.run_id for record in records(second) if record.HasField("run")) == begun.run_id
    assert [line["iteration"] for line in history(second) if "generator/adversarial" in line] == [6, 8, 10, 12]
    rows = {row["iteration"]: row for row in metrics(run)}
    for line in history(second):
        if "generator/adversarial" in line:
            assert line["generator/adversarial"] == rows[line["iteration"]]["generator/adversarial"]
    grids = list(second.parent.glob("files/media/images/samples_*"))
    assert len(grids) == 3
    saved = {Image.open(file).convert("RGB").tobytes() for file in run.glob("samples/*.png")}
    assert {Image.open(grid).convert("RGB").tobytes() for grid in grids} < saved


def test_who_is_not_logged_in_is_told_before_anything_is_written(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(place / "no netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(place))
    wandb.teardown()
    answer = command("run", "toy", "--limit", "8", "--callback", "wandb", "--out", "run")
    assert answer.status == 2
    assert "you are not logged in to Weights & Biases; type `wandb login`, or set WANDB_MODE=offline" in answer.err
    assert not (place / "run").exists()
