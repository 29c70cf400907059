"""Every block of code in README, docs/ and what the site takes up beside them does what it says."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from documented import Desk
from fences import NOT_RUN, READ, RUN, SHOWN, Block, blocks, pages

pytestmark = pytest.mark.docs

PAGES = {name: file.read_text(encoding="utf-8") for name, file in pages().items()}


@pytest.mark.parametrize("name", PAGES)
def test_every_block_says_what_it_is_and_what_it_needs_if_no_test_can_run_it(name: str) -> None:
    for block in blocks(PAGES[name]):
        assert block.language in RUN | NOT_RUN | READ | SHOWN, f"{name}:{block.line}: what is {block.language!r}?"
        if block.language in NOT_RUN:
            assert block.says_what_it_needs, f"{name}:{block.line} does not say what it needs that a test has not"
        if block.language == "sh":
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)


RUNNABLE = [name for name, text in PAGES.items() if any(block.language in RUN | READ for block in blocks(text))]


@pytest.mark.parametrize("name", RUNNABLE)
def test_its_code_and_commands_run(name: str, desk: Desk) -> None:
    found = list(blocks(PAGES[name]))
    desk.lay_out("\n".join(block.text for block in found if block.language in RUN | READ))
    for block in found:
        try:
            run(block, desk)
        except Exception as error:
            error.add_note(f"at {name}:{block.line}")
            raise
    assert not desk.failures, "\n\n".join([name, *desk.failures])


def run(block: Block, desk: Desk) -> None:
    """What a reader would do with a block."""
    if block.title and Path(block.title).suffix:
        Path(block.title).write_text(block.text, encoding="utf-8")
    if block.language == "bash":
        desk.type(block)
    elif block.language == "python" and not (block.title and desk.is_script(block.title)):
        desk.execute(block)
    elif block.language == "yaml":
        assert list(yaml.safe_load_all(block.text))
    elif block.language == "toml":
        assert tomllib.loads(block.text)
    elif block.language == "json":
        assert json.loads(block.text)
