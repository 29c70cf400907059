"""What a shell is told when it asks, and what it is given to ask with."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from folders import make_run
from shared import run_command

from ganzoo.cli import completion, main
from ganzoo.plugins import zoo

WITHOUT_TORCH = """
import sys
from ganzoo.cli import completion, main
try:
    main([])
except SystemExit:
    assert "torch" not in sys.modules
"""
STRANGER = """
import ganzoo
from ganzoo_dcgan import DCGAN
print("plain,noise")
class Mine(DCGAN):
    '''Mine.'''
    name = "mine"
    depth: int = 3
@ganzoo.hookimpl
def register_gans(register):
    register(Mine)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that these tests share, in the place of the user's."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def offered(monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    words, said = str(len(line.split(" ")) - 1), io.TextIOWrapper(io.BytesIO())  # click writes bytes
    with monkeypatch.context() as patch, contextlib.redirect_stdout(said):
        for name, value in (("_GANZOO_COMPLETE", "bash_complete"), ("COMP_WORDS", line), ("COMP_CWORD", words)):
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as stop:
            main([])
    said.seek(0)
    assert not stop.value.code
    return said.read().split()


def plain(*words: str) -> list[str]:
    return [f"plain,{word}" for word in words]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ganzoo ru", ["run", "runs"]),
        ("ganzoo run dc", ["dcgan"]),
        ("ganzoo info style", ["stylegan2"]),
        ("ganzoo run dcgan --la", ["--latent-dim", "--labels"]),
        ("ganzoo run dcgan --no-fu", ["--no-fused"]),
        ("ganzoo run dcgan --con", ["--config"]),
        ("ganzoo run dcgan --latent-dim 3 --loss h", ["hinge"]),
        ("ganzoo run dcgan --loss=h", ["hinge"]),
        ("ganzoo run dcgan --data m", ["mnist"]),
        ("ganzoo run dcgan --data f", ["fashion-mnist", "folder:"]),
        ("ganzoo run dcgan --lr-schedule c", ["constant", "cosine"]),
        ("ganzoo run nobody --la", []),
        ("ganzoo resume runs/a --keep-", ["--keep-last", "--keep-every", "--keep-memory"]),
        ("ganzoo resume runs/a --lat", []),
        ("ganzoo run dcgan --callback c", ["csv"]),
        ("ganzoo run dcgan --callback csv --callb", ["--callback"]),
        ("ganzoo evaluate runs/a --metric f", ["fid"]),
        ("ganzoo evaluate runs/a --metric fid --metr", ["--metric"]),
        ("ganzoo evaluate runs/a --wei", ["--weights"]),
        ("ganzoo evaluate runs/a --split t", ["train", "test"]),
        ("ganzoo compare runs/a ", ["runs/a", "runs/b"]),
        ("ganzoo report runs/", ["runs/a", "runs/b"]),
        ("ganzoo runs p", ["prune"]),
        ("ganzoo runs prune --f", ["--failed"]),
        ("ganzoo completion z", ["zsh"]),
        ("ganzoo info dcgan --config-template t", ["toml"]),
        ("ganzoo generate ", ["runs/a", "runs/b"]),
        ("ganzoo generate runs/", ["runs/a", "runs/b"]),
        ("ganzoo resume runs/b", ["runs/b"]),
        ("ganzoo translate ru", ["runs/a", "runs/b"]),
    ],
)
def test_a_shell_is_told_what_may_follow(
    line: str, words: list[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        make_run(place / "runs" / name)
    (place / "runs/plots").mkdir()
    assert offered(monkeypatch, line) == plain(*words)


def test_every_gan_is_offered_with_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered(monkeypatch, "ganzoo run ") == plain(*sorted(zoo().gans))
    known = completion.known()["gans"]
    for name, gan in zoo().gans.items():
        options = [option.opts[0] for option in completion.options(known[name]["flags"])]
        for field in gan.model_fields:
            assert f"--{field.rstrip('_').replace('_', '-')}" in options


def test_where_there_is_no_run_folders_are_for_the_shell_to_find(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered(monkeypatch, "ganzoo generate some") == ["dir,some"]
    assert offered(monkeypatch, "ganzoo run dcgan --config ") == ["file,"]


def test_what_plugins_provide_is_kept_until_one_changes(
    cache: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(monkeypatch, "ganzoo run ")
    file = cache / "ganzoo/completion.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"gans": {"from-the-cache": kept["gans"]["dcgan"]}}))
    assert offered(monkeypatch, "ganzoo run f") == plain("from-the-cache")
    (place / "mine.py").write_text(STRANGER)
    monkeypatch.setenv("GANZOO_PLUGINS", str(place / "mine.py"))
    assert offered(monkeypatch, "ganzoo run m") == plain("mine")  # and nothing that the plugin printed
    assert offered(monkeypatch, "ganzoo run mine --dep") == plain("--depth")
    monkeypatch.delenv("GANZOO_PLUGINS")
    for broken in ("{", "[]", '{"zoo": 3}'):
        file.write_text(broken)
        assert offered(monkeypatch, "ganzoo run dc") == plain("dcgan")


def test_a_cache_that_cannot_be_written_is_done_without(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "file"))
    assert offered(monkeypatch, "ganzoo run dc") == plain("dcgan")


@pytest.mark.process
@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("ganzoo run dcgan --lat", "--latent-dim"),
        ("ganzoo resume here --keep-m", "--keep-memory"),
        ("ganzoo evaluate here --met", "--metric"),
    ],
)
def test_an_answer_imports_no_torch_once_it_is_kept(
    line: str, word: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = os.environ | {
        "_GANZOO_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "3",
    }  # fmt: skip
    assert offered(monkeypatch, line) == plain(word)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"plain,{word}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_asks_as_it_is_answered(shell: str) -> None:
    answer = run_command("completion", shell)
    assert (answer.status, answer.err) == (0, "")
    assert f"_GANZOO_COMPLETE={shell}_complete" in answer.out
    assert run_command("completion", "cmd").status == 2
    assert f"ganzoo completion {shell} > " in run_command("completion", "--help").out


def test_bash_itself_completes(place: Path) -> None:
    bin_folder = Path(sys.executable).parent
    (place / "script").write_text(run_command("completion", "bash").out)
    lines = [
        f"PATH={bin_folder}:$PATH",
        ". ./script",
        "COMP_WORDS=(ganzoo run styleg); COMP_CWORD=2",
        "_ganzoo_completion ganzoo",
        'echo "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["stylegan2"]
