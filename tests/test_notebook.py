"""A real notebook, executed in a kernel: what stands below its cells, and how it came there."""

import base64
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kernel import execute
from PIL import Image

from ganzoo.notebook import is_notebook

pytestmark = pytest.mark.docs

nbformat: Any = pytest.importorskip("nbformat")
nbclient: Any = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

TRAIN = """
import ganzoo, logging
options = dict(image_size=16, limit=16, batch_size=4, epochs=3, log_every=2, sample_every=3, precision="fp32")
digits = ganzoo.run("dcgan", out="run", **options)
"""
QUIET = """ganzoo.run("dcgan", out="quiet", display=False, **{**options, "epochs": 1})"""
STOPPED = """
class Stop(ganzoo.Callback):
    def on_step_end(self, training):
        raise KeyboardInterrupt("enough")

try:
    ganzoo.run("dcgan", out="stopped", callback=Stop(), **options)
except KeyboardInterrupt:
    pass
"""
CELLS = [TRAIN, "digits", "digits.show(9)", QUIET, STOPPED, """ganzoo.run("dcgan", out="run", **options)"""]


class Client(nbclient.NotebookClient):  # type: ignore[misc]  # tests may do without it: it has no type
    """Counts the messages by which the kernel shows something and changes it."""

    def process_message(self, message: Any, cell: Any, number: int) -> Any:
        self.shown[number, message["msg_type"]] += 1
        return super().process_message(message, cell, number)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Any:
    patch = pytest.MonkeyPatch()
    patch.setenv("GANZOO_DATA", str(data_folder))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    where = str(tmp_path_factory.mktemp("notebook"))
    client = Client(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": where}})
    client.shown = Counter()
    execute(client)
    patch.undo()
    return client


def outputs(executed: Any, number: int) -> list[Any]:
    return list(executed.nb.cells[number].outputs)


def picture(output: Any) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))


def test_progress_losses_and_the_last_grid_stand_below_the_cell(executed: Any) -> None:
    text, grid = outputs(executed, 0)
    page = text.data["text/html"]
    assert "dcgan on mnist at 16x16, batch 4: run" in page
    assert '<progress value="12" max="12"' in page
    assert "trained in" in page
    assert "discriminator/adversarial" in page
    assert "12/12  trained in" in text.data["text/plain"]
    assert grid.metadata["image/png"]["alt"] == "samples of iteration 12"
    run = Path(executed.resources["metadata"]["path"]) / "run"
    saved = Image.open(run / "samples" / "00000012.png").convert("RGB")
    assert picture(grid).convert("RGB").tobytes() == saved.tobytes()


def test_both_are_updated_in_place(executed: Any) -> None:
    assert executed.shown[0, "display_data"] == 2
    assert executed.shown[0, "update_display_data"] >= 3 + 6 - 1  # later grids, and every line of metrics


def test_what_was_trained_is_shown_as_words_and_as_a_picture(executed: Any) -> None:
    assert outputs(executed, 1)[0].data["text/plain"] == "<TrainedGAN dcgan, 1 x 16 x 16, from run>"
    assert picture(outputs(executed, 2)[0]).size == (3 * 18 + 2, 3 * 18 + 2)


def test_it_can_be_switched_off(executed: Any) -> None:
    assert [output.output_type for output in outputs(executed, 3)] == ["execute_result"]


def test_a_run_that_was_stopped_says_how_to_go_on(executed: Any) -> None:
    assert "enough; out=&#x27;stopped&#x27; goes on" in outputs(executed, 4)[0].data["text/html"]


def test_a_run_that_is_done_says_so(executed: Any) -> None:
    assert "already trained for 3 epochs; more: epochs=" in outputs(executed, 5)[0].data["text/html"]


def test_this_is_no_notebook() -> None:
    assert not is_notebook()
