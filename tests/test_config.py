"""Configurations: choices among registered ones, what wins over what, and messages in the words of who typed."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

import ganzoo
from ganzoo.config import Config, one_of, validate
from ganzoo.contract.gan import GAN
from ganzoo.contract.optim import Adam, RMSprop
from ganzoo.errors import OptionError, UnknownName, UserError
from ganzoo.losses import CrossEntropy, Hinge, Loss, WassersteinGP
from ganzoo.options.run import HEADINGS, RunOptions, resolve
from ganzoo.options.training import GANOptions
from ganzoo.plugins import zoo

DCGAN, PIX2PIX = zoo().gan("dcgan"), zoo().gan("pix2pix")


class Holder(Config):
    """Holds a choice, and other kinds of values."""

    loss: Loss = CrossEntropy()
    pair: tuple[float, float] = (0.5, 0.9)
    share: float = Field(0.5, ge=0, le=1, description="a part of the whole")
    count: int = Field(3, gt=0)
    sure: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Holder":
        if self.sure and self.count > 9:
            raise ValueError("nobody is sure of so many")
        return self


class Narrowed(Holder):
    """Other defaults, and a range of its own."""

    loss: Loss = Hinge()
    share: float = 0.25
    count: int = Field(5, gt=2)


class Twice(Narrowed):
    """Another default yet."""

    share: float = 0.75


@pytest.mark.parametrize("value", [Hinge(), "hinge", {"kind": "hinge"}], ids=str)
def test_a_choice_is_an_instance_a_name_or_a_table(value: object) -> None:
    assert validate(Holder, {"loss": value}).loss == Hinge()


def test_a_choice_is_written_as_a_table_with_its_name_first() -> None:
    written = Holder(loss=WassersteinGP(penalty=3)).model_dump(mode="json")["loss"]
    assert list(written.items()) == [("kind", "wasserstein-gp"), ("penalty", 3.0)]
    assert validate(Holder, {"loss": written}).loss == WassersteinGP(penalty=3)


@pytest.mark.parametrize("value", [3, None, [], {}, {"penalty": 1}, {"kind": 3}], ids=str)
def test_what_is_no_choice_is_told_what_one_looks_like(value: object) -> None:
    with pytest.raises(OptionError, match=r"option 'loss' cannot be .*: give the name of a loss, or a table with its"):
        validate(Holder, {"loss": value})


MESSAGES: list[tuple[dict[str, Any], str]] = [
    ({"loss": "hing"}, "no loss is called 'hing'; did you mean 'hinge'?"),
    (
        {"loss": {"kind": "hinge", "penalty": 3}},
        "no option of the loss 'hinge' is called 'penalty'; this is an option of wasserstein-gp",
    ),
    (
        {"loss": {"kind": "wasserstein-gp", "penalti": 3}},
        "no option of the loss 'wasserstein-gp' is called 'penalti'; did you mean 'penalty'?",
    ),
    (
        {"loss": {"kind": "wasserstein-gp", "penalty": "x"}},
        "option 'loss.penalty' cannot be 'x': it must be a number, at least 0",
    ),
    ({"share": 2}, "option 'share' cannot be '2': it must be at least 0 and at most 1"),
    ({"share": float("nan")}, "option 'share' cannot be 'nan': it must be a finite number, at least 0 and at most 1"),
    ({"share": "half"}, "option 'share' cannot be 'half': it must be a number, at least 0 and at most 1"),
    ({"share": None}, "option 'share' cannot be 'None': it must be a number, at least 0 and at most 1"),
    ({"count": 1.5}, "option 'count' cannot be '1.5': it must be a whole number, greater than 0"),
    ({"count": "two\nlines"}, "option 'count' cannot be 'two lines': it must be a whole number, greater than 0"),
    ({"sure": "perhaps"}, "option 'sure' cannot be 'perhaps': it must be true or false"),
    ({"pair": "0.5"}, "option 'pair' cannot be '0.5': it must be 2 values joined by commas, such as 0.5,0.9"),
    ({"pair": [1, 2, 3]}, "option 'pair' cannot be '1,2,3': it must be 2 values joined by commas, such as 0.5,0.9"),
    ({"pair": [1]}, "option 'pair' needs more values"),
    ({"pair": [1, "x"]}, "option 'pair' cannot be 'x': it must be a number"),
    ({"cuont": 1}, "no option is called 'cuont'; did you mean 'count'?"),
    ({"sure": True, "count": 10}, "the options do not go together: nobody is sure of so many"),
]


@pytest.mark.parametrize(("values", "message"), MESSAGES, ids=str)
def test_a_message_says_field_value_and_what_is_allowed(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        validate(Holder, values)
    assert str(caught.value) == message


def test_several_complaints_are_two_lines_and_a_number() -> None:
    with pytest.raises(OptionError) as caught:
        validate(Holder, {"share": 2, "count": 0, "sure": "x", "other": 1})
    first, second = str(caught.value).splitlines()
    assert first.startswith("option 'share'")
    assert second.startswith("option 'count'")
    assert second.endswith("(and 2 more)")


def test_a_long_value_is_cut() -> None:
    with pytest.raises(OptionError) as caught:
        validate(Holder, {"count": "9x" * 1000})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", [Narrowed, Twice])
def test_another_default_keeps_range_and_description(kind: type[Narrowed]) -> None:
    assert kind.model_fields["share"].description == "a part of the whole"
    for value in (-0.1, 1.1):
        with pytest.raises(ValidationError):
            kind(share=value)
    assert kind(share=1).share == 1
    assert kind().loss == Hinge()
    with pytest.raises(ValidationError):
        kind(count=2)  # a range of its own wins


def test_the_base_keeps_its_own_defaults() -> None:
    assert Holder() == Holder(loss=CrossEntropy(), pair=(0.5, 0.9), share=0.5, count=3, sure=False)
    assert Holder(count=1).count == 1
    assert one_of(Holder.model_fields["loss"]) is not None
    assert one_of(Holder.model_fields["count"]) is None


def optimizer(**given: object) -> object:
    """The generator's, of a DCGAN that is told this."""
    return resolve(DCGAN, given).players()[0].optimizer


class Typed(Config):
    """What a plugin's author writes, with no thought of flags."""

    scale: Literal[2, 4] | None = 4
    sides: tuple[int, ...] = ()
    words: Literal["2,4", "none"] = "none"


def test_what_is_typed_becomes_what_the_field_holds() -> None:
    assert validate(Typed, {"scale": "2", "sides": "1,2,3", "words": "2,4"}) == Typed(
        scale=2, sides=(1, 2, 3), words="2,4"
    )
    with pytest.raises(OptionError, match="option 'scale' cannot be '3': it must be 2 or 4"):
        validate(Typed, {"scale": "3"})


def test_a_recipe_wins_over_defaults_and_what_was_said_over_the_recipe() -> None:
    assert optimizer() == Adam(lr=2e-3, betas=(0.5, 0.99))
    assert optimizer(recipe="paper") == Adam(lr=2e-4, betas=(0.5, 0.999))
    assert optimizer(recipe="chapter") == Adam(lr=1e-3, betas=(0.9, 0.999))
    assert optimizer(recipe="paper", **{"optimizer.lr": 3e-4}) == Adam(lr=3e-4, betas=(0.5, 0.999))
    assert optimizer(recipe="chapter", optimizer={"lr": 0.2}) == Adam(lr=0.2, betas=(0.9, 0.999))
    assert optimizer(recipe="chapter", optimizer=Adam(lr=1)) == Adam(lr=1)
    assert optimizer(recipe="chapter", lr=1) == Adam(lr=1, betas=(0.9, 0.999))
    assert optimizer(lr=1, player={"generator.lr": "2"}) == Adam(lr=2, betas=(0.5, 0.99))
    assert resolve(DCGAN, {"recipe": "paper", "initialization": "torch"}).gan.model_dump()["initialization"] == "torch"
    assert resolve(PIX2PIX, {"recipe": "chapter"}).image_size == (256, 256)
    assert resolve(PIX2PIX, {"image_size": "64x32"}).image_size == (64, 32)


def test_choosing_another_kind_drops_what_belonged_to_the_former() -> None:
    assert optimizer(optimizer="rmsprop") == RMSprop()  # neither betas nor the recipe's learning rate
    assert optimizer(optimizer="rmsprop", **{"optimizer.alpha": "0.5"}) == RMSprop(alpha=0.5)
    assert optimizer(**{"optimizer.lr": "0.5", "optimizer": "rmsprop"}) == RMSprop(lr=0.5)  # in either order
    assert optimizer(optimizer="adam") == Adam(lr=2e-3, betas=(0.5, 0.99))  # the same kind: nothing is dropped


def test_options_of_the_gan_and_of_the_run_are_told_apart() -> None:
    options = resolve(DCGAN, {"latent_dim": "7", "epochs": "3", "data": "folder:a/b", "player.generator.lr": 1})
    assert options.gan.noise_shape() == (7,)
    assert options.epochs == 3
    assert options.data.dump() == {"name": "folder", "path": "a/b", "skip": 0}
    assert options.player == {"generator.lr": "1"}
    for name in ("latent-dim", "gan", "name", "nonsense.lr"):
        with pytest.raises(UnknownName, match="no option is called"):
            resolve(DCGAN, {name: 1})


@pytest.mark.parametrize("name", sorted(zoo().gans))
def test_the_whole_configuration_survives_json(name: str) -> None:
    gan = zoo().gan(name)
    loss = next(kind for kind, loss in sorted(zoo().losses.items(), reverse=True) if gan.allows(loss))
    options = resolve(gan, {"seed": 5, "player": {"generator.lr": "0.1"}, "loss": loss, "limit": 9})
    written = json.dumps(options.model_dump(mode="json"))
    again = validate(RunOptions, json.loads(written))
    assert again == options
    assert [player.optimizer for player in again.players()] == [player.optimizer for player in options.players()]
    assert options.differences(json.loads(written)) == []


def test_differences_are_said_of_what_may_not_change() -> None:
    old = resolve(DCGAN, {"lr": 0.5, "limit": 10, "epochs": 3, "device": "cpu"}).model_dump(mode="json")
    assert resolve(DCGAN, {"lr": 0.5, "limit": 10, "epochs": 9, "precision": "bf16"}).differences(old) == []
    new = resolve(DCGAN, {"seed": 1, "limit": 12, "optimizer": "rmsprop"})
    assert set(new.differences(old)) >= {
        "seed is 0, not 1",
        "lr is 0.5, not unset",
        "limit is 10, not 12",
        "gan.optimizer.kind is adam, not rmsprop",
    }
    assert resolve(PIX2PIX, {"seed": 1}).differences(old) == ["gan.name is dcgan, not pix2pix"]


NAMES = [
    *RunOptions.model_fields,
    *DCGAN.model_fields,
    *("loss.kind", "loss.penalty", "optimizer.lr", "optimizer.betas", "data.path", "player.generator.lr", "epochs.x"),
]
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["hinge", "wasserstein-gp", "rmsprop", "folder:x", "64x", "64", "0", "-1", "1e999", "paper", "bf16"]
    ),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
)


@settings(max_examples=300)
@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), VALUES, max_size=6))
def test_anything_at_all_is_resolved_or_refused_in_words(given: dict[str, object]) -> None:
    for gan in (DCGAN, PIX2PIX):
        options, complaint = tried(gan, given)
        if options is None:
            assert 1 <= len(complaint.splitlines()) <= 2
        else:
            assert validate(RunOptions, json.loads(json.dumps(options.model_dump(mode="json")))) == options


def tried(gan: type[GAN], given: dict[str, object]) -> tuple[RunOptions | None, str]:
    try:
        options = resolve(gan, given)
        options.players()
    except UserError as error:
        return None, str(error)
    return options, ""


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from(["generator.lr", "discriminator.every", "generator.betas", ".", "a.b", ""]), VALUES)
)
def test_any_word_to_a_player_is_understood_or_refused(player: dict[str, object]) -> None:
    try:
        players = resolve(DCGAN, {"player": player}).players()
    except UserError:
        return
    assert [one.name for one in players] == ["generator", "discriminator", "r1"]


def test_an_instance_that_no_plugin_registers_is_a_choice() -> None:
    class Mine(ganzoo.Dataset):
        """Nobody registers this."""

        name = "mine"
        provides = frozenset({"image"})

        def load(self, request: ganzoo.DataRequest) -> ganzoo.InMemoryData:
            raise NotImplementedError

    mine = Mine()
    assert resolve(DCGAN, {"data": mine}).data is mine
    assert isinstance(resolve(DCGAN, {"data": mine}).gan, GAN)


def test_every_option_of_a_run_stands_under_one_heading() -> None:
    headed = [name for part in HEADINGS.values() for name in part.model_fields]
    assert sorted([*GANOptions.model_fields, *headed]) == sorted(RunOptions.model_fields)
