"""Event files, read back as TensorBoard itself reads them."""

import io
from pathlib import Path
from typing import Any

import pytest
from looked_on import OPTIONS, Evaluates
from PIL import Image
from trained import Stop
from trained import rows as metrics

import ganzoo
from ganzoo.plugins import zoo

pytestmark = pytest.mark.usefixtures("toy")

reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def events(run: Path) -> Any:
    found = reader.EventAccumulator(str(run / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    found.Reload()
    return found


def test_it_shows_metrics_grids_options_and_figures(tmp_path: Path) -> None:
    logger, run = zoo().callbacks["tensorboard"]().build(), tmp_path / "run"
    ganzoo.run("toy", out=run, callback=[logger, Evaluates(logger)], **OPTIONS)
    found, rows = events(run), metrics(run)
    for name in ("generator/adversarial", "progress/images_per_second", "progress/epoch"):
        values = [(event.step, event.value) for event in found.Scalars(name)]
        assert values == [(row["iteration"], pytest.approx(row[name.removeprefix("progress/")])) for row in rows]
    assert [(event.step, event.value) for event in found.Scalars("evaluation/fid")] == [(3, 20.0), (6, 10.0)]
    grids = found.Images("samples")
    assert [grid.step for grid in grids] == [3, 6, 9, 12]
    shown = Image.open(io.BytesIO(grids[-1].encoded_image_string)).convert("RGB")
    assert shown.tobytes() == Image.open(run / "samples" / "00000012.png").convert("RGB").tobytes()
    texts = {
        tag: found.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in ("options/text_summary", "evaluation/protocol/text_summary")
    }
    assert '"batch_size": 4' in texts["options/text_summary"]
    assert '"extractor": "pixels"' in texts["evaluation/protocol/text_summary"]


def test_a_run_that_goes_on_has_every_iteration_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        ganzoo.run("toy", out=run, callback=["tensorboard", Stop(8)], **OPTIONS)
    assert [event.step for event in events(run).Scalars("generator/adversarial")] == [2, 4, 6]
    ganzoo.run("toy", out=run, callback="tensorboard:2", **OPTIONS)
    assert [event.step for event in events(run).Scalars("generator/adversarial")] == [2, 4, 6, 8, 10, 12]
    assert [event.step for event in events(run).Images("samples")] == [3, 6, 12]
