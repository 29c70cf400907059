"""docs/testing.md: its examples are tests that pass, and it names all that there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ganzoo.testing

pytestmark = pytest.mark.docs

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_its_examples_pass(tmp_path: Path) -> None:
    for number, block in enumerate(BLOCKS):
        assert block.count("def test_") == 1, block
        (tmp_path / f"test_example_{number}.py").write_text(block)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout
    assert f"{len(BLOCKS)} passed" in done.stdout


def test_it_names_every_check_and_every_fixture() -> None:
    from ganzoo.testing import plugin

    page = PAGE.read_text(encoding="utf-8")
    for name in (*dir(ganzoo.testing), *(name for name in vars(plugin) if name.startswith("ganzoo_"))):
        assert f"`{name}" in page, name
