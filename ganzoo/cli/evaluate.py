"""`ganzoo evaluate` and `ganzoo compare`: how good runs are, in figures."""

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ganzoo.cli import config_flags
from ganzoo.cli.config_command import MadeCommand
from ganzoo.commands import AS_JSON, CHECKPOINT, DEVICE, OPTION, RUN, pairs, print_table, printable, runs
from ganzoo.errors import no_exit

if TYPE_CHECKING:
    from ganzoo.metrics.compare import Contrast, Group
    from ganzoo.metrics.evaluation import Evaluation


@click.command(cls=MadeCommand, source=config_flags.by_evaluate)
@RUN
@click.option("--data", metavar="NAME|NAME:PATH", help="Other real images than those of the run's own data set.")
@OPTION
@click.option(
    "--weights",
    metavar="FILE",
    help="The extractor's weights, .pth or .safetensors, such as those of inception; the same as --extractor.weights.",
)
@click.option(
    "--save-reference",
    metavar="FILE",
    help="Keep the statistics of the real images, an .npz file with mu and sigma, for --reference and other tools.",
)
@CHECKPOINT
@DEVICE
@AS_JSON
def evaluate(
    run: Path,
    data: str | None,
    weights: str | None,
    save_reference: str | None,
    options: tuple[str, ...],
    checkpoint: str,
    device: str,
    data_dir: Path | None,
    as_json: bool,
    **typed: Any,
) -> None:
    """Measure what the GAN makes that was trained in the folder RUN, or the pretrained GAN called RUN.

    The figures are printed, and added with all they depend on to RUN/evaluations.jsonl; of a pretrained GAN, which is
    part of a package, they are only printed.
    """
    from ganzoo.cli.progress import counting
    from ganzoo.contract.statistics import check_name
    from ganzoo.loading import load_trained
    from ganzoo.metrics.evaluate import keep, ready_for
    from ganzoo.runs.folder import RunFolder

    flags = config_flags.by_evaluate()
    given = {flags[name].name: value for name, value in typed.items() if value not in (None, ())}
    given |= {"extractor.weights": weights} if weights else {}
    if save_reference:
        check_name(Path(save_reference))
    with no_exit():
        trained = load_trained(run, device, None, pairs(options, "--option"), checkpoint)
        ready = ready_for(trained, {**given, **({"data": data} if data else {})}, data_dir)
        with counting(ready.looked_at, "images") as tell:
            figures = ready.measure(trained.nets, tell)
        if save_reference:
            ready.statistics().save(Path(save_reference))
    line = ready.line(trained.iteration, figures)
    kept = True
    try:
        kept = keep(RunFolder(trained.folder), line, ready.neighbors)
    finally:  # figures that took an hour are shown even if there is no room for them
        if as_json:
            click.echo(json.dumps(line, indent=2))
        else:
            _show(ready, figures, trained.iteration)
    if not kept:
        click.echo(f"note: '{run}' is part of a package; these figures were not kept", err=True)


def _show(ready: "Evaluation", figures: dict[str, float], iteration: int) -> None:
    from ganzoo.metrics.compare import brief

    print_table(
        {
            "metric": metric.kind,
            "figure": f"{brief(figures[metric.kind])} {metric.unit}".rstrip(),
            "better": metric.better(),
            "what": metric.summary(),
        }
        for metric in ready.metrics
    )
    click.echo(f"\niteration {iteration}; {printable(ready.protocol)}")
    for kind, reason in ready.left_out.items():
        click.echo(f"without {kind}: {reason}")


@click.command()
@runs("RUN RUN ...")
@click.option("--best", metavar="METRIC", help="Of each run the best figures by this metric, in place of the latest.")
@AS_JSON
def compare(runs: tuple[Path, ...], best: str | None, as_json: bool) -> None:
    """Put figures of runs side by side, and say which differences are more than other seeds would make.

    Runs that differ in nothing but --seed are one group. Figures of different protocols are refused.
    """
    from ganzoo.metrics import compare

    chosen = compare.measured(runs, best)
    groups, figures = compare.grouped(chosen), compare.shared(chosen)
    found = compare.differences(groups, figures)
    if as_json:
        click.echo(json.dumps(compare.as_json(chosen, groups, found), indent=2))
        return
    print_table(
        {"group": group.name, "run": run.run, "gan": run.gan, "seed": run.seed, "iteration": run.iteration}
        | {figure: compare.brief(run.figures[figure]) for figure in figures}
        for group in groups
        for run in group.runs
    )
    click.echo(f"\n{printable(chosen[0].protocol)}\n")
    if lacking := compare.lacking(chosen):
        for figure, paths in lacking.items():
            click.echo(f"{printable(figure)}: not measured for {', '.join(map(printable, paths))}")
        click.echo()
    _say(groups, figures, found)


def _say(groups: "list[Group]", figures: list[str], found: "list[Contrast]") -> None:
    """What can be said of the spread between seeds, and of what exceeds it."""
    from ganzoo.metrics.compare import brief

    several = [group for group in groups if len(group.runs) > 1]
    if not several:
        click.echo("one seed each: whether another seed would have turned it round, nothing here can tell")
        return
    print_table(
        {"group": group.name, "seeds": len(group.runs)}
        | {
            figure: f"{brief(statistics.fmean(values))} ± {brief(statistics.stdev(values))}"
            for figure in figures
            for values in [group.values(figure)]
        }
        for group in several
    )
    if not found:
        return
    click.echo()
    print_table(
        {
            "figure": each.figure,
            "groups": f"{each.first} - {each.second}",
            "difference": f"{each.difference:+.4g}",
            "by chance": "?" if each.chance is None else f"up to {brief(each.chance)}",
            "verdict": _verdict(each),
        }
        for each in found
    )
    click.echo("\nby chance: what two groups of so many seeds differ by in 19 cases of 20, if they are alike")


def _verdict(each: "Contrast") -> str:
    if each.chance is None:
        return "one seed each: cannot be told"
    return f"{each.better} is better" if each.better else "may be chance"


COMMANDS = [evaluate, compare]
