"""What is on its way out warns for a minor version, names what to use, and is not forgotten when its time has come."""

import ast
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

import ganzoo
from ganzoo.base.deprecation import GanzooDeprecationWarning, deprecated

REPOSITORY = Path(__file__).parent.parent
OLD = '''
from ganzoo.base.deprecation import deprecated


def draw(count=1, *, number=None):
    """Draws; `number` is what `count` was called."""
    if number is not None:
        deprecated("draw(number=...)", since="1.1", gone_in="1.2", instead="draw(count=...)")
        count = number
    return count


def __getattr__(name):
    if name == "Painter":
        deprecated("drawing.Painter", since="1.4", gone_in="2.0", instead="drawing.draw")
        return draw
    raise AttributeError(name)
'''
"""A module with an argument and a name that have got new ones."""


def promises(source: str) -> Iterator[tuple[str, str, str]]:
    """For each deprecation in a source: what, since when, and when it goes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "deprecated":
            words = {
                word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg in ("since", "gone_in")
            }
            yield ast.unparse(node.args[0]), words["since"], words["gone_in"]


def due(source: str, now: str) -> list[str]:
    """What a source still has of what was to be gone by now."""
    return [what for what, _, gone_in in promises(source) if Version(gone_in).release <= Version(now).release]


@pytest.fixture
def drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "drawing.py"
    file.write_text(OLD)
    monkeypatch.syspath_prepend(tmp_path)
    yield file
    sys.modules.pop("drawing", None)


@pytest.mark.parametrize("folder", ["ganzoo", "plugins"])
def test_nothing_is_kept_longer_than_was_said(folder: str) -> None:
    for file in sorted((REPOSITORY / folder).rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        assert not due(source, ganzoo.__version__), f"{file.relative_to(REPOSITORY)}: its time has come, remove it"
        for what, since, _ in promises(source):
            changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
            assert "### Deprecated" in changes, f"{what}, deprecated in {since}, belongs in CHANGELOG.md"


def test_what_is_due_is_found() -> None:
    assert [promise[1:] for promise in promises(OLD)] == [("1.1", "1.2"), ("1.4", "2.0")]
    assert due(OLD, "1.1.9") == []
    assert due(OLD, "1.2.0") == due(OLD, "1.2.0.dev1") == ["'draw(number=...)'"]
    assert len(due(OLD, "2.0.0")) == 2


@pytest.mark.usefixtures("drawing")
def test_the_old_one_works_and_says_what_to_use_at_the_line_that_used_it() -> None:
    import drawing  # type: ignore[import-not-found]  # written by the fixture

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawing.draw(count=3) == 3
    with pytest.warns(GanzooDeprecationWarning) as caught:
        assert drawing.draw(number=3) == 3
    assert str(caught[0].message) == (
        "draw(number=...) is deprecated since ganzoo 1.1 and will be gone in 1.2: draw(count=...)"
    )
    assert caught[0].filename == __file__
    with pytest.warns(
        GanzooDeprecationWarning, match=r"since ganzoo 1\.4 and will be gone in 2\.0: drawing\.draw$"
    ) as caught:
        assert drawing.Painter is drawing.draw
    assert caught[0].filename == __file__


@pytest.mark.parametrize(("since", "gone_in"), [("0.2", "0.2"), ("0.2.0", "0.2.9"), ("1.0", "0.9")])
def test_it_warns_for_a_whole_minor_version(since: str, gone_in: str) -> None:
    with pytest.raises(ValueError, match="a minor version lies between"):
        deprecated("ganzoo.Old", since=since, gone_in=gone_in, instead="ganzoo.New")


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError, match="'soon' is no version"):
        deprecated("ganzoo.Old", since="0.1", gone_in="soon", instead="ganzoo.New")


@pytest.mark.process
def test_the_command_line_shows_it_though_python_hides_such_warnings(drawing: Path) -> None:
    plugin = drawing.with_name("old.py")
    plugin.write_text("import ganzoo\nimport drawing\n\ndrawing.draw(number=3)\n")
    done = subprocess.run(
        [sys.executable, "-m", "ganzoo", "list", "--plugin", str(plugin)],
        capture_output=True, text=True, check=True, cwd=drawing.parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(drawing.parent), *sys.path])},
    )  # fmt: skip
    assert "old.py:4: GanzooDeprecationWarning: draw(number=...) is deprecated since ganzoo 1.1" in done.stderr
