"""The command `ganzoo serve`: what it says, what it refuses, how it ends."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ganzoo_serve.tests.opened import serving as opened
from shared import Command

import ganzoo
from benchmarks.serve import ask

ROOT = Path(__file__).parents[3]


def started(*words: str | Path) -> subprocess.Popen[str]:
    """`ganzoo serve WORDS` as a process of its own."""
    command = [sys.executable, "-m", "ganzoo", "serve", *map(str, words), "--device", "cpu"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, **pipes)


@pytest.mark.process
def test_it_says_where_it_is_answers_the_requests_of_8_clients_each_rightly_and_ends_quietly(runs: Path) -> None:
    serving = started(runs / "dcgan", "--port", "0")
    assert serving.stdout is not None
    line = serving.stdout.readline()
    url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
    assert line == f"dcgan of {runs / 'dcgan'} at iteration 2: {url} for this computer only; Ctrl-C ends it\n"
    measured = ask(url, ganzoo.load(runs / "dcgan", device="cpu"), requests=40, clients=8)
    assert (measured["answered"], measured["right"]) == (40, 40)
    assert 0 < measured["seconds_median"] <= measured["seconds_p95"] <= measured["seconds_max"] < 60
    serving.send_signal(signal.SIGINT)
    rest, errors = serving.communicate(timeout=30)
    assert (serving.returncode, rest, errors) == (0, "stopped\n", "")


def test_who_opens_it_to_the_network_is_told_so(
    command: Command, runs: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)  # as if it were ended at once
    shutil.copytree(runs / "dcgan", place / "run")
    config = place / "run" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "epochs": 9}))
    status = config.with_name("status.json")
    status.write_text(json.dumps({**json.loads(status.read_text()), "state": "stopped"}))
    line, end = command("serve", "run", "--port", "0", "--host", "0.0.0.0").out.splitlines()  # noqa: S104 - the point
    assert line.startswith("dcgan of run at iteration 2 (the run is not finished: 1 of 9 epochs): http://127.0.0.1:")
    assert line.endswith(" for everyone who can reach this computer on the network, without a password; Ctrl-C ends it")
    assert end == "stopped"


@pytest.mark.process
def test_a_port_in_use_is_named_with_one_that_is_not(command: Command, runs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = command("serve", str(runs / "dcgan"), "--port", str(port))
        assert command("serve", "nowhere", "--port", str(port)).err.startswith(f"Error: port {port} of"), (
            "before what may take long"
        )
    assert said.status == 2
    assert said.err.startswith(f"Error: port {port} of 127.0.0.1 is in use; try --port ")
    free = int(said.err.split()[-1])
    assert free != port
    socket.create_server(("127.0.0.1", free)).close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "no.such.host.invalid"], "option 'host' cannot be 'no.such.host.invalid'"),
        (["--host", "192.0.2.1"], "option 'host' cannot be '192.0.2.1'"),
        (["--host", "x" * 300], "option 'host' cannot be"),
        (["--port", "70000"], "70000"),
        (["--queue", "0"], "0"),
        (["--max-upload", "much"], "option '--max-upload' cannot be 'much': write a size, such as 10MB"),
        (["--max-upload", "0MB"], "option '--max-upload' cannot be '0MB'"),
        (["--checkpoint", "99"], "no checkpoint of iteration 99"),
        (["--checkpoint", "last"], "option 'checkpoint' cannot be 'last'"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(command: Command, runs: Path, words: list[str], said: str) -> None:
    answer = command("serve", str(runs / "dcgan"), "--port", "0", *words)
    assert answer.status == 2
    assert said in " ".join(answer.err.replace("│", " ").split())
    assert "Traceback" not in answer.err


def test_what_is_no_run_is_said_in_a_line(command: Command, runs: Path, place: Path) -> None:
    (place / "empty").mkdir()
    assert "no run folder" in command("serve", "empty", "--port", "0").err
    assert "no run folder" in command("serve", "nowhere", "--port", "0").err
    shutil.copytree(runs / "dcgan", place / "begun")
    shutil.rmtree(place / "begun" / "checkpoints")
    assert (
        "has no checkpoint yet; go on with it by `ganzoo resume begun`" in command("serve", "begun", "--port", "0").err
    )
    shutil.copytree(runs / "dcgan", place / "strange")
    config = place / "strange" / "config.json"
    config.write_text(config.read_text().replace('"dcgan"', '"elsewhere"'))
    assert "strange is a run of 'elsewhere': no GAN is called" in command("serve", "strange", "--port", "0").err


def test_without_gradio_it_says_what_to_install(command: Command, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    answer = command("serve", "nowhere")  # which would be seen next
    assert answer.status == 2
    assert answer.err == "Error: the page needs gradio, which is missing; pip install 'ganzoo[web]'\n"


def test_nothing_of_it_is_left_in_the_environment_and_nothing_written(runs: Path) -> None:
    before = dict(os.environ)
    files = sorted(path for path in (ROOT / "plugins" / "ganzoo_serve").rglob("*") if "__pycache__" not in path.parts)
    with opened(runs / "dcgan"):
        assert dict(os.environ) == before
    after = sorted(path for path in (ROOT / "plugins" / "ganzoo_serve").rglob("*") if "__pycache__" not in path.parts)
    assert files == after
