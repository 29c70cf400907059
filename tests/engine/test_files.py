"""Files with a line for each thing that happened: what a crash cuts short, and who may add to them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo.errors import RunFolderError
from ganzoo.metrics.evaluate import keep
from ganzoo.runs.folder import RunFolder


def test_a_line_that_a_crash_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.append_metrics({"iteration": 1})
    with folder.metrics.open("a", encoding="utf-8") as file:
        file.write('{"iteration": 2, "lo')
    folder.append_metrics({"iteration": 3})
    folder.append_metrics({"iteration": 4})
    assert [row["iteration"] for row in folder.lines(folder.metrics)] == [1, 3, 4]
    assert folder.metrics.read_text().count("\n") == 4, "no line is empty"
    folder.drop_metrics_after(3)
    assert [json.loads(line)["iteration"] for line in folder.metrics.read_text().splitlines()] == [1, 3]


def test_measurements_reach_the_disk_with_what_was_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, flushed = RunFolder(tmp_path), []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    folder.flush_metrics()
    assert not flushed
    folder.append_metrics({"iteration": 1})
    keep(folder, {"iteration": 1})
    folder.flush_metrics()
    assert flushed == [folder.metrics.stat().st_ino, folder.evaluations.stat().st_ino]


@pytest.mark.process
def test_a_run_that_trains_may_be_measured_by_another_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ganzoo.runs.folder import RunFolder\n"
        "from ganzoo.metrics.evaluate import keep\n"
        "folder, name = RunFolder(Path(sys.argv[1])), sys.argv[2]\n"
        "for number in range(300): keep(folder, {'iteration': number, 'protocol': name * 500})"
    )
    with RunFolder(tmp_path).locked():
        both = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in "ab"]
        assert [process.wait(timeout=120) for process in both] == [0, 0]
    rows = RunFolder(tmp_path).lines(tmp_path / "evaluations.jsonl")
    assert len(rows) == 600
    assert {row["protocol"] for row in rows} == {"a" * 500, "b" * 500}


def test_what_could_not_be_written_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    with (
        pytest.raises(RunFolderError, match=r"it has no checkpoint: mend that, then type the same command again$"),
        folder.written(),
    ):
        folder.write(folder.config, {"gan": {}})
    assert list(folder.path.iterdir()) == []
