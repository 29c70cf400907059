"""docs/testing.md: its examples are tests that pass, and it names all that there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ganzoo.testing

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_its_examples_pass(number: int, tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(BLOCKS[number])
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_example.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_it_names_every_check_and_every_fixture() -> None:
    from ganzoo.testing import plugin

    page = PAGE.read_text(encoding="utf-8")
    for name in (*dir(ganzoo.testing), *(name for name in vars(plugin) if name.startswith("ganzoo_"))):
        assert f"`{name}" in page, name
