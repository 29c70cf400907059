"""Configurations: one definition that is flag, help, validation, config file and documentation row."""

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from ganzoo.errors import OptionError, UnknownName


class Config(BaseModel):
    """A frozen set of named, validated values. Unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AnyConfig = TypeVar("AnyConfig", bound=Config)


class NamedConfig(Config, ABC):
    """A configuration chosen by its name among others of its noun: a GAN, a data set, a loss, an optimizer."""

    noun: ClassVar[str]
    """What the things of this kind are called, in messages and in `--help`."""
    key: ClassVar[str] = "kind"
    """The class attribute that holds the name, and the key under which config files spell it."""

    @classmethod
    def label(cls) -> str:
        """The name by which command lines and config files choose it."""
        return cast("str", getattr(cls, cls.key))

    @classmethod
    def summary(cls) -> str:
        """The first line of its docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        """The values that a bare word on the command line stands for."""
        return {cls.key: text}

    def dump(self) -> dict[str, Any]:
        """JSON values, its name first: what a config file holds."""
        return {self.key: self.label()} | self.model_dump(mode="json")


@dataclass(frozen=True)
class Form:
    """Marks a field whose values have a form of their own: the word for it that `--help` shows."""

    word: str


@dataclass(frozen=True)
class OneOf:
    """Marks a field that holds any one of several registered configurations: `Annotated[Base, OneOf(Base, choices)]`.

    Such a field takes an instance, a name, or a mapping with the name and the values, and is written as the latter.
    """

    base: type[NamedConfig]
    choices: Callable[[], Mapping[str, type[NamedConfig]]]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(NamedConfig.dump),
        )

    def validate(self, value: object) -> NamedConfig:
        if isinstance(value, self.base):
            return value
        if isinstance(value, str):
            value = self.base.parse(value)
        if not isinstance(value, Mapping) or not isinstance(value.get(self.base.key), str):
            expected = f"expected the name of a {self.base.noun}, or a table with its '{self.base.key}'"
            raise ValueError(expected)  # noqa: TRY004 - pydantic adds where it was to a ValueError only
        values = dict(value)
        chosen = self.choose(values.pop(self.base.key))
        return build(chosen, values, prefix=f"{self.base.noun}.")

    def choose(self, name: str) -> type[NamedConfig]:
        choices = self.choices()
        if name not in choices:
            raise UnknownName(self.base.noun, name, choices)
        return choices[name]


def build(config: type[AnyConfig], values: Mapping[str, object], prefix: str = "") -> AnyConfig:
    """Validates `values`; what is wrong is said in the words of the one who typed it.

    Raises:
        OptionError: naming the option, the value and what is allowed.
    """
    try:
        return config.model_validate(values)
    except ValidationError as error:
        raise OptionError("\n".join(_complaints(error, config, prefix))) from error


def _complaints(error: ValidationError, config: type[Config], prefix: str) -> Iterator[str]:
    for detail in error.errors():
        option = prefix + ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            yield str(UnknownName("option", option, [prefix + name for name in config.model_fields]))
        elif detail["type"] == "missing":
            yield f"option '{option}' is needed"
        else:
            message = detail["msg"].removeprefix("Value error, ")
            yield f"option '{option}' cannot be {detail['input']!r}: {message[0].lower()}{message[1:]}"


def description(config: type[Config], name: str) -> str:
    """A field's help text: its own, or what the nearest base class says where a subclass only changes the default."""
    for owner in config.__mro__:
        field: FieldInfo | None = owner.model_fields.get(name) if issubclass(owner, Config) else None
        if field is not None and field.description:
            return field.description
    return ""


def one_of(field: FieldInfo) -> OneOf | None:
    """The choice that a field offers, if it is one among registered configurations."""
    return next((mark for mark in field.metadata if isinstance(mark, OneOf)), None)
