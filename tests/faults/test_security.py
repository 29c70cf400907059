"""What SECURITY.md promises of files from anybody, where no other test holds it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ganzoo.base import io
from ganzoo.data import archive

ROOT = Path(__file__).parents[2]
WATCHED = """
import os, sys

def watch(event, details):
    if event in ("socket.connect", "socket.getaddrinfo", "pickle.find_class", "os.system"):
        sys.stderr.write(f"{event} {details}\\n")
        os._exit(9)
    if event == "open" and str(details[0]).endswith((".py", ".pyc")) and str(details[0]).startswith(os.getcwd()):
        os._exit(8)

from ganzoo.cli import main
import ganzoo.api, ganzoo.plugins, ganzoo.training.run, torchvision.utils  # what imports do is theirs

ganzoo.plugins.zoo()
sys.addaudithook(watch)
main(sys.argv[1:])
"""
"""A ganzoo that dies when it connects to anything, unpickles a class, starts a shell or opens Python here."""


def watched(place: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WATCHED, *line.split()],
        cwd=place,
        env={**os.environ, "GANZOO_DATA": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize(
    "line",
    [
        "generate run -n 2 -o x.png",
        "run dcgan --image-size 16 --limit 8 --batch-size 4 --epochs 2 --precision fp32 --out run",
    ],
)
def test_nothing_is_connected_to_unpickled_or_started(line: str, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "dcgan", tmp_path / "run")
    for name in ("ganzoo_evil", "evil", "sitecustomize"):
        (tmp_path / "run" / f"{name}.py").write_text("raise SystemExit(7)")
    made = watched(tmp_path, line)
    assert made.returncode == 0, made.stderr


@pytest.mark.process
def test_what_would_connect_is_noticed_by_this_test(tmp_path: Path) -> None:
    assert watched(tmp_path, "run dcgan --data fashion-mnist --image-size 16 --out run").returncode == 9


def test_the_limits_that_are_told_are_those_in_force() -> None:
    text = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    assert Image.MAX_IMAGE_PIXELS is not None
    for words in (
        f"more than {archive.MEMBER // 2**20} MiB or",
        f"from {archive.SMALL // 2**20} MiB on, to more than {archive.RATIO} times",
        f"more than {archive.TOTAL // 2**30} GiB",
        f"more than {Image.MAX_IMAGE_PIXELS // 10**6} million pixels",
        f"more than {io.DEPTH} deep",
    ):
        assert words in text, words


def test_no_code_of_ours_can_unpickle_or_evaluate() -> None:
    forbidden = re.compile(
        # torch.load(weights_only=True) builds tensors and nothing else.
        r"(?<![.\w])(?:torch\.load\((?![^)]*weights_only=True)|(?:pickle\.\w+|marshal\.\w+|eval|exec|os\.system)\()"
        r"|^\s*(?:import|from) pickle",
        re.MULTILINE,
    )
    for file in [*(ROOT / "ganzoo").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        found = "tests" not in file.parts and forbidden.search(file.read_text(encoding="utf-8"))
        assert not found, f"{file.name}: {found}"
