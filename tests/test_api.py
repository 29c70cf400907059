"""ganzoo from Python: the public names, and what `run` and `load` give."""

import ast
from pathlib import Path
from typing import Any

import pytest
import torch

import ganzoo
from ganzoo.data.in_memory import to_float
from ganzoo.losses import Hinge, WassersteinGP
from ganzoo.options.run import RunOptions, resolve
from ganzoo.plugins import zoo
from ganzoo.runs.folder import RunFolder
from ganzoo.training import run as engine_run
from ganzoo.training.trainer import Trainer

PUBLIC: list[str] = vars(ganzoo)["__all__"]
SMALL: dict[str, Any] = {"image_size": 16, "limit": 8, "batch_size": 4, "epochs": 1, "precision": "fp32"}


class StoppedError(Exception):
    """Raised in place of training."""


def test_public_names_are_what_the_stub_says() -> None:
    stub = ast.parse(Path(ganzoo.__file__).with_suffix(".pyi").read_text())
    names = [alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert len(stub.body) == len(names), "the stub holds imports of one name each, and nothing else"
    assert sorted(str(name) for name in names) == PUBLIC


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        getattr(ganzoo, "nonsense")  # noqa: B009 - mypy knows that it is not there


def test_a_run_by_name_by_class_and_by_configuration(tmp_path: Path, data_folder: Path) -> None:
    kind = zoo().gan("dcgan")
    gans: list[str | type[ganzoo.GAN] | ganzoo.GAN] = ["dcgan", kind, kind.model_validate({"loss": Hinge()})]
    for number, gan in enumerate(gans):
        trained = ganzoo.run(gan, **SMALL, out=tmp_path / str(number), data_dir=data_folder)
        assert isinstance(trained, ganzoo.TrainedGAN)
        assert isinstance(trained.gan, kind)
        assert trained.folder == tmp_path / str(number)
        assert not trained.nets.training
        assert trained.data.shape == (1, 16, 16)
    one, other, third = (ganzoo.load(tmp_path / str(number)) for number in range(3))
    assert one.gan == other.gan
    assert torch.equal(one.generate(2), other.generate(2))
    assert third.gan.model_dump()["loss"] == {"kind": "hinge"}
    assert not torch.equal(one.generate(2), third.generate(2))


def test_a_configuration_is_kept_and_options_win_over_it(tmp_path: Path, data_folder: Path) -> None:
    gan = zoo().gan("dcgan").model_validate({"latent_dim": 5, "optimizer": {"kind": "adam", "lr": 0.25}})
    trained = ganzoo.run(gan, **SMALL, initialization="torch", out=tmp_path / "run", data_dir=data_folder)
    assert trained.gan == gan.model_copy(update={"initialization": "torch"})
    with pytest.raises(ganzoo.UserError, match="a recipe says what a GAN's options are"):
        ganzoo.run(gan, recipe="paper", out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_options_reach_into_the_choices_of_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[RunOptions] = []

    def take(options: RunOptions, *_: object) -> RunFolder:
        given.append(options)
        raise StoppedError

    monkeypatch.setattr(engine_run, "run", take)
    optimizer = {"kind": "adam", "lr": 1e-3, "betas": (0.5, 0.9)}
    gan = zoo().gan("r3gan").model_validate({"optimizer": optimizer, "loss": WassersteinGP(penalty=5)})
    changes: list[dict[str, Any]] = [{"optimizer": {"lr": 1e-4}}, {"loss": {"penalty": 1}}]
    for change in changes:
        with pytest.raises(StoppedError):
            ganzoo.run(gan, **change)
    faster, lighter = (one.gan.model_dump() for one in given)
    assert faster == {**gan.model_dump(), "optimizer": {**gan.model_dump()["optimizer"], "lr": 1e-4}}
    assert lighter == {**gan.model_dump(), "loss": {"kind": "wasserstein-gp", "penalty": 1}}


def test_a_class_of_ones_own_may_not_take_a_runs_options(tmp_path: Path) -> None:
    class Greedy(ganzoo.Adversarial):
        """Would have what says how long a run trains."""

        name = "greedy"
        epochs: int = 1

        def networks(self, data: ganzoo.DataSpec) -> ganzoo.Networks:
            raise NotImplementedError

    for gan in (Greedy, Greedy()):
        with pytest.raises(ganzoo.ContractError, match="Greedy calls a field 'epochs', which is an option of every"):
            ganzoo.run(gan, epochs=3, out=tmp_path / "run")


def test_the_nth_image_of_a_seed_is_the_same(runs: Path) -> None:
    trained = ganzoo.load(runs / "dcgan", device="cpu")
    images = trained.generate(70)
    assert images.shape == (70, 1, 16, 16)
    assert images.abs().max() <= 1
    assert len(torch.unique(images, dim=0)) == 70
    torch.testing.assert_close(trained.generate(3), images[:3])
    torch.testing.assert_close(trained.generate(70, batch_size=9), images)
    assert not torch.equal(trained.generate(3, seed=1), images[:3])


def test_generating_leaves_the_random_numbers_alone(runs: Path) -> None:
    trained = ganzoo.load(runs / "dcgan")
    before = torch.get_rng_state()
    trained.generate(2)
    assert torch.equal(torch.get_rng_state(), before)


def test_translating(runs: Path) -> None:
    trained = ganzoo.load(runs / "pix2pix", device="cpu")
    assert trained.data.source_shape == (3, 32, 32)
    images = to_float(torch.randint(256, (5, 3, 32, 32), dtype=torch.uint8))
    made = trained.translate(images)
    assert made.shape == (5, 3, 32, 32)
    assert made.abs().max() <= 1
    torch.testing.assert_close(trained.translate(images, batch_size=2), made, atol=1e-4, rtol=0)
    with pytest.raises(ganzoo.UserError, match=r"images of shape \(3, 16, 16\) do not fit; expected \(3, 32, 32\)"):
        trained.translate(images[..., :16, :16])
    with pytest.raises(ganzoo.UserError, match="not from noise; try translate"):
        trained.generate(1)
    with pytest.raises(ganzoo.UserError, match="not from images; try generate"):
        ganzoo.load(runs / "dcgan").translate(images)


def test_mistakes_are_user_errors(tmp_path: Path, runs: Path) -> None:
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"gan": "dcgn"}, "did you mean 'dcgan'?"),
        ({"gan": "dcgan", "epoch": 3}, "no option is called 'epoch'; did you mean 'epochs'?"),
        ({"gan": "dcgan", "epochs": 0}, "option 'epochs' cannot be '0': it must be greater than 0"),
        ({"gan": "dcgan", "loss": 3}, "option 'loss' cannot be '3': give the name of a loss"),
        ({"gan": "dcgan", "data": "mnst"}, "did you mean 'mnist'?"),
    ]
    for options, message in mistakes:
        with pytest.raises(ganzoo.UserError, match=message.replace("?", r"\?")):
            ganzoo.run(**options, out=tmp_path / "run")
    with pytest.raises(ganzoo.UserError, match="is no run folder"):
        ganzoo.load(tmp_path)
    with pytest.raises(ganzoo.UserError, match="option 'device' cannot be 'cuda:99'"):
        ganzoo.load(runs / "dcgan", device="cuda:99")
    assert list(tmp_path.iterdir()) == []


def test_a_callback_sees_the_run_go_by(tmp_path: Path, data_folder: Path) -> None:
    seen: list[str] = []

    class Watch(ganzoo.Callback):
        """Writes down what happens."""

        def on_train_start(self, trainer: Trainer, folder: RunFolder) -> None:
            seen.append(f"started {folder.path.name}")

        def on_step_end(self, trainer: Trainer) -> None:
            seen.append(f"iterated {trainer.engine.iteration}")

        def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
            seen.append(f"logged {row['iteration']}")

        def on_sample(self, trainer: Trainer, file: Path) -> None:
            seen.append(f"sampled {file.name}")

        def on_train_end(self, trainer: Trainer) -> None:
            seen.append("finished")

    ganzoo.run("dcgan", **SMALL, log_every=1, out=tmp_path / "run", data_dir=data_folder, callback=Watch())
    assert seen == [
        "started run", "iterated 1", "logged 1", "iterated 2", "logged 2", "sampled 00000002.png", "finished",
    ]  # fmt: skip


def test_the_weights_of_the_best_checkpoint_or_of_an_iteration_are_taken_up(tmp_path: Path, data_folder: Path) -> None:
    class Judge(ganzoo.Callback):
        def on_log(self, trainer: Trainer, row: dict[str, float]) -> None:
            trainer.report_score(abs(trainer.engine.iteration - 2))

    run = tmp_path / "run"
    ganzoo.run("dcgan", **{**SMALL, "limit": 16}, log_every=1, out=run, data_dir=data_folder, callback=Judge())
    best, second, newest = (ganzoo.load(run, checkpoint=which).generate(2) for which in ("best", 2, "newest"))
    assert torch.equal(best, second)
    assert not torch.equal(best, newest)
    with pytest.raises(ganzoo.UserError, match=r"has no checkpoint of iteration 3; it has those of .*2, 4"):
        ganzoo.load(run, checkpoint=3)
    with pytest.raises(ganzoo.UserError, match="'first': it is newest, best or an iteration"):
        ganzoo.load(run, checkpoint="first")


def test_a_run_that_was_never_judged_has_no_best_checkpoint(runs: Path) -> None:
    with pytest.raises(ganzoo.UserError, match="was judged; train with --evaluate-every"):
        ganzoo.load(runs / "dcgan", checkpoint="best")


def test_a_trainer_can_be_printed_before_it_trains(data_folder: Path) -> None:
    options = resolve(zoo().gan("dcgan"), {"image_size": 16, "limit": 8, "batch_size": 4, "epochs": 1})
    assert repr(ganzoo.prepare(options, data_folder)).startswith("Trainer(options=RunOptions(")
