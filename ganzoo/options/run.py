"""All options of a run: GAN, data, training, performance. Saved as config.json."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from ganzoo.config import Choice, Config, cli_name, flat, one_of, validate
from ganzoo.contract.gan import GAN, Player
from ganzoo.contract.players import override, resolve_optimizers
from ganzoo.data.load import DataOptions
from ganzoo.errors import UnknownName, UserError, typed
from ganzoo.options.checkpoint import CheckpointOptions
from ganzoo.options.distributed import DistributedOptions
from ganzoo.options.optimization import OptimizationOptions
from ganzoo.options.performance import PerformanceOptions
from ganzoo.options.training import GANOptions, TrainingOptions
from ganzoo.options.validation import ValidationOptions

__all__ = [
    "HEADINGS",
    "RunOptions",
    "resolve",
]

CLI_ONLY = ("config", "out", "data_dir", "dry_run", "json", "plugin")
"""Options of the command line only: a config file must not choose where a run writes or what code it loads."""
HEADINGS: dict[str, type[Config]] = {
    "Data": DataOptions,
    "Training": TrainingOptions,
    "Optimization": OptimizationOptions,
    "Checkpoints": CheckpointOptions,
    "Validation": ValidationOptions,
    "Performance": PerformanceOptions,
    "Distributed": DistributedOptions,
}
"""Options of a run other than its GAN's, by heading in help and reports."""


class RunOptions(
    DistributedOptions,
    PerformanceOptions,
    ValidationOptions,
    CheckpointOptions,
    OptimizationOptions,
    TrainingOptions,
    DataOptions,
    GANOptions,
):
    """Complete configuration of one run: the same configuration gives the same run."""

    may_change: ClassVar[frozenset[str]] = frozenset(
        {
            "epochs",
            "processes",
            "restarts",
            "workers",
            *CheckpointOptions.model_fields,
            *ValidationOptions.model_fields,
            *PerformanceOptions.model_fields,
        }
    )
    """Options that a resumed run may change, in addition to those that its data set allows."""

    def players(self) -> tuple[Player, ...]:
        """Return the GAN's players with the run's options applied."""
        return override(resolve_optimizers(self.gan.players()), self.lr, self.player)

    def flat(self) -> dict[str, Any]:
        """Return JSON values by option name, `optimizer.lr`, without unset ones."""
        return {cli_name(name): value for name, value in _told(self.model_dump(mode="json")).items()}

    def differences(self, config: Mapping[str, Any]) -> list[str]:
        """Describe why a run with that config.json cannot be resumed as this one: `batch_size is 64, not 32`."""
        with suppress(UserError):  # fills in options added since
            config = validate(RunOptions, config).model_dump(mode="json")
        theirs, mine = _told(config), _told(self.model_dump(mode="json"))
        may_change = {*self.may_change, *(f"data.{field}" for field in self.data.may_change)}
        every = dict.fromkeys([*theirs, *mine])  # `metric.kind` may change with `metric`
        names = [name for name in every if may_change.isdisjoint((name, name.partition(".")[0]))]
        different = [name for name in names if theirs.get(name) != mine.get(name)]
        if "gan.name" in different:  # its options differ as well
            different = ["gan.name"]
        pairs = [(cli_name(name), theirs.get(name, "unset"), mine.get(name, "unset")) for name in different]
        return ["{} is {}, not {}".format(*map(_brief, pair)) for pair in pairs]


def resolve(gan: type[GAN], given: Mapping[str, object], file: Mapping[str, object] | None = None) -> RunOptions:
    """Merge all options: a recipe wins over defaults, the file over the recipe, given options over the file.

    __all__ = [
    "HEADINGS",
    "RunOptions",
    "resolve",
    ]

    Args:
        gan: class to configure.
        given: options of the GAN and of the run. `loss.penalty` sets an option of the chosen `loss`.
        file: options from `ganzoo.options.file.read_config`.

    Raises:
        UserError: names the option and its allowed values.
    """
    names = {*gan.model_fields, *RunOptions.model_fields} - {"gan"}
    file = file or {}
    recipe = file.get("recipe") if given.get("recipe") is None else given["recipe"]
    if recipe is None:
        recipe = next(iter(gan.recipes), None)
    elif not isinstance(recipe, str) or recipe not in gan.recipes:
        raise UnknownName(f"recipe of {gan.name}", recipe, gan.recipes)
    own: dict[str, Any] = {}
    run: dict[str, Any] = {"data": gan.dataset}
    for layer in (gan.recipes[str(recipe)] if recipe else {}, file, given):
        for key in sorted(layer, key=lambda key: "." in key):  # a choice before its own options
            name, dot, field = key.partition(".")
            if name not in names:
                raise UnknownName("option", name, names)
            config, values = (gan, own) if name in gan.model_fields else (RunOptions, run)
            values[name] = _merged(config, name, values.get(name), {field: layer[key]} if dot else layer[key])
    return validate(RunOptions, run | {"recipe": recipe, "gan": validate(gan, own)})


def _merged(config: type[Config], name: str, below: object, above: object) -> object:
    """Merge a value into another: tables are merged, except those of different choices."""
    mark = one_of(config.model_fields[name])
    if mark and isinstance(above, mark.base):
        return above
    if mark:
        below, above = (_table(mark, value) for value in (below or config.model_fields[name].default, above))
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    if mark and above.get(mark.base.key, below.get(mark.base.key)) != below.get(mark.base.key):
        return above
    return {**below, **above}


def _table(mark: Choice, value: object) -> object:
    if isinstance(value, mark.base):
        return value.dump()
    return mark.base.parse(value) if isinstance(value, str) else value


def _brief(value: object) -> str:
    """Shorten a value for a message, as it may be anything."""
    return typed(value)[1:-1]


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten nested tables, without unset values."""
    return {name: value for name, value in flat(values) if value is not None and value != {}}
