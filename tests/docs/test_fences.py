"""Blocks and commands are found in pages as a reader finds them."""

from documented import Desk
from fences import Block, Line, blocks, lines
from props import Runs

PAGE = """Text.

This needs two machines:

```console
torchrun x
```

- A list:

    ```python title="plain.py"
    if True:
        print(1)
    ```

````text
```bash
not a block
```
````
"""


def test_blocks_have_language_title_text_line_and_what_stands_before_them() -> None:
    console, python, text = blocks(PAGE)
    assert (console.language, console.text, console.line) == ("console", "torchrun x\n", 5)
    assert console.says_what_it_needs
    assert (python.language, python.title, python.text) == ("python", "plain.py", "if True:\n    print(1)\n")
    assert not python.says_what_it_needs
    assert text.language == "text"
    assert "not a block" in text.text


def typed(text: str) -> list[Line]:
    return [*lines(Block("bash", "", text, "", 1))]


def test_commands_are_read_as_a_shell_reads_them() -> None:
    first, second, third = typed("ganzoo run a --seed 0 && ganzoo run b \\\n    --text 'x # y'  # why\n\nls > here\n")
    assert first.words == ("ganzoo", "run", "a", "--seed", "0")
    assert second.words == ("ganzoo", "run", "b", "--text", "x # y")
    assert (third.words, third.into) == (("ls",), "here")


def test_a_command_that_fails_is_told_and_the_others_are_run(desk: Desk) -> None:
    desk.type(Block("bash", "", "ganzoo run dcgn\nganzoo list > gans.txt\npytest -n 2\nfalse", "", 7))
    unknown, tests, other = desk.failures
    assert "did you mean 'dcgan'?" in unknown
    assert "fence it as sh" in tests
    assert other.startswith("line 7: false")
    assert "cyclegan" in (desk.place / "gans.txt").read_text(encoding="utf-8")


def test_a_folder_of_a_run_is_one_that_was_trained(desk: Desk, named_runs: Runs) -> None:
    desk.lay_out("ganzoo generate runs/dcgan-mnist-001")
    kept, copy = (folder / "dcgan-mnist-001" for folder in (named_runs.folder, desk.place / "runs"))
    for name in ("config.json", "metrics.jsonl"):
        assert (copy / name).read_bytes() == (kept / name).read_bytes()
        assert not (copy / name).samefile(kept / name), "a page may add to it"
    assert list(copy.glob("checkpoints/*/*.safetensors"))
