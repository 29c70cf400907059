"""The README's own GAN works, and its table is of the whole zoo. Its code and commands: docs/test_pages.py."""

import re
from pathlib import Path

import pytest
from props import README_GAN

from ganzoo.plugins import ENVIRONMENT, zoo
from ganzoo.testing import check_gan

pytestmark = pytest.mark.docs

README = Path(__file__).parent.parent / "README.md"


def test_its_gan_passes_the_checks_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my_gan.py"
    file.write_text(README_GAN, encoding="utf-8")
    monkeypatch.setenv(ENVIRONMENT, str(file))
    check_gan(zoo().gan("my-gan"))


def test_it_is_as_short_as_it_says() -> None:
    assert len(README_GAN.splitlines()) <= 30


def test_it_lists_every_gan_with_its_paper() -> None:
    text = README.read_text(encoding="utf-8")
    for name, gan in zoo().gans.items():
        if zoo().gans.origins[name].builtin:
            assert re.search(rf"^\| `{name}` \| .* \| {re.escape(gan.paper())} \|$", text, re.MULTILINE), name
