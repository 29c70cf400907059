"""The site as mkdocs builds it: whole, without warnings, and with nothing in it from other hosts."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from fences import pages
from playwright.sync_api import Browser
from shared import once

import ganzoo
from docs.building import commands, links, reference
from ganzoo.cli import root
from ganzoo.plugins import zoo

pytestmark = pytest.mark.docs

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
"""What a browser fetches unasked, and the attribute that says from where."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as CI builds it."""

    def build(folder: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
            capture_output=True,
            text=True,
            cwd=links.ROOT,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""

    return once(tmp_path_factory, "site", build)


class Loaded(HTMLParser):
    """What a page has a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found.append(given.get(LOADS.get(tag, "")) or "")
        assert "mermaid" not in (given.get("class") or ""), "mermaid is fetched from another host: draw an SVG"


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    for file in site.rglob("*.html"):
        parser = Loaded()
        parser.feed(file.read_text(encoding="utf-8"))
        away = [address for address in parser.found if re.match(r"(?:https?:)?//", address)]
        assert not away, f"{file.relative_to(site)} fetches {away}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_nothing_is_published_that_only_makes_pages(site: Path) -> None:
    published = {file.relative_to(site).as_posix() for file in site.rglob("*.py")}
    assert not [name for name in published if not name.startswith("files/")], "but for those that pages link to"


def test_every_public_name_is_in_the_reference_once(site: Path) -> None:
    html = "".join(file.read_text(encoding="utf-8") for file in (site / "reference").glob("*.html"))
    assert sorted(name.name for name in reference.public()) == sorted(vars(ganzoo)["__all__"])
    for name in reference.public():
        if name.module:
            assert len(re.findall(rf'<h\d id="{re.escape(name.path)}"', html)) == 1, name
        else:
            assert (site / reference.file(name.path)).with_suffix(".html").is_file()


def test_every_command_and_option_is_on_the_page_of_the_command_line() -> None:
    text, top = commands.page(), click.Context(root, info_name="ganzoo")
    for name in root.list_commands(top):
        command = root.get_command(top, name)
        assert command is not None
        part = re.split(r"^## ", text.partition(f"## ganzoo {name} {{ #")[2], maxsplit=1, flags=re.MULTILINE)[0]
        assert part, f"{name} is missing"
        for parameter in command.get_params(click.Context(command, parent=top, info_name=name)):
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert all(option in part for option in parameter.opts), (name, parameter.opts)
        if isinstance(command, click.Group) and not set(command.list_commands(top)) <= zoo().gans.keys():
            assert all(f"### ganzoo {name} {inner}" in part for inner in command.list_commands(top))


@pytest.mark.parametrize("name", pages())
def test_links_of_a_page_lead_somewhere_in_the_repository_too(name: str) -> None:
    file = pages()[name]
    for found in links.TARGET.finditer(
        re.sub(r"^```.*?^```$|`[^`\n]+`", "", file.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    ):
        assert (file.parent / found["path"]).exists(), f"{name} leads to {found['path']}, which is not there"


def test_a_link_out_of_the_documentation_stays_in_the_site() -> None:
    text = "[a](../SECURITY.md) [b](../tests/families.py#L1) [c](data.md) [d](https://x.org/y) [e](#here)"
    assert links.inside(text, "serve.md") == (
        "[a](security.md) [b](files/tests/families.py#L1) [c](data.md) [d](https://x.org/y) [e](#here)"
    )
    assert links.outside(text, "serve.md") == {"files/tests/families.py": "tests/families.py"}
    assert links.inside('<img src="docs/images/dcgan.png"> [z](docs/zoo/index.md)', "index.md") == (
        '<img src="images/dcgan.png"> [z](zoo/index.md)'
    )
    assert links.inside("[r](../../README.md)", "zoo/index.md") == "[r](../index.md)"


@pytest.mark.parametrize("name", ["index.html", "zoo/pix2pix.html", "reference/gans-and-players.html"])
def test_a_copy_on_a_disk_is_read_and_searched_without_a_network(site: Path, name: str, browser: Browser) -> None:
    page, asked, complaints = browser.new_page(viewport={"width": 1280, "height": 900}), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((site / name).as_uri())
    page.locator(".md-search__input").press_sequentially("clipping")
    result = page.locator(".md-search-result__link", has_text="wgan").first
    result.wait_for()
    assert (result.get_attribute("href") or "").endswith(".html?h=clipping")
    page.close()
    assert not [address for address in asked if not address.startswith(("file:", "data:", "blob:"))]
    assert not complaints


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["index.html", "zoo/index.html", "zoo/cyclegan.html", "commands.html", "quality.html"])
def test_nothing_is_wider_than_the_screen(site: Path, name: str, width: int, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    page.goto((site / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
