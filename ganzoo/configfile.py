"""Config files: what `--config FILE` tells a run, in YAML, TOML or JSON.

A file has the names of the flags, and its values are read as if they had been typed after these: YAML's own notion of
what `no`, `1e-3` or `012` are never comes into it. A run's config.json is such a file, too.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

import yaml
from pydantic.fields import FieldInfo

from ganzoo.config import OneOf, cli_name, flat, one_of
from ganzoo.errors import OptionError, UserError, typed
from ganzoo.files import parse_json
from ganzoo.gan import GAN
from ganzoo.options import ELSEWHERE, RunOptions, resolve

LARGEST = 100_000
"""Bytes of a config file: a template has some 10,000."""
DEPTH = 8
"""How deeply tables and lists may be nested."""


def resolve_with(gan: type[GAN], given: Mapping[str, object], file: Path | None) -> RunOptions:
    """The whole configuration: what was given wins over the file, the file over the recipe.

    Args:
        gan: the class to configure.
        given: as `ganzoo.options.resolve` takes it.
        file: YAML, TOML or JSON.

    Raises:
        UserError: naming the option and what it takes, and the file if it is the file's.
    """
    if file is None:
        return resolve(gan, given)
    said = read_config(file, gan)
    try:
        return resolve(gan, given, said)
    except UserError as error:
        try:
            resolve(gan, given)
        except UserError as other:
            if str(other) == str(error):  # whatever the file says
                raise other from None
        raise OptionError(f"{typed(file)}: {error}") from error


def read_config(file: Path, gan: type[GAN]) -> dict[str, object]:
    """What a config file says, by the names of fields; choices as tables.

    Args:
        file: YAML, TOML or JSON, by the end of its name.
        gan: what it is for; a file that names another is refused.

    Raises:
        OptionError: it cannot be read, or is none, or is for another GAN.
    """
    try:
        return _said(_table(_parse(file)), gan)
    except RecursionError:
        raise OptionError(f"{typed(file)} cannot be used: it is nested too deeply") from None
    except ValueError as error:
        raise OptionError(f"{typed(file)} cannot be used: {error}") from error


def _said(values: dict[str, object], gan: type[GAN]) -> dict[str, object]:
    own = _own(values.pop("gan", None), gan)
    said = _named(values, {**RunOptions.model_fields, **gan.model_fields})
    for name in own.keys() & said.keys():
        raise ValueError(f"it says {typed(cli_name(name))} twice, once below 'gan'")
    for name in said:
        if name in ELSEWHERE:
            raise ValueError(f"{typed(name)} is for the command line only: --{name.replace('_', '-')}")
    return {**said, **own}


def _own(value: object, gan: type[GAN]) -> dict[str, object]:
    """The GAN's options of a run's config.json, which has them below `gan` with its name."""
    if value is None:
        return {}
    table = dict(value) if isinstance(value, Mapping) else {GAN.key: value}
    name = table.pop(GAN.key, gan.name)
    if name != gan.name:
        raise ValueError(f"it is for the GAN {typed(name)}, not for '{gan.name}'")
    return _named(table, gan.model_fields)


def _named(values: Mapping[str, object], fields: Mapping[str, FieldInfo]) -> dict[str, object]:
    """Values under the names of fields: hyphens as underscores, and what is cli_name with dots as tables."""
    found: dict[str, object] = {}
    for key, value in values.items():
        first, dot, rest = key.partition(".")
        name = first.replace("-", "_")
        name = f"{name}_" if f"{name}_" in fields else name  # a word that is Python's own
        field = fields.get(name)
        mark = one_of(field) if field else None
        inner = {rest: value} if dot else value
        if mark and inner is None:  # a heading, and nothing below it
            continue
        if field and get_origin(field.annotation) is dict and isinstance(inner, Mapping):
            inner = {key: each for key, each in flat(inner) if each != {}}  # `discriminator: {lr: 1}`, not `{}`
        elif mark and isinstance(inner, Mapping):
            inner = _named(inner, _inside(mark))
        if name in found:
            inner = _joined(cli_name(name), found[name], inner, mark)
        found[name] = inner
    return found


def _inside(mark: OneOf) -> dict[str, FieldInfo]:
    return {name: field for choice in mark.base.choices().values() for name, field in choice.model_fields.items()}


def _joined(option: str, first: object, second: object, mark: OneOf | None) -> dict[str, object]:
    """`loss: hinge` and `loss.penalty: 1` as one table."""
    if mark:
        first, second = (mark.base.parse(value) if isinstance(value, str) else value for value in (first, second))
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)) or first.keys() & second.keys():
        raise ValueError(f"it says {typed(option)} twice")
    return {**first, **second}


def _parse(file: Path) -> object:
    """What is in the file.

    Raises:
        OptionError: it cannot be read, or its name does not say in what language it is.
        ValueError: it is not of that language.
    """
    languages = {".yaml": _parse_yaml, ".yml": _parse_yaml, ".toml": _parse_toml, ".json": _parse_json}
    parse = languages.get(file.suffix.lower())
    if parse is None:
        raise OptionError(f"option 'config' cannot be {typed(file)}: its name must end in {', '.join(languages)}")
    if not file.is_file():
        raise OptionError(f"option 'config' cannot be {typed(file)}: there is no such file")
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise OptionError(f"{typed(file)} cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None
    return parse(text)


def _table(value: object) -> dict[str, Any]:
    """The whole of a file; an empty one, or one that is all comments, says nothing.

    Raises:
        ValueError: it is no table, or what is in it could not have been typed.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        held = "a list" if isinstance(value, list) else typed(value)
        raise ValueError(f"it holds {held}, not names and values")  # noqa: TRY004 - said with the file's other faults
    return {name: _typed(inner, name, DEPTH) for name, inner in value.items()}


def _typed(value: object, key: str, levels: int) -> Any:
    """The value as if it had been typed: numbers and truth values in words, tables and lists of such.

    Raises:
        ValueError: it is something else.
    """
    if levels == 0:
        raise ValueError(f"{typed(key)} is nested too deeply")
    if isinstance(value, dict):
        return {name: _typed(inner, f"{key}.{name}", levels - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner, key, levels - 1) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"{typed(key)} is a {type(value).__name__}; expected text, a number, a truth value or a list")


def _parse_toml(text: str) -> object:
    return tomllib.loads(text)


def _parse_json(text: str) -> object:
    parse_json(text)  # which bounds it
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table: dict[str, object] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"it says {typed(key)} twice")
        table[key] = value
    return table


def _parse_yaml(text: str) -> object:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{error.problem or error.context}{where}") from error
    except yaml.YAMLError as error:  # what is no character of YAML
        raise ValueError(" ".join(str(error).split())) from error


class _Loader(yaml.SafeLoader):
    """YAML whose plain values are text, but for null; without aliases and tags, and with every key once."""

    yaml_implicit_resolvers = {
        start: [("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"))] for start in ("~", "n", "N", "")
    }

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # its stub has no types here
        mark = event.start_mark
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not taken: write the value out", mark)
        if event.tag is not None:
            raise yaml.composer.ComposerError(None, None, f"tags are not taken: leave out {typed(event.tag)}", mark)
        if self.depth > DEPTH:
            raise yaml.composer.ComposerError(None, None, "it is nested too deeply", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "expected the name of an option", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"it says '{key.value}' twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
