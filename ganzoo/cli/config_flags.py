"""The flags of commands whose options are fields of configurations: one source for help, parsing and completion.

Their fields are those of the zoo, so they are asked for only once a command is to do something.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganzoo.cli.flags import Flag
    from ganzoo.contract.gan import GAN


def by_run(gan: "type[GAN]") -> "dict[str, list[Flag]]":
    """What a run of this GAN can be told, under headings, with the values in force."""
    from ganzoo.cli.flags import flags
    from ganzoo.options.run import HEADINGS, RunOptions, resolve

    try:
        defaults = resolve(gan, {}).model_dump(mode="json")
    except Exception:  # an option that must be given, a data set that is not installed, a mistake of the plugin's
        defaults = {"gan": {}}
    elsewhere = {"gan", *(name for part in HEADINGS.values() for name in part.model_fields)}
    recipe = list(flags(RunOptions, defaults, leave_out=sorted(elsewhere))) if gan.recipes else []
    return {
        gan.name: [*flags(gan, defaults["gan"]), *recipe],
        **{title: list(flags(part, defaults)) for title, part in HEADINGS.items()},
    }


def by_resume() -> "dict[str, Flag]":
    """What a run that goes on can be told anew."""
    from ganzoo.cli.flags import flags
    from ganzoo.options.run import RunOptions

    found = flags(RunOptions, {}, leave_out=sorted(RunOptions.model_fields.keys() - RunOptions.may_change))
    return {flag.parameter: flag for flag in found}


def by_evaluate() -> "dict[str, Flag]":
    """What an evaluation can be told."""
    from ganzoo.cli.flags import flags
    from ganzoo.options.evaluation import EvaluationOptions
    from ganzoo.plugins import zoo

    found = {flag.parameter: flag for flag in flags(EvaluationOptions, {"seed": 0})}
    how = "may be given several times: NAME, or with its options NAME:OPTION=VALUE,..."
    what = found["metric"].help.partition(":")[0]
    found["metric"] = replace(found["metric"], help=f"{what}; {how}: {', '.join(sorted(zoo().metrics))}")
    return found
