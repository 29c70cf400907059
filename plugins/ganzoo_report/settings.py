"""What runs were told: each option with its value, its default and what it is for, under headings."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ganzoo.config import Config, cli_name, flat
from ganzoo.errors import UserError
from ganzoo.options import HEADINGS, resolve
from ganzoo_report.curves import UNSET, shown
from ganzoo_report.record import Record


@dataclass(frozen=True)
class Setting:
    """One option of one run."""

    name: str
    value: str
    default: str | None
    """None: it is not known, as the plugin is not there."""
    help: str

    @property
    def differs(self) -> bool:
        """Whether the run was told something else than the default."""
        return self.default is not None and self.default != self.value


def settings(record: Record) -> dict[str, list[Setting]]:
    """Every option of a run under headings, its GAN's own first."""
    values, defaults, helps = values_of(record), _defaults(record), _helps(record)
    groups: dict[str, list[Setting]] = {record.gan_name: [], **{title: [] for title in HEADINGS}}
    for name, value in values.items():
        default = None if defaults is None else defaults.get(name, UNSET)
        setting = Setting(cli_name(name.removeprefix("gan.")), value, default, helps.get(name, ""))
        groups[_group(record, name)].append(setting)
    return {title: group for title, group in groups.items() if group}


def values_of(record: Record) -> dict[str, str]:
    """The values of a run's options by name, in words."""
    config: dict[str, Any] = record.config
    if record.options is not None:  # with what has become an option since
        config = record.options.model_dump(mode="json")
    return {name: shown(value) for name, value in flat(config) if name != "gan.name"}


@dataclass(frozen=True)
class DifferentSetting:
    """An option that runs were told differently."""

    name: str
    values: list[str]
    """Of each run; UNSET: it has no such option."""


def differences(records: Sequence[Record]) -> list[DifferentSetting]:
    """The options in which runs differ."""
    tables = [{"GAN": record.gan_name, **values_of(record)} for record in records]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [(name, [table.get(name, UNSET) for table in tables]) for name in names]
    return [
        DifferentSetting(cli_name(name.removeprefix("gan.")), values) for name, values in rows if len(set(values)) > 1
    ]


def _defaults(record: Record) -> dict[str, str] | None:
    """What the options would be if nothing had been said."""
    if record.options is None:
        return None
    with suppress(UserError):  # one of its options must be given
        config = resolve(type(record.options.gan), {}).model_dump(mode="json")
        return {name: shown(value) for name, value in flat(config)}
    return None


def _helps(record: Record) -> dict[str, str]:
    return dict(_described(record.options)) if record.options is not None else {}


def _described(config: Config, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        key = f"{prefix}{name}"
        if isinstance(value, Config):
            kind = getattr(type(value), "key", "kind")
            found += [(f"{key}.{kind}", field.description or ""), *_described(value, f"{key}.")]
        else:
            found.append((key, field.description or ""))
    return found


def _group(record: Record, name: str) -> str:
    first = name.partition(".")[0]
    return next((title for title, part in HEADINGS.items() if first in part.model_fields), record.gan_name)
