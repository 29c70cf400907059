"""Trainer: a run from its options to its last iteration."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from ganzoo import pictures
from ganzoo.base.environment import versions
from ganzoo.base.io import parse_json
from ganzoo.base.rng import random_state, seed_everything, seed_rank, set_random_state
from ganzoo.base.signals import Interrupted, StopSignals
from ganzoo.contract.batch import Batch
from ganzoo.contract.data_spec import DataSpec
from ganzoo.data.in_memory import to_float
from ganzoo.data.load import Data, load
from ganzoo.data.loader import BatchLoader
from ganzoo.distributed.batchnorm import synchronise
from ganzoo.distributed.context import DistributedContext, LaggedVote
from ganzoo.engine.engine import Engine
from ganzoo.errors import Diverged, RunFolderError, typed
from ganzoo.losses import Losses
from ganzoo.metrics.evaluation import Evaluation
from ganzoo.options.run import RunOptions
from ganzoo.runs import weights
from ganzoo.runs.checkpoint import STATE
from ganzoo.runs.folder import RunFolder
from ganzoo.training import setup
from ganzoo.training.callbacks.callback_list import CallbackList
from ganzoo.training.callbacks.divergence import Rollback
from ganzoo.training.meter import Meter

log = logging.getLogger(__name__)


@dataclass
class Trainer:
    """Run in memory: data, networks on the device, and the training loop.

    `Trainer.setup(options)` builds one, `fit` trains it to the end, `step` runs one iteration; `state_dict` and
    `load_state_dict` are the contents of a checkpoint.
    """

    options: RunOptions
    spec: DataSpec
    engine: Engine
    batches: BatchLoader
    preview: Batch
    """Inputs of every sample grid."""
    calibration_batch: Batch
    """Training inputs for the EMA's BatchNorm statistics."""
    rows: list[int]
    """Lengths of the data's columns, or of the stream; a resumed run must have the same."""
    meter: Meter = field(default_factory=Meter)
    evaluation: Evaluation | None = None
    """Evaluation during training, in the main process (default: none)."""
    start_iteration: int = 0
    """Iteration from which the run was resumed."""
    best: tuple[int, float] | None = None
    """Iteration and score of the best weights so far."""
    saved: int = -1
    """Iteration of the last checkpoint."""
    calibrated_at: int = -1
    """Iteration at which the EMA's BatchNorm statistics were last computed."""
    last_samples: Tensor | None = None
    """Samples of the last grid, N x C x H x W in [-1, 1]; in the main process only."""

    # Set by `fit`, and so left out of `repr`, which a trainer has before.
    folder: RunFolder = field(init=False, repr=False, compare=False)
    callbacks: CallbackList = field(init=False, repr=False, compare=False)

    # Setup

    @classmethod
    def setup(
        cls, options: RunOptions, data_dir: Path | None = None, distributed: DistributedContext | None = None
    ) -> Self:
        """Load the data and build the networks. Writes only downloads.

        Raises:
            UserError: if the data, the device or the shapes are not available.
        """
        distributed = distributed or DistributedContext.alone()
        options.players()  # fail on these before loading the data
        options.dtype(options.resolve_device())
        distributed.local_batch_size(options.batch_size)
        options.set_up_process()
        gan = options.gan
        data = load(options, gan.needs, gan.streams, data_dir, gan.scale_factor)
        evaluates = options.evaluate_every and distributed.is_main_process
        evaluation = setup.build_evaluation(options, data.spec, data_dir) if evaluates else None
        trainer = cls.build(options, data, distributed)
        trainer.evaluation = evaluation
        return trainer

    @classmethod
    def build(cls, options: RunOptions, data: Data, distributed: DistributedContext | None = None) -> Self:
        """Build the networks and everything else for a run on this data.

        Raises:
            UserError: if the device or the shapes are not available.
        """
        distributed = distributed or DistributedContext.alone()
        gan, device, shape = options.gan, options.resolve_device(), options.gan.noise_shape()
        players = options.players()
        columns = [column for stream in data.streams for column in stream.values()]
        rows = [len(part) for part in (data.stream, *columns) if part is not None]
        distributed.check_same({**options.model_dump(mode="json"), "images": rows})

        # Networks and batches
        seed_everything(options.seed)
        with setup.sized_for(options):
            batches = setup.build_loader(options, data, distributed)
            iterations = options.epochs * batches.per_epoch
            nets = gan.build(data.spec)
            engine = Engine(
                gan, nets, players, options, batches.collate, distributed, learning=options, iterations=iterations
            )
        if options.sync_batchnorm and distributed.world_size > 1:
            synchronise(engine.nets, distributed)
        seed_rank(options.seed, distributed.rank)

        # Inputs of sample grids
        preview = {name: to_float(column) for name, column in data.preview.items()}
        if "source" in preview:  # a translation takes two or three columns, so fewer rows are enough
            preview = {name: column[:8] for name, column in preview.items()}
        noise = setup.fixed_noise(len(next(iter(preview.values()))), shape, options.seed)
        noise = {name: gan.grid_noise(rows_of_noise) for name, rows_of_noise in noise.items()}
        inputs = Batch(**preview, **noise, step=torch.zeros((), dtype=torch.int64))

        # Inputs for BatchNorm calibration
        typical = {name: to_float(column) for name, column in data.calibration_batch.items()}
        typical |= setup.fixed_noise(len(next(iter(typical.values()))), shape, options.seed)
        calibration = Batch(**typical, step=torch.zeros((), dtype=torch.int64))
        return cls(
            options, data.spec, engine, batches, inputs.to(device), calibration.to(device), rows, Meter(distributed)
        )

    # The loop

    def fit(self, folder: RunFolder, callbacks: CallbackList) -> None:
        """Train to the last iteration, after at least one `step`.

        Between iterations, callbacks log, sample, evaluate and save when due. All processes must call it; only the main
        process writes.

        Raises:
            Interrupted: on a signal to stop; everything is saved.
            Diverged: if a loss or a weight is NaN or infinite.
            RunFolderError: if the folder cannot be written to.
        """
        self.folder, self.callbacks = folder, callbacks
        votes, rollback = LaggedVote(self.engine.distributed), Rollback()
        with StopSignals() as signals:
            while True:
                callbacks.on_guests_step_end(self)
                stop = votes.vote(signals.received)
                try:
                    callbacks.on_step_end(self)
                    if stop and not self.finished:
                        callbacks.checkpointer.save(self)
                except Diverged as error:
                    rollback(self, error)
                    callbacks.on_rollback(self)
                if self.finished:
                    return
                if stop:
                    # If one process leaves, its launcher ends the others, which may still be saving.
                    self.engine.distributed.barrier()
                    raise Interrupted(stop, self.engine.iteration)
                self.meter.add(self.step(), self.engine.iteration)

    @property
    def iterations(self) -> int:
        """Iterations of the whole run."""
        return self.options.epochs * self.batches.per_epoch

    @property
    def finished(self) -> bool:
        """Whether the last iteration is done."""
        return self.engine.iteration >= self.iterations

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes files."""
        return self.engine.distributed.is_main_process

    def is_due(self, every: int | None) -> bool:
        """Whether work with this interval is due: every `every` iterations and after the last; None: never."""
        return bool(every) and (self.finished or self.engine.iteration % (every or 1) == 0)

    # One iteration

    def step(self, everyone: bool = False) -> Losses:
        """Run the next iteration.

        Args:
            everyone: whether all players of the last phase move, due or not.

        Returns:
            Loss terms, 0-dimensional, on the device.

        Raises:
            OptionError: if the batch is too small for the networks, or (OutOfMemory) too large for the memory.
            DataError: if streamed data cannot be read.
        """
        with setup.sized_for(self.options):
            return self.engine.step(self.batches.draw(self.engine.iteration), everyone)

    def row(self) -> dict[str, float]:
        """Return a line of metrics: progress, and speed and losses since the previous line."""
        done, size = self.engine.iteration, self.options.batch_size
        iterations, seconds, losses = self.meter.read()
        progress = {"iteration": done, "epoch": round(done / self.batches.per_epoch, 4), "images": done * size}
        return {**progress, "images_per_second": round(iterations * size / seconds, 2), **losses}

    # Samples and scores

    def samples(self) -> Tensor:
        """Return samples for the inputs of the sample grid, N x C x H x W in [-1, 1], on the CPU."""
        self.recalibrate_batchnorm()
        with setup.sized_for(self.options):
            return self.engine.sample(self.preview)

    def recalibrate_batchnorm(self) -> None:
        """Compute the EMA's BatchNorm statistics, if there is an EMA; once per iteration.

        Raises:
            OptionError: see `step`.
        """
        if self.calibrated_at == self.engine.iteration:  # grid and checkpoint of one iteration share them
            return
        with setup.sized_for(self.options):
            self.engine.recalibrate_batchnorm(self.calibration_batch)
        self.calibrated_at = self.engine.iteration

    def evaluate(self, evaluation: Evaluation) -> dict[str, Any]:
        """Evaluate the networks and report the score.

        Returns:
            Line for evaluations.jsonl. Figures are None where images are NaN.
        """
        self.recalibrate_batchnorm()
        figures: dict[str, float | None] = {metric.kind: None for metric in evaluation.metrics}
        try:
            with self.engine.evaluating(), setup.sized_for(self.options):
                figures |= evaluation.measure(self.engine.sampling_networks)
        except Diverged as error:
            log.warning("at iteration %d nothing is measured: %s", self.engine.iteration, error)
        line = evaluation.line(self.engine.iteration, figures)
        if (figure := line["figures"][evaluation.metrics[0].kind]) is not None:
            self.report_score(evaluation.metrics[0].score(figure))
        return line

    def rehearse(self, evaluation: Evaluation) -> int:
        """Run one part of an evaluation, to measure its time; return the number of parts."""
        self.recalibrate_batchnorm()
        with self.engine.evaluating():
            return evaluation.rehearse(self.engine.sampling_networks)

    def report_score(self, score: float) -> None:
        """Report a score of the current weights, lower is better: a checkpoint of the best is saved and kept.

        To be called in a callback's `on_log`, `on_sample` or `on_evaluate`.
        """
        if self.best is None or score < self.best[1]:
            self.best = self.engine.iteration, score

    @property
    def is_best(self) -> bool:
        """Whether the weights of this iteration have the best score."""
        return self.best is not None and self.best[0] == self.engine.iteration

    def reals(self) -> Tensor:
        """Return real images for comparison with samples, N x C x H x W in [-1, 1], on the CPU."""
        return self.preview["image" if "image" in self.preview else "target"].cpu()

    def picture(self, fake: Tensor) -> Tensor:
        """Return the images of a sample grid: for a translation, input, output and target in turn."""
        if "source" not in self.preview:
            return fake
        columns = [self.preview.source.cpu(), fake]
        return pictures.side_by_side([*columns, self.preview.target.cpu()] if "target" in self.preview else columns)

    @property
    def picture_columns(self) -> int:
        """Images per row of a sample grid: the GAN's `grid_columns`, or two translations."""
        if "source" not in self.preview:
            return self.options.gan.grid_columns
        return 2 * (3 if "target" in self.preview else 2)

    # State

    def state_dict(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return the files of a checkpoint: its own, and those shared by all checkpoints of the run.

        All processes must call it; only the main process gets files.
        """
        engine = self.engine
        own = engine.distributed.gather(weights.pack(self._process_state()))
        if not self.is_main_process:
            return {}, {}
        self.recalibrate_batchnorm()
        networks, frozen = engine.nets.state_dict(), engine.frozen
        moved = {name: value for name, value in networks.items() if name not in frozen}
        still = {name: value for name, value in networks.items() if name in frozen}
        state = {
            "iteration": engine.iteration,
            "images": engine.iteration * self.options.batch_size,
            "lr_scale": engine.optimizers.scale,
            "best": self.best,
            "rows": self.rows,
            "config": self.options.model_dump(mode="json"),
            "versions": versions(),
        }
        files = {
            weights.NETWORKS: weights.pack(moved),
            weights.OPTIMIZERS: weights.pack(engine.optimizers.state()),
            **({weights.AVERAGE: weights.pack(engine.average.state())} if engine.average else {}),
            **{weights.process_file(rank): content for rank, content in enumerate(own)},
            STATE: json.dumps(state, indent=2).encode(),
        }
        return files, {weights.FROZEN: weights.pack(still)} if still else {}

    def load_state_dict(self, files: Mapping[str, bytes]) -> None:
        """Load a checkpoint's files into the run and into the random generators of this process.

        A process beyond the number of the original run gets new random numbers.

        Raises:
            RunFolderError: if the files belong to other networks, or to no checkpoint.
        """
        engine, rank = self.engine, self.engine.distributed.rank
        weights.load_networks(engine.nets, {name: part for name, part in files.items() if name != weights.AVERAGE})
        try:
            state = parse_json(files[STATE])
            made_with = dict(state["versions"])
            self._check_rows(state["rows"])
            is_new = weights.process_file(rank) not in files
            own = weights.unpack(files, weights.process_file(0 if is_new else rank))
            engine.nets.load_state_dict(_part(own, "networks/"), strict=False)
            engine.load_optimizer_state(weights.unpack(files, weights.OPTIMIZERS))
            if engine.average:
                engine.average.load_state(weights.unpack(files, weights.AVERAGE))
            engine.iteration, self.calibrated_at = weights.to_iteration(state["iteration"]), -1
            engine.optimizers.scale = float(state["lr_scale"])
            self.best = weights.best_in(state) if self._scores_alike(state["config"]) else None
            self.batches.load_state({name: value.tolist() for name, value in _part(own, "data/").items()})
            self.meter.load_state(_part(own, "losses/"), engine.device)
            set_random_state(_part(own, "random/"), engine.device)
            if is_new:
                seed_rank(self.options.seed, rank, engine.iteration)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise RunFolderError(f"the checkpoint is not of this run: {' '.join(str(error).split())}") from error
        now = versions()
        if changed := [
            f"{name} {typed(made_with.get(name))}, now {now[name]}" for name in now if made_with.get(name) != now[name]
        ]:
            log.warning("the checkpoint was made with other versions, so numbers may differ: %s", "; ".join(changed))

    def _process_state(self) -> dict[str, Tensor]:
        """Return the state of this process: random generators, unlogged losses and position in streamed data."""
        engine = self.engine
        own = {f"random/{name}": value for name, value in random_state(engine.device).items()}
        own |= {f"data/{name}": torch.tensor(numbers) for name, numbers in self.batches.state().items()}
        own |= {f"losses/{name}": value for name, value in self.meter.state().items()}
        if not self.is_main_process:  # samples are made with the main process's statistics and pools
            buffers = engine.nets.named_buffers()
            own |= {f"networks/{name}": value for name, value in buffers if name not in engine.frozen}
        return own

    def _check_rows(self, then: object) -> None:
        """Check that the number of images is unchanged: the order and position in the data depend on it."""
        if then != self.rows:
            raise RunFolderError(
                f"the data has {_numbers(self.rows)} images, and had {_numbers(then)} when the run was "
                "saved: put it back as it was, or begin a new run with --init-from"
            )

    def _scores_alike(self, then: Mapping[str, Any]) -> bool:
        """Whether old and new scores are comparable."""
        now = self.options.model_dump(mode="json")
        return all(
            then.get(name) == now[name] for name in ("metric", "extractor", "evaluate_samples", "evaluate_split")
        )


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _numbers(rows: object) -> str:
    return " and ".join(map(str, rows)) if isinstance(rows, list) else typed(rows)
