"""Packages as strangers install them, and commands in processes of their own that find them."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Installed:
    """Where packages are installed, and a folder to work in."""

    packages: Path
    work: Path

    def python(self, *words: str) -> str:
        """What `python WORDS` prints, in a process that finds the packages."""
        path = os.pathsep.join(filter(None, (str(self.packages), os.environ.get("PYTHONPATH"))))
        environment = os.environ | {"PYTHONPATH": path}
        environment.pop("GANZOO_PLUGINS", None)
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.work, env=environment, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def ganzoo(self, *words: str) -> str:
        """What `python -m ganzoo WORDS` prints."""
        return self.python("-m", "ganzoo", *words)


def install(projects: Iterable[Path], folder: Path) -> Installed:
    """Builds projects and installs them, beside a folder to work in; without the network."""
    packages, work = folder / "packages", folder / "work"
    work.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(packages), *map(str, projects)], check=True, capture_output=True, timeout=900)
    return Installed(packages, work)
