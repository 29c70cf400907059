"""`ganzoo runs`: what it says of folders of any kind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from folders import everything, listed, make_run
from shared import Command

from ganzoo.base.io import append_line, write_json

WITHOUT_TORCH = """
import sys
from ganzoo.cli import main
for words in (["runs"], ["runs", "prune", "--dry-run"], ["runs", "--json"]):
    try:
        main(words)
    except SystemExit as stop:
        assert not stop.code, stop.code
assert not {"torch", "numpy", "ganzoo.plugins"} & sys.modules.keys()
"""


def test_runs_are_listed_with_all_that_is_known(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", saved=[20, 40], best=20)
    for iteration, fid in ((10, 9.5), (20, 3.25), (40, 4.0)):
        append_line(folder.evaluations, {"iteration": iteration, "protocol": {"seed": 0}, "figures": {"fid": fid}})
    make_run(place / "runs/deep/b", "failed", iteration=10, reason="training\x1b[2J diverged", epochs=3)
    row = listed(command("runs", "--json"))["a"]
    assert row.pop("changed").endswith("+00:00")
    assert row.pop("bytes") == sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
    assert row == {
        "run": "runs/a", "state": "finished", "gan": "dcgan", "data": "mnist", "iteration": 40, "iterations": 40,
        "epoch": 4.0, "epochs": 4, "checkpoint": 40, "metric": "fid", "last": 4.0, "best": 3.25, "note": "",
    }  # fmt: skip
    lines = command("runs").out.splitlines()
    assert " ".join(lines[0].split()) == "run state gan data iteration epoch metric best size changed"
    (line,) = [line for line in lines if line.startswith("runs/a ")]
    assert re.fullmatch(r"runs/a +finished +dcgan +mnist +40/40 +4/4 +fid 4 +3.25 +[\d.]+ kB +just now *", line)
    assert "\nruns/deep/b failed: training\N{REPLACEMENT CHARACTER}[2J diverged\n" in command("runs").out
    assert lines[-1].startswith("2 runs, ")
    assert command("runs", "runs").out == command("runs", "list", "runs").out == command("runs").out


def test_only_figures_of_one_protocol_are_compared(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", saved=[20, 40], best=20)
    append_line(folder.evaluations, {"iteration": 20, "protocol": {"samples": 10}, "figures": {"fid": 1.0}})
    append_line(folder.evaluations, {"iteration": 40, "protocol": {"samples": 99}, "figures": {"fid": 4.0}})
    row = listed(command("runs", "--json"))["a"]
    assert (row["last"], row["best"]) == (4.0, None)
    append_line(folder.evaluations, {"iteration": 40, "protocol": {"samples": 10}, "figures": {"fid": 7.0}})
    append_line(folder.evaluations, {"iteration": 20, "protocol": {"samples": 99}, "figures": {"fid": 8.0}})
    row = listed(command("runs", "--json"))["a"]
    assert (row["last"], row["best"]) == (4.0, 8.0), "that of the newest iteration with most samples leads"


def test_what_was_saved_was_made_even_if_nothing_was_logged(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", saved=[30])
    folder.metrics.unlink()
    for status in (True, False):
        if not status:
            folder.status.unlink()
        row = listed(command("runs", "--json"))["a"]
        assert (row["iteration"], row["epoch"], row["epochs"]) == (30, None, 4)
    assert re.search(r" stopped +dcgan +mnist +30/\? +\?/4 ", command("runs").out)


def test_an_export_is_listed_as_one(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a")
    for file in (folder.status, folder.metrics):
        file.unlink()
    write_json(folder.export, {"iteration": 20, "iterations": 40})
    row = listed(command("runs", "--json"))["a"]
    assert (row["state"], row["iteration"], row["iterations"], row["epoch"]) == ("export", 20, 40, None)
    assert re.search(r" export +dcgan +mnist +20/40 ", command("runs").out)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("config.json", None, "it has no config.json"),
        ("config.json", "{", "cannot be read"),
        ("config.json", "[]", "it holds no JSON object"),
        ("config.json", "[" * 100_000, "nested too deeply"),
        ("config.json", '{"gan": 3}', "config.json does not say which GAN was trained"),
        ("config.json", b"\xff\xfe", "cannot be read"),
        ("status.json", "{}", "option 'state' is needed"),
        ("status.json", '{"state": "asleep", "iteration": 1, "iterations": 2}', "status.json cannot be used"),
        ("status.json", '{"state": "running", "iteration": 1e400, "iterations": 2}', "status.json cannot be used"),
    ],
)
def test_a_broken_run_is_named_and_stops_nothing(
    file: str, content: str | bytes | None, reason: str, command: Command, place: Path
) -> None:
    make_run(place / "runs/whole")
    broken = make_run(place / "runs/broken").path / file
    broken.unlink()
    if content is not None:
        broken.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = listed(command("runs", "--json"))
    assert (rows["whole"]["state"], rows["broken"]["state"]) == ("finished", "broken")
    assert reason in rows["broken"]["note"]
    answer = command("runs")
    assert (answer.status, "broken" in answer.out) == (0, True)
    assert command("runs", "prune", "--yes", "--failed").status == 0
    assert (place / "runs/broken/metrics.jsonl").exists()


def test_what_evaluations_and_metrics_hold_may_be_anything(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a")
    folder.metrics.write_bytes(b'\xff\n{"iteration": "many", "epoch": [1]}\n{"iteration": 12, "ep')
    lines = ['{"figures": {"fid": "low"}}', '{"figures": 3}', "[]", '{"iteration": null, "figures": {"fid": 0}}']
    folder.evaluations.write_text("\n".join(lines))
    row = listed(command("runs", "--json"))["a"]
    assert (row["state"], row["iteration"], row["metric"], row["last"]) == ("finished", 0, "fid", 0)


@pytest.mark.parametrize(("iteration", "state"), [(40, "finished"), (13, "stopped")])
def test_a_run_of_before_there_was_a_status(iteration: int, state: str, command: Command, place: Path) -> None:
    make_run(place / "runs/a", iteration=iteration).status.unlink()
    row = listed(command("runs", "--json"))["a"]
    assert (row["state"], row["iteration"], row["iterations"]) == (state, iteration, 40)


def test_numbers_without_measure_stop_nothing(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a")
    folder.status.unlink()
    for line in ('{"iteration": 5, "epoch": 1e-320}', '{"iteration": 1e308, "epoch": 1e-5}', '{"iteration": -5}'):
        folder.metrics.write_text(line)
        assert listed(command("runs", "--json"))["a"]["iterations"] is None
        assert command("runs").status == 0


def test_links_are_named_and_not_followed(command: Command, place: Path) -> None:
    make_run(place / "elsewhere/a", saved=[10, 20])
    (place / "runs").mkdir()
    (place / "runs/link").symlink_to(place / "elsewhere/a")
    (place / "runs/round").symlink_to(place / "runs")
    inner = make_run(place / "runs/b")
    (inner.path / "checkpoints").symlink_to(place / "elsewhere/a/checkpoints")
    other = make_run(place / "runs/c", saved=[20])
    (other.checkpoints / "00000010").symlink_to(place / "elsewhere/a/checkpoints/00000010")
    before = everything(place)
    rows = listed(command("runs", "--json"))
    assert {name: row["state"] for name, row in rows.items()} == {"link": "broken", "b": "broken", "c": "finished"}
    answer = command("runs", "prune", "--yes", "--failed")
    assert answer.status == 0
    assert "left alone: runs/c: runs/c/checkpoints/00000010 is a link" in answer.out
    assert everything(place) == before


def test_where_there_is_no_run(command: Command, place: Path) -> None:
    assert command("runs").out == "there is no run in runs\n"
    assert json.loads(command("runs", "--json").out) == []
    answer = command("runs", "nowhere")
    assert (answer.status, answer.err[:37]) == (2, "Error: there is no folder 'nowhere'; ")
    (place / "file").write_text("")
    assert command("runs", "file").status == 2
    (place / "runs/plots").mkdir(parents=True)
    assert command("runs").out == "there is no run in runs\n"
    assert command("runs", "prune").out == "there is nothing to remove\n"


@pytest.mark.process
def test_runs_imports_nothing_slow(place: Path) -> None:
    make_run(place / "runs/a", saved=[10, 20])
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_run_that_prepares_to_go_on_is_running(command: Command, place: Path) -> None:
    folder = make_run(place / "runs/a", "failed", reason="diverged")
    old = make_run(place / "runs/old")
    old.status.unlink()
    with folder.locked(), old.locked():
        rows = listed(command("runs", "--json"))
    assert [(row["state"], row["note"]) for row in rows.values()] == [("running", "")] * 2


@pytest.mark.slow
def test_a_thousand_runs_are_listed(command: Command, place: Path) -> None:
    first = make_run(place / "runs/0000", saved=[40])
    for number in range(1, 1000):
        path = place / "runs" / f"{number:04}"
        path.mkdir()
        for file in (first.config, first.status, first.metrics):
            os.link(file, path / file.name)
    write_json(first.environment, {})
    assert len(json.loads(command("runs", "--json").out)) == 1000
