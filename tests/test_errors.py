"""How messages show what was typed."""

from pathlib import Path

from ganzoo.errors import typed


def test_what_is_short_is_shown_as_it_is_on_one_line() -> None:
    assert typed("dcgn") == "'dcgn'"
    assert typed((16, 16)) == "'16,16'"
    assert typed("a\nb\t c") == "'a b c'"
    assert typed("x" * 80) == f"'{'x' * 80}'"


def test_what_is_long_loses_its_middle_so_that_the_end_of_a_path_is_seen() -> None:
    assert typed("a" * 100 + "z" * 100) == f"'{'a' * 38}...{'z' * 38}'"
    assert typed("9" * 10_000) == f"'{'9' * 38}...{'9' * 38}'"
    assert typed(Path("/long" * 20) / "config.json") == f"'{'/long' * 20}/config.json'"
    assert typed(Path("/long" * 100) / "config.json").endswith("/long/config.json'")
    assert len(typed(Path("/long" * 100))) <= 242


def test_what_cannot_be_written_is_named() -> None:
    assert typed(10**5000) == "'int of no end'"
