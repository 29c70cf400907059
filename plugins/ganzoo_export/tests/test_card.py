"""What stands in a card: the words of others as they are, and programs that fit."""

from ganzoo_export.card import Contents, card
from ganzoo_export.facts import Facts
from ganzoo_export.tests.odd import odd

from ganzoo.contract.data_spec import DataSpec
from ganzoo.run_folders import example_text


def test_a_command_stands_as_it_was_typed() -> None:
    typed = "ganzoo run odd --text '<a|b> ```x```\n# no title'"
    facts = Facts(
        odd("plain"), {"data": {"name": "cats\n# <b> [x](http://x.org) *y* _z_ \\"}}, {"command": typed}, (), None
    )
    text = card(facts, Contents("safetensors", {}, "", {}))
    assert "````text\nganzoo run odd --text '<a|b> ```x``` # no title'\n````\n" in text
    assert "# odd trained on cats # &lt;b> \\[x\\](http://x.org) \\*y\\* \\_z\\_ \\\\\n" in text


def test_a_caption_is_not_too_long_for_the_data() -> None:
    for length in (1, 5, 32):
        spec = DataSpec(dataset="x", shapes={"image": (1, 4, 4), "caption": (length,)})
        assert 1 <= len(example_text(spec).encode()) <= length
