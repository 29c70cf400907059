"""The README's tables, from results."""

import json
from pathlib import Path

import pytest
from ganzoo_bench.results import read
from ganzoo_bench.tables import BEGIN, END, insert

from benchmarks.table import GOALS, main, tables

MACHINE = {"cpu": "Some CPU, 2 cores", "cuda:0": "Some GPU, 80 GiB", "torch": "2.15.0", "python": "3.11.7"}


def saved(folder: Path, *benchmarks: tuple[str, dict[str, object]]) -> Path:
    """A result file with these benchmarks: names and facts."""
    file = folder / "result.json"
    stats = {"median": 1.0, "min": 0.9, "max": 1.2, "rounds": 9}
    entries = [
        {"name": name, "extra_info": {"precision": "fp32", **facts}, "stats": stats} for name, facts in benchmarks
    ]
    content = {"machine_info": MACHINE, "commit_info": {"id": "0123456789"}, "benchmarks": entries}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def ratio(value: float, device: str = "cpu") -> dict[str, object]:
    return {"device": device, "ratio": value, "ratio_min": value - 0.1, "ratio_max": value + 0.1}


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_without_results_every_goal_is_unmeasured() -> None:
    text = tables([])
    assert len(lines_with(text, "| unmeasured |")) == len(GOALS)
    assert "Images per second" not in text


def test_a_measured_ratio_stands_beside_its_goal_and_is_bold_if_it_is_met(tmp_path: Path) -> None:
    file = saved(
        tmp_path,
        ("test_dcgan[32-fp32-end-to-end]", ratio(2.5)),
        ("test_pix2pix[1-default]", ratio(1.5)),
        ("test_dcgan[32-default-end-to-end]", {**ratio(9.0), "smoke": True}),
    )
    text = tables(read([file]))
    (fp32,) = lines_with(text, "end to end, fp32")
    assert fp32.endswith("| ≥ 2.2x | **2.50x** (2.40 to 2.60) | Some CPU, 2 cores, fp32 |")
    (pix2pix,) = lines_with(text, "Pix2Pix 256x256 batch 1, CPU")
    assert "| 1.50x (1.40 to 1.60) |" in pix2pix
    (smoke,) = lines_with(text, "CPU, end to end |")
    assert "| unmeasured |" in smoke
    assert "commit 0123456" in text


def test_a_row_of_two_ratios_shows_which_is_missing_and_a_share_is_that_of_the_best_batch(tmp_path: Path) -> None:
    share = {"device": "cuda:0", "precision": "bf16"}
    file = saved(
        tmp_path,
        ("test_dcgan[32-default-step-only]", ratio(5.0, "cuda:0")),
        ("test_peak[4]", {**share, "share_of_peak": 0.21}),
        ("test_peak[16]", {**share, "share_of_peak": 0.34}),
    )
    text = tables(read([file]))
    (dcgan,) = lines_with(text, "batch 32, GPU")
    assert "| ≥ 15x / ≥ 4x | unmeasured / **5.00x** (4.90 to 5.10) | Some GPU, 80 GiB, fp32 |" in dcgan
    (peak,) = lines_with(text, "share of the bf16 peak")
    assert "| ≥ 30% | **34%** | Some GPU, 80 GiB, bf16 |" in peak


def test_throughput_has_a_row_for_each_gan_and_a_column_for_each_machine(tmp_path: Path) -> None:
    facts = {"gan": "dcgan", "size": "64x64", "batch_size": 32, "device": "cpu"}
    file = saved(
        tmp_path,
        ("test_training[dcgan]", {**facts, "images_per_second": 61.23}),
        ("test_generation[dcgan]", {**facts, "images_per_second": 1234.5}),
        ("test_training[dcgan]", {**facts, "images_per_second": 25000.0, "device": "cuda:0"}),
    )
    text = tables(read([file]))
    assert "| GAN | images | Some CPU, 2 cores, fp32 | Some GPU, 80 GiB, fp32 |" in text
    assert "| `dcgan` | 64x64, batch 32 | 61.2 / 1,230 | 25,000 / unmeasured |" in text


def test_only_what_is_between_the_markers_changes(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    main(["--into", str(readme), str(saved(tmp_path))])
    once = readme.read_text(encoding="utf-8")
    assert once.startswith(f"before\n{BEGIN}\n| work |")
    assert once.endswith(f"\n{END}\nafter\n")
    assert "old" not in once
    assert insert(readme, tables([])) == once


@pytest.mark.parametrize("text", ["none", BEGIN, f"{END} {BEGIN}"])
def test_a_readme_without_markers_is_left_alone(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["--into", str(readme), str(saved(tmp_path))])
    assert stop.value.code == 2
    assert f"{readme} has no {BEGIN}" in capsys.readouterr().err
    assert readme.read_text(encoding="utf-8") == text


def test_a_file_that_holds_no_results_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["--print", str(file)])
    assert stop.value.code == 2
    assert "broken.json" in capsys.readouterr().err
