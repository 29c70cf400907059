"""Flags from configurations: a field is a flag, its description the help, its validation the check."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import rich_click as click
from pydantic.fields import FieldInfo

from ganzoo.config import Config, Form, NamedConfig, bare, one_of, several_of
from ganzoo.errors import OptionError


@dataclass(frozen=True)
class Flag:
    """One option as the command line shows it."""

    name: str
    """As `ganzoo.run` takes it: `latent_dim`, `loss.penalty`."""
    form: str
    """What it takes: `INTEGER`, `[a|b]`, ..."""
    help: str
    default: str
    field: FieldInfo
    hidden: bool = False
    """Taken, but not listed: it reaches into a choice that is not the default one."""

    @property
    def spelling(self) -> str:
        """As it is typed: `--latent-dim`; a word that is Python's own ends in an underscore there: `as_` is `--as`."""
        return "--" + ".".join(part.rstrip("_").replace("_", "-") for part in self.name.split("."))

    @property
    def parameter(self) -> str:
        """As click calls it."""
        return self.name.replace(".", "__")

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value: `--fused`, `--no-fused`."""
        return bare(self.field.annotation) is bool

    @property
    def values(self) -> list[str]:
        """The words that it takes, if only these."""
        mark = one_of(self.field) or several_of(self.field)
        if mark:
            choices = sorted(mark.base.choices().items())
            return [f"{name}:" if "path" in kind.model_fields else name for name, kind in choices]
        return self.form.split("|") if "|" in self.form else []

    @property
    def is_repeated(self) -> bool:
        """Whether it may be given several times."""
        return get_origin(self.field.annotation) is dict or several_of(self.field) is not None

    def option(self) -> click.Option:
        """As click takes it; the value stays what was typed, and the configuration checks it."""
        shown = f"{self.help}  [default: {self.default}]" if self.default else self.help
        if self.is_switch:
            both = f"{self.spelling}/--no-{self.spelling.removeprefix('--')}"
            return click.Option([both, self.parameter], default=None, help=shown, hidden=self.hidden)
        return click.Option(
            [self.spelling, self.parameter],
            metavar=self.form,
            multiple=self.is_repeated,
            help=shown,
            hidden=self.hidden,
        )

    def parse(self, typed: Any) -> object:
        """What was typed, in the form that the configuration takes."""
        if get_origin(self.field.annotation) is dict:
            return dict(self._pair(text) for text in typed)
        return typed

    def _pair(self, text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not (equals and "." in name):
            raise OptionError(f"option '{self.spelling}' cannot be '{text}'; write NAME.FIELD=VALUE")
        return name, value


def flags(config: type[Config], defaults: Mapping[str, Any], leave_out: Sequence[str] = ()) -> Iterator[Flag]:
    """The flags of a configuration, each choice followed by those that reach into it.

    Args:
        config: whose fields to show.
        defaults: the values in force, as JSON.
        leave_out: fields that are set in another way.
    """
    for name, field in config.model_fields.items():
        if name in leave_out:
            continue
        mark = one_of(field)
        default = defaults.get(name)
        if several := several_of(field):
            yield _repeated(name, field, several.base, default)
            continue
        if mark is None:
            yield Flag(name, _form(field), field.description or "", _shown(default), field)
            continue
        chosen = default[mark.base.key] if isinstance(default, Mapping) else None
        choices = mark.base.choices()
        text = f"{field.description or ''}: {_choices(choices)}"
        yield Flag(name, mark.base.key.upper(), text, chosen or "", field)
        seen: set[str] = set()
        for label, choice in sorted(choices.items(), key=lambda item: item[0] != chosen):
            inside = default if label == chosen and isinstance(default, Mapping) else {}
            for flag in flags(choice, inside):
                if flag.name not in seen:
                    seen.add(flag.name)
                    text = f"{flag.help} ({label})"
                    yield Flag(f"{name}.{flag.name}", flag.form, text, flag.default, flag.field, label != chosen)


def _repeated(name: str, field: FieldInfo, base: type[NamedConfig], default: object) -> Flag:
    """A flag that is given once for each of several choices, with their options behind a colon."""
    chosen = ", ".join(str(part[base.key]) for part in default) if isinstance(default, list) else ""
    return Flag(name, base.key.upper(), f"{field.description}: {_choices(base.choices())}", chosen, field)


def _choices(choices: Mapping[str, type[NamedConfig]]) -> str:
    return ", ".join(choice.form() for _, choice in sorted(choices.items()))


def _form(field: FieldInfo) -> str:
    for mark in field.metadata:
        if isinstance(mark, Form):
            return mark.word
    annotation = bare(field.annotation)
    if get_origin(annotation) is Literal:
        return "|".join(str(value) for value in get_args(annotation))
    if get_origin(annotation) is dict:
        return "NAME.FIELD=VALUE"
    if get_origin(annotation) in (tuple, list):
        parts = get_args(annotation)
        return f"{_word(parts[0])},..." if parts[-1] is Ellipsis or len(parts) == 1 else ",".join(map(_word, parts))
    return _word(annotation)


def _word(annotation: Any) -> str:
    return {int: "INTEGER", float: "NUMBER", bool: "", str: "TEXT"}.get(bare(annotation), "PATH")


def _shown(default: object) -> str:
    if default is None or default == {}:
        return ""
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, list):
        return ",".join(str(part) for part in default)
    return str(default)
