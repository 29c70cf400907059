"""Everything a run is told: its GAN, its data, its schedule, its speed. Kept as config.json."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from ganzoo.callbacks import ChosenCallbacks
from ganzoo.config import Config, OneOf, build, cli_name, flat, one_of
from ganzoo.data.dataset import Part
from ganzoo.data.load import DataOptions
from ganzoo.engine.learning import Learning
from ganzoo.engine.players import override, settle
from ganzoo.engine.ranks import Processes
from ganzoo.engine.speed import Speed
from ganzoo.errors import UnknownName, UserError, typed
from ganzoo.gan import GAN, AnyGAN, Player
from ganzoo.metrics.options import MaybeExtractor, MaybeMetric

__all__ = [
    "HEADINGS",
    "RunOptions",
    "resolve",
]


def _words(value: object) -> str:
    """A player's option as it would be typed."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


class Schedule(Config):
    """How long to train, and how fast to learn."""

    epochs: int = Field(10, gt=0, description="passes through the data")
    seed: int = Field(0, ge=0, lt=2**63, description="of weights, noise, order and everything else that is drawn")
    init_from: Path | None = Field(None, description="run folder, or pretrained GAN, whose weights to begin with")
    lr: float | None = Field(None, gt=0, description="learning rate of every player, in place of the GAN's own")
    player: dict[str, Annotated[str, BeforeValidator(_words)]] = Field(
        {}, description="one player's option, NAME.FIELD=VALUE: discriminator.lr=4e-4"
    )


class Keeping(Config):
    """What to leave behind on the way, and what to do when training breaks down."""

    log_every: int = Field(50, gt=0, description="iterations between two lines of metrics.jsonl")
    sample_every: int = Field(200, gt=0, description="iterations between two sample grids")
    checkpoint_every: int = Field(1000, gt=0, description="iterations between two checkpoints")
    keep_last: int = Field(2, gt=0, description="so many of the latest checkpoints stay")
    keep_every: int | None = Field(None, gt=0, description="checkpoints of every so many iterations stay, too")
    on_nan: Literal["stop", "rollback"] = Field(
        "stop", description="if a loss or weight is no number: stop, or go back a checkpoint and halve learning rates"
    )
    callback: ChosenCallbacks = Field(
        (), description="what else to tell of the run, once for each; `none` where there were"
    )


class Judging(Config):
    """How to tell on the way how good what is made is: of the best weights a checkpoint stays."""

    evaluate_every: int | None = Field(
        None, gt=0, description="iterations between two evaluations; unless given, there are none"
    )
    evaluate_samples: int = Field(
        2500, gt=1, description="images that each evaluation makes, or as many as there are real"
    )
    evaluate_split: Part | None = Field(
        None, description="of the real images that it is held against; unless given, test if there is one"
    )
    metric: MaybeMetric = Field(None, description="the figure by which weights are the best; unless given, the first")
    extractor: MaybeExtractor = Field(
        None, description="the network that sets of images are seen through; unless given, the data set's"
    )


class Choice(Config):
    """What to train."""

    gan: AnyGAN
    recipe: str | None = Field(None, description="a named set of values; other options win over it")


ELSEWHERE = ("config", "out", "data_dir", "dry_run", "json", "plugin")
"""Options of the command line alone. Whoever sends a file does not choose where a run writes, or what code it loads."""
HEADINGS: dict[str, type[Config]] = {
    "Data": DataOptions,
    "Training": Schedule,
    "Learning": Learning,
    "Keeping": Keeping,
    "Judging": Judging,
    "Speed": Speed,
    "Processes": Processes,
}
"""What a run is told beside its GAN, as help and reports have it."""


class RunOptions(Processes, Speed, Judging, Keeping, Learning, Schedule, DataOptions, Choice):
    """The whole configuration of one run: with the same one, the same run."""

    may_change: ClassVar[frozenset[str]] = frozenset(
        {
            "epochs",
            "processes",
            "restarts",
            "workers",
            *Keeping.model_fields,
            *Judging.model_fields,
            *Speed.model_fields,
        }
    )
    """What a run that is continued may be told anew, beside what its data set says of its own fields."""

    def players(self) -> tuple[Player, ...]:
        """The GAN's players with the run's options applied."""
        return override(settle(self.gan.players()), self.lr, self.player)

    def flat(self) -> dict[str, Any]:
        """Its values by the names that they are given by, `optimizer.lr`, as JSON; without those that are unset."""
        return {cli_name(name): value for name, value in _told(self.model_dump(mode="json")).items()}

    def differences(self, config: Mapping[str, Any]) -> list[str]:
        """What keeps a run of that config.json from being this one, in words: `batch_size is 64, not 32`."""
        with suppress(UserError):  # with what has become an option since
            config = build(RunOptions, config).model_dump(mode="json")
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
    """Resolve the options of a run: a recipe wins over defaults, a file over the recipe, `given` over all.

    Args:
        gan: the class to configure.
        given: options of the GAN and of the run, side by side. `loss.penalty` reaches into the configuration that
            the option `loss` holds, whichever that is.
        file: likewise, as `ganzoo.configfile.read_config` reads it.

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
    return build(RunOptions, run | {"recipe": recipe, "gan": build(gan, own)})


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


def _table(mark: OneOf, value: object) -> object:
    if isinstance(value, mark.base):
        return value.dump()
    return mark.base.parse(value) if isinstance(value, str) else value


def _brief(value: object) -> str:
    """A value as a part of a message: theirs may be anything."""
    return typed(value)[1:-1]


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of tables within tables, without those that are unset."""
    return {name: value for name, value in flat(values) if value is not None and value != {}}
