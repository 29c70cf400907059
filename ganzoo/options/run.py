"""Everything a run is told: its GAN, its data, its schedule, its speed. Kept as config.json."""

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

CLI_ONLY = ("config", "out", "data_dir", "dry_run", "json", "plugin")
"""Options of the command line alone. Whoever sends a file does not choose where a run writes, or what code it loads."""
HEADINGS: dict[str, type[Config]] = {
    "Data": DataOptions,
    "Training": TrainingOptions,
    "Optimization": OptimizationOptions,
    "Checkpoints": CheckpointOptions,
    "Validation": ValidationOptions,
    "Performance": PerformanceOptions,
    "Distributed": DistributedOptions,
}
"""What a run is told beside its GAN, as help and reports have it."""


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
    """The whole configuration of one run: with the same one, the same run."""

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
    """What a run that is continued may be told anew, beside what its data set says of its own fields."""

    def players(self) -> tuple[Player, ...]:
        """The GAN's players with the run's options applied."""
        return override(resolve_optimizers(self.gan.players()), self.lr, self.player)

    def flat(self) -> dict[str, Any]:
        """Its values by the names that they are given by, `optimizer.lr`, as JSON; without those that are unset."""
        return {cli_name(name): value for name, value in _told(self.model_dump(mode="json")).items()}

    def differences(self, config: Mapping[str, Any]) -> list[str]:
        """What keeps a run of that config.json from being this one, in words: `batch_size is 64, not 32`."""
        with suppress(UserError):  # with what has become an option since
            config = validate(RunOptions, config).model_dump(mode="json")
        theirs, mine = _told(config), _told(self.model_dump(mode="json"))
        may_change = {*self.may_change, *(f"data.{field}" for field in self.data.may_change)}
        every = dict.fromkeys([*theirs, *mine])  # `metric.kind` may change with `metric`
        names = [name for name in every if may_change.isdisjoint((name, name.partition(".")[0]))]
        different = [name for name in names if theirs.get(name) != mine.get(name)]
        if "gan.name" in different:  # then all else of it differs too
            different = ["gan.name"]
        pairs = [(cli_name(name), theirs.get(name, "unset"), mine.get(name, "unset")) for name in different]
        return ["{} is {}, not {}".format(*map(_brief, pair)) for pair in pairs]


def resolve(gan: type[GAN], given: Mapping[str, object], file: Mapping[str, object] | None = None) -> RunOptions:
    """The whole configuration from what was said: a recipe wins over defaults, a file over it, what was given over all.

    Args:
        gan: the class to configure.
        given: options of the GAN and of the run, side by side. `loss.penalty` reaches into the configuration that
            the option `loss` holds, whichever that is.
        file: likewise, as `ganzoo.options.file.read_config` reads it.

    Raises:
        UserError: naming the option and what it takes.
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
        for key in sorted(layer, key=lambda key: "." in key):  # a choice before what reaches into it
            name, dot, field = key.partition(".")
            if name not in names:
                raise UnknownName("option", name, names)
            config, values = (gan, own) if name in gan.model_fields else (RunOptions, run)
            values[name] = _merged(config, name, values.get(name), {field: layer[key]} if dot else layer[key])
    return validate(RunOptions, run | {"recipe": recipe, "gan": validate(gan, own)})


def _merged(config: type[Config], name: str, below: object, above: object) -> object:
    """A value laid over another: tables are merged, unless they choose different things."""
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
    """A value as a part of a message: theirs may be anything."""
    return typed(value)[1:-1]


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of tables within tables, without those that are unset."""
    return {name: value for name, value in flat(values) if value is not None and value != {}}
