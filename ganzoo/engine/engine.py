"""Training engine, which knows only the networks and players of a GAN."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from ganzoo.base.rng import preserve_rng_state
from ganzoo.contract.batch import Batch
from ganzoo.contract.gan import GAN, Player
from ganzoo.contract.networks import Networks
from ganzoo.contract.players import check, resolve_optimizers
from ganzoo.distributed.context import DistributedContext
from ganzoo.engine.cuda_graphs import WARM_UP, CUDAGraphCache, CudaRecorder, restored
from ganzoo.engine.ema import EMA
from ganzoo.engine.optimizers import Optimizers
from ganzoo.errors import ContractError, OptionError
from ganzoo.losses import Losses
from ganzoo.options.optimization import OptimizationOptions
from ganzoo.options.performance import PerformanceOptions

log = logging.getLogger(__name__)

ALONE, WITH_SHARED = 1, 2
"""Uncompiled parts of the turn of a player that differentiates twice: its loss, or also the shared generation."""


class Engine:
    """Trains any GAN, one iteration at a time.

    The state consists of the networks, their exponential moving average (EMA), the optimizers and the number of
    iterations. Networks and losses draw random numbers from PyTorch's default generators.

    Each of several processes (`distributed`) has its own engine and its share of the batch; gradients are averaged, so
    weights are the same in all processes.

    Raises:
        ContractError: if the players do not fit the networks.
    """

    def __init__(
        self,
        gan: GAN,
        nets: Networks,
        players: Sequence[Player] | None = None,
        speed: PerformanceOptions | None = None,
        collate: Callable[[Batch], Batch] | None = None,
        distributed: DistributedContext | None = None,
        learning: OptimizationOptions | None = None,
        iterations: int | None = None,
    ) -> None:
        self.speed = speed = speed or PerformanceOptions()
        self.learning = learning or OptimizationOptions()
        self.iterations = iterations
        """Iterations of the whole run, for learning rate schedules (default: endless)."""
        self.gan, self.nets, self.device = gan, nets, speed.resolve_device()
        self.players = resolve_optimizers(gan.players() if players is None else players)
        check(self.players, nets)
        for player in self.players:
            if iterations is not None and player.after >= iterations:
                log.warning(
                    "the player '%s' begins after %d iterations, and the whole run has %d: it will not move; train for "
                    "more epochs, or have it begin earlier",
                    player.name,
                    player.after,
                    iterations,
                )
        self.collate = collate
        self.distributed = distributed or DistributedContext.alone()
        captures = speed.captures(self.device)
        if captures and self.distributed.world_size > 1:
            log.warning("with several processes iterations are not replayed as CUDA graphs: that was never tried")
            captures = False
        self.graphs = CUDAGraphCache(CudaRecorder(self.device), self.device, self.state) if captures else None
        speed.apply(nets, self.device)
        self.distributed.broadcast([*nets.parameters(), *nets.buffers()])
        self.channels_last = speed.use_channels_last(self.device)
        self.iteration = 0
        self._as_written = dict.fromkeys((player.name for player in self.players), 0)
        self._tried_compiled = not speed.compile
        self.weights = {player.name: self._weights(player) for player in self.players}
        captured = self.graphs is not None
        self.optimizers = Optimizers(self.players, self.weights, self.learning, fused=speed.fused, captured=captured)
        self._trained = list(dict.fromkeys(weight for weights in self.weights.values() for weight in weights))
        half_life = self.learning.ema_images
        self.average = EMA(nets, self._trained, half_life) if half_life else None
        self.train()

    @property
    def cycle(self) -> int:
        """Iterations until the players' rhythms repeat."""
        return math.lcm(*(player.every for player in self.players))

    @property
    def warm_up_cycles(self) -> int:
        """Cycles after which every set of players is recorded, where the engine records, and memory is taken."""
        return WARM_UP + 3 if self.graphs else 2

    @property
    def phases(self) -> list[int]:
        """Iterations at which the set of players changes, sorted, beginning with 0."""
        return sorted({0, *(player.after for player in self.players), *(player.until or 0 for player in self.players)})

    def step(self, batch: Batch, everyone: bool = False) -> Losses:
        """Run one iteration: the players that are due, or `everyone`, move in turn.

        Args:
            batch: a batch, or the input of `collate`, on any device.
            everyone: whether all players of the last phase move, due or not.

        Returns:
            Loss terms by `player/term`, 0-dimensional and float32, on the device.

        Raises:
            ContractError: if a player's loss or gradients are invalid.
            OptionError: if the networks cannot be compiled.
        """
        due = tuple(
            player for player in self.players if (player.until is None if everyone else player.is_due(self.iteration))
        )
        if not self._tried_compiled:
            self._try_compiled(batch)
        self.optimizers.set_rates(self.iteration / self.iterations if self.iterations else 0.0)
        try:
            if self.graphs:
                names = tuple(player.name for player in due)
                losses = self.graphs.make(names, batch, partial(self.iterate, due))
            else:
                losses = self.iterate(due, batch.to(self.device))
        finally:
            self._require_grad_only(self._trained)
        self.iteration += 1
        return losses

    def iterate(self, due: tuple[Player, ...], batch: Batch) -> Losses:
        """Run the eager iteration common to all GANs."""
        terms = Losses()
        with self.speed.arithmetic(self.device):
            batch = self.generate(due, batch)
            for player in due:
                losses, gradients = self.differentiate(player, batch)
                self.move(player, self.distributed.average(gradients))
                terms |= {f"{player.name}/{term}": value.detach().float() for term, value in losses.items()}
            if self.average:
                images = next(len(value) for value in batch.values() if value.ndim)
                self.average.update(batch.step, images * self.distributed.world_size)
        return terms

    def generate(self, due: Sequence[Player], batch: Batch) -> Batch:
        """Return the batch with the tensors shared by these players."""
        self._require_grad_only(weight for player in due for weight in self.weights[player.name])
        with self.speed.eager_mode(any(self._as_written[player.name] == WITH_SHARED for player in due)):
            return self.gan.generate(self.nets, self._ready(batch))

    def differentiate(self, player: Player, batch: Batch) -> tuple[Losses, Sequence[Tensor | None]]:
        """Return a player's losses and their gradients."""
        self._require_grad_only(self.weights[player.name])
        with self.speed.eager_mode(self._as_written[player.name] >= ALONE):
            losses = player.loss(self.nets, batch)
            return losses, self.gradients(player, losses)

    def gradients(self, player: Player, losses: Losses) -> Sequence[Tensor | None]:
        """Return the gradients of a player's summed losses with respect to its own weights."""
        for term, value in losses.items():
            name = f"the loss '{player.name}/{term}'"
            if not isinstance(value, Tensor):
                raise ContractError(f"{name} is {value!r}; expected a tensor")
            if value.ndim or value.device != self.device:
                raise ContractError(
                    f"{name} has shape {tuple(value.shape)} on {value.device}; expected one number on {self.device}"
                )
        total = sum(losses.values(), start=torch.zeros((), device=self.device))
        if not total.requires_grad:
            moved = ", ".join(player.networks)
            raise ContractError(f"the losses of the player '{player.name}' do not depend on what it moves ({moved})")
        try:
            return torch.autograd.grad(total, self.weights[player.name], allow_unused=True)
        except RuntimeError as error:
            if "second time" in str(error) or "modified by an inplace operation" in str(error):
                raise ContractError(
                    f"the player '{player.name}' differentiates through what an earlier player used up or moved: "
                    "call generate(nets, batch) again in its loss, or detach what it only looks at"
                ) from error
            raise

    def move(self, player: Player, gradients: Sequence[Tensor | None]) -> None:
        """Take one optimizer step for one player."""
        self.optimizers.step(player.name, gradients)
        if player.constrain:
            with torch.no_grad():
                player.constrain(self.nets)

    def sample(self, batch: Batch) -> Tensor:
        """Return images in evaluation mode, deterministic for given weights and inputs.

        They are N x C x H x W in [-1, 1], float32, on the CPU. The EMA weights are used if there are any; call
        `recalibrate_batchnorm` first. Training state is not affected.
        """
        with self.evaluating(), self.speed.arithmetic(self.device):
            torch.manual_seed(0)
            return self.gan.sample(self.sampling_networks, self._laid_out(batch)).float().cpu()

    @property
    def sampling_networks(self) -> Networks:
        """Networks for sampling: with EMA weights if there are any; call `recalibrate_batchnorm` first."""
        return self.average.nets if self.average else self.nets

    def recalibrate_batchnorm(self, inputs: Batch) -> None:
        """Recalibrate the BatchNorm statistics of the EMA, if there is one, on training inputs."""
        if self.average:
            with self.evaluating(), self.speed.arithmetic(self.device):
                torch.manual_seed(0)
                self.average.recalibrate_batchnorm(self.gan.sample, self._laid_out(inputs))

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Switch to evaluation mode without gradients, and restore training mode and the random state on exit."""
        with preserve_rng_state(self.device), torch.no_grad(), self.speed.eager_mode():
            self.nets.eval()
            try:
                yield
            finally:
                self.train()

    def train(self) -> None:
        """Set training mode; modules whose weights no player trains stay frozen and in evaluation mode."""
        self.nets.train()
        for _, module in self._still_modules():
            module.eval().requires_grad_(False)

    def state(self) -> list[Tensor]:
        """Return the tensors that an iteration changes, except random states."""
        average = self.average.own.parameters() if self.average else ()
        return [*self.nets.parameters(), *self.nets.buffers(), *self.optimizers.state().values(), *average]

    def load_optimizer_state(self, flat: Mapping[str, Tensor]) -> None:
        """Load the result of `optimizers.state`."""
        self.optimizers.load_state(flat)
        if self.graphs:
            self.graphs.forget()

    @cached_property
    def frozen(self) -> frozenset[str]:
        """Names in the networks' `state_dict` that no player trains and no iteration changes."""
        return frozenset(
            f"{path}.{name}" for path, module in self._still_modules() for name in module.state_dict(keep_vars=True)
        )

    def first_nonfinite_parameter(self) -> str:
        """Return the name of a weight that is NaN or infinite, or an empty string. Synchronizes with the device."""
        if bool(nn.utils.get_total_norm(self._trained).isfinite()):
            return ""
        weights = self.nets.named_parameters()
        return next((name for name, weight in weights if not bool(weight.isfinite().all())), "")

    def _still_modules(self) -> Iterator[tuple[str, nn.Module]]:
        trained = set(self._trained)
        for path, module in self.nets.named_modules():
            weights = list(module.parameters())
            if weights and trained.isdisjoint(weights):
                yield path, module

    def _try_compiled(self, batch: Batch) -> None:
        """Find the parts of each player's turn that cannot be compiled; leaves no trace in the state.

        Raises:
            OptionError: if the networks cannot be compiled at all.
        """
        with restored(self.state(), self.device), self.speed.arithmetic(self.device):
            for player in self.players:
                while not self._can_differentiate(player, batch.to(self.device)):
                    self._as_written[player.name] += 1
                if self._as_written[player.name]:
                    log.warning("the player '%s' differentiates twice, so its turns are not compiled", player.name)
        self._tried_compiled = True

    def _can_differentiate(self, player: Player, batch: Batch) -> bool:
        try:
            self.differentiate(player, self.generate((player,), batch))
        except RuntimeError as error:
            if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                reason = next(iter(str(error).splitlines()), "")
                raise OptionError(f"the networks cannot be compiled here ({reason}); leave --compile out") from error
            if "double backward" not in str(error) or self._as_written[player.name] == WITH_SHARED:
                raise
            return False
        return True

    def _weights(self, player: Player) -> list[nn.Parameter]:
        parameters = (weight for name in player.networks for weight in getattr(self.nets, name).parameters())
        return list(dict.fromkeys(weight for weight in parameters if weight.requires_grad))

    def _require_grad_only(self, weights: Iterable[nn.Parameter]) -> None:
        # Frozen weights cost neither stored activations nor gradients, and no loss can reach another player's networks.
        moving = set(weights)
        for weight in self._trained:
            weight.requires_grad_(weight in moving)

    def _ready(self, batch: Batch) -> Batch:
        return self._laid_out(self.collate(batch) if self.collate else batch)

    def _laid_out(self, batch: Batch) -> Batch:
        if not self.channels_last:
            return batch
        images = {name: value for name, value in batch.items() if value.ndim == 4}
        return batch.replace(**{name: image.to(memory_format=torch.channels_last) for name, image in images.items()})
