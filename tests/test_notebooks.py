"""The notebooks of the documentation, each executed whole in a kernel, with other sizes in its first cell."""

import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest
from kernel import execute

pytestmark = pytest.mark.docs

nbformat: Any = pytest.importorskip("nbformat")
nbclient: Any = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

REPOSITORY = Path(__file__).parent.parent
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))
TINY = {"image_size": 32, "limit": 8, "epochs": 1, "batch_size": 4, "sample_every": 1, "measured": 70}
FIGURES = {"dcgan": {"fid", "precision", "recall"}, "pix2pix": {"l1", "psnr", "ssim"}}


def cells_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda file: file.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_there_is_one_for_each_that_the_documentation_names() -> None:
    assert [file.stem for file in NOTEBOOKS] == sorted(FIGURES)


def test_the_first_cell_holds_all_sizes_and_nothing_else(file: Path) -> None:
    lines = ast.parse(cells_of(nbformat.read(file, 4))[0].source).body
    assert [ast.unparse(line.targets[0]) for line in lines if isinstance(line, ast.Assign)] == list(TINY)
    assert len(lines) == len(TINY)


def test_it_is_kept_without_outputs(file: Path) -> None:
    for cell in cells_of(nbformat.read(file, 4)):
        assert not cell.outputs
        assert cell.execution_count is None


def test_every_cell_runs_at_tiny_size(
    file: Path, tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANZOO_DATA", str(data_folder))
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    notebook = nbformat.read(file, 4)
    cells = cells_of(notebook)
    cells[0].source = "\n".join(f"{name} = {value}" for name, value in TINY.items())
    place = {"metadata": {"path": str(tmp_path)}}
    execute(nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place))

    [run] = (tmp_path / "runs").iterdir()
    config = json.loads((run / "config.json").read_text())
    assert config["gan"]["name"] == file.stem
    assert config["limit"] == TINY["limit"]
    figures = json.loads((run / "evaluations.jsonl").read_text())["figures"]
    assert figures.keys() == FIGURES[file.stem]
    shown = [output for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(shown) >= 4
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
