"""Configurations: one definition that is flag, help, validation, config file and documentation row."""

import inspect
import types
from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from ganzoo.base.registry import registry_of
from ganzoo.errors import OptionError, UnknownName, typed

__all__ = [
    "Config",
    "cli_name",
    "flat",
]

LIMIT = 2**63
"""Bound of integers, those of torch."""


class Config(BaseModel):
    """Frozen set of named, validated values. Unknown names and non-finite numbers are errors.

    A subclass that only changes the default of a field, `n_critic: int = 5`, inherits its range and description.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _from_words(cls, value: object, info: ValidationInfo) -> object:
        """Parse text from the command line.

        Commas separate the values of a tuple; digits become an integer where a Literal has integers.
        """
        field = cls.model_fields[str(info.field_name)]
        if not isinstance(value, str) or several_of(field):  # commas of a choice separate its own options
            return value
        kind = bare(field.annotation)
        if get_origin(kind) in (tuple, list) and "," in value:
            return value.split(",")
        numbers = [choice for choice in get_args(kind) if type(choice) is int] if get_origin(kind) is Literal else []
        return {str(choice): choice for choice in numbers}.get(value, value)

    @field_validator("*", mode="after")
    @classmethod
    def _countable(cls, value: object) -> object:
        if isinstance(value, int) and abs(value) >= LIMIT:
            raise ValueError(f"it must be less than {LIMIT}")
        return value

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        changed = [name for name, field in cls.model_fields.items() if _inherit(field, name, cls.__mro__[1:])]
        if changed:
            cls.model_rebuild(force=True)


def bare(annotation: Any) -> Any:
    """Return the type inside `Annotated[...]` or `X | None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _inherit(field: FieldInfo, name: str, bases: Iterable[type]) -> bool:
    """Copy a missing description and range from the nearest base class.

    Returns whether the range was copied, which requires a rebuild of the model.
    """
    elders = (base.model_fields[name] for base in bases if issubclass(base, Config) and name in base.model_fields)
    elder = next(elders, None)
    if elder is None:
        return False
    field.description = field.description or elder.description
    if field.metadata or not elder.metadata or field.annotation != elder.annotation:
        return False
    field.metadata = list(elder.metadata)
    return True


AnyConfig = TypeVar("AnyConfig", bound=Config)


class NamedConfig(Config, ABC):
    """Configuration chosen by name among those of its noun: a GAN, a data set, a loss, an optimizer."""

    noun: ClassVar[str]
    """Noun for this kind of configuration, in messages and in `--help`."""
    key: ClassVar[str] = "kind"
    """Class attribute that holds the name, and its key in config files."""

    @classmethod
    def label(cls) -> str:
        """Return the name used on command lines and in config files."""
        return cast("str", getattr(cls, cls.key))

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def idea(cls) -> str:
        """Return the second paragraph of the docstring as one line, if any. For a GAN: the idea of its paper."""
        paragraphs = inspect.cleandoc(cls.__doc__ or "").split("\n\n")
        return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""

    @classmethod
    def form(cls) -> str:
        """Return the form for the command line: the name and what may or must follow it."""
        return cls.label()

    @classmethod
    def parse(cls, text: str) -> Mapping[str, object]:
        """Return the values for a bare word on the command line."""
        return {cls.key: text}

    @classmethod
    def choices(cls) -> Mapping[str, type[Self]]:
        """Return all choices of this noun by name (default: those that plugins registered)."""
        return registry_of(cls)

    @classmethod
    def provided_by(cls) -> str:
        """Return what provides it: distribution and version, name of a loose file, or module."""
        return registry_of(cls).origin(cls)

    def dump(self) -> dict[str, Any]:
        """Return JSON values, the name first, as in a config file."""
        return {self.key: self.label()} | self.model_dump(mode="json")


def with_options(
    noun: type[NamedConfig], text: str, unnamed: Callable[[str, str], str] | None = None
) -> Mapping[str, object]:
    """Parse a name with options after a colon: `kid:subset_size=100,subsets=50`.

    Args:
        noun: kind of configuration.
        text: text from the command line.
        unnamed: function of the name and a value without a field that returns its field (default: no such values).

    Raises:
        OptionError: an option has no name, or the name of the key.
    """
    label, _, rest = text.partition(":")
    values: dict[str, object] = {}
    for part in filter(None, rest.split(",")):
        field, equals, value = part.partition("=")
        name = field.strip().replace("-", "_")
        if not equals and unnamed is not None:
            name, value = unnamed(label, part), part
        if not name or name == noun.key or not (equals or unnamed):
            raise OptionError(f"option '{noun.noun}' cannot be {typed(text)}: write {label}:NAME=VALUE,NAME=VALUE")
        values[name] = value
    return {noun.key: label, **values}


@dataclass(frozen=True)
class Form:
    """Marker for a field whose values have a form of their own, shown in `--help`."""

    word: str


@dataclass(frozen=True)
class Choice:
    """Marker for a field that holds one of several registered configurations: `Annotated[Base, Choice(Base)]`.

    The field takes an instance, a name, or a mapping with the name and the values; it is serialized as a mapping.
    An optional one is `Annotated[Base | None, Choice(Base)]`.
    """

    base: type[NamedConfig]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(NamedConfig.dump),
        )
        return core_schema.nullable_schema(schema) if type(None) in get_args(source) else schema

    def _validate(self, value: object, info: ValidationInfo) -> NamedConfig:
        return self.validate(value, info.field_name or self.base.noun)

    def validate(self, value: object, option: str) -> NamedConfig:
        """Return the configuration for a value of the field `option`.

        Raises:
            ValueError: it is neither a name nor a mapping. Only for this type does pydantic add the location.
            UserError: the name or one of its options does not exist, or an option does not take its value.
        """
        if isinstance(value, self.base):
            return value
        if isinstance(value, str):
            value = self.base.parse(value)
        if not isinstance(value, Mapping) or not isinstance(value.get(self.base.key), str):
            expected = f"give the name of a {self.base.noun}, or a table with its '{self.base.key}'"
            raise ValueError(expected)  # noqa: TRY004 - see above
        values = dict(value)
        chosen = self.choose(values.pop(self.base.key))
        for name in values.keys() - chosen.model_fields.keys():
            others = sorted(label for label, other in self.base.choices().items() if name in other.model_fields)
            hint = f"this is an option of {', '.join(others)}" if others else ""
            noun = f"option of the {self.base.noun} '{chosen.label()}'"
            raise UnknownName(noun, name, chosen.model_fields, hint)
        return validate(chosen, values, prefix=f"{option}.")

    def choose(self, name: str) -> type[NamedConfig]:
        """Return the class with this name.

        Raises:
            UnknownName: no class has this name.
        """
        choices = self.base.choices()
        if name not in choices:
            raise UnknownName(self.base.noun, name, choices)
        return choices[name]


def validate(config: type[AnyConfig], values: Mapping[str, object], prefix: str = "") -> AnyConfig:
    """Validate `values`, with errors in the user's terms.

    Raises:
        OptionError: names the option, the value and the allowed values.
    """
    try:
        return config.model_validate(values)
    except ValidationError as error:
        first, *more = (_complaint(detail, config, prefix) for detail in error.errors())
        also = [f"{more[0]} (and {len(more) - 1} more)" if len(more) > 1 else more[0]] if more else []
        raise OptionError("\n".join([first, *also])) from error


def cli_name(option: str) -> str:
    """Return an option as typed by the user: without the underscore after Python keywords, `as_.kind` is `as.kind`."""
    return ".".join(part.rstrip("_") for part in option.split("."))


KINDS = {"int": "a whole number", "float": "a number", "finite": "a finite number", "bool": "true or false"}
"""Expected values, by the first word of pydantic's error type."""
RANGE = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}


def _complaint(detail: ErrorDetails, config: type[Config], prefix: str) -> str:
    if not detail["loc"]:  # a validator of the whole model
        return f"the options do not go together: {_allowed(detail, config)}"
    option = cli_name(prefix + ".".join(part for part in detail["loc"] if isinstance(part, str)))
    if detail["type"] == "extra_forbidden":
        return str(UnknownName("option", option, [prefix + name for name in config.model_fields]))
    if detail["type"] == "missing":
        return f"option {typed(option)} {'needs more values' if isinstance(detail['loc'][-1], int) else 'is needed'}"
    return f"option {typed(option)} cannot be {typed(detail['input'])}: {_allowed(detail, config)}"


def _allowed(detail: ErrorDetails, config: type[Config]) -> str:
    """Describe the allowed values."""
    field = config.model_fields.get(str(detail["loc"][0])) if len(detail["loc"]) == 1 else None
    limits = [(mark, limit) for mark in (field.metadata if field else ()) for limit in RANGE if hasattr(mark, limit)]
    span = " and ".join(f"{RANGE[limit]} {getattr(mark, limit)}" for mark, limit in limits)
    kind = KINDS.get(detail["type"].partition("_")[0], "")
    message = detail["msg"].removeprefix("Value error, ")
    if kind or (span and detail["type"].startswith(("greater", "less"))):
        return f"it must be {', '.join(filter(None, (kind, span)))}"
    if field and isinstance(field.default, tuple) and field.default and detail["type"] in ("tuple_type", "too_long"):
        return f"it must be {len(field.default)} values joined by commas, such as {','.join(map(str, field.default))}"
    return message.replace("Input should", "it must", 1)


def one_of(field: FieldInfo) -> Choice | None:
    """Return the choice of a field that holds one registered configuration, if it is such a field."""
    return next((mark for mark in field.metadata if isinstance(mark, Choice)), None)


def several_of(field: FieldInfo) -> Choice | None:
    """Return the choice of a field that holds a tuple of registered configurations, if it is such a field."""
    parts = get_args(field.annotation) if get_origin(field.annotation) is tuple else ()
    marks = getattr(parts[0], "__metadata__", ()) if parts else ()
    return next((mark for mark in marks if isinstance(mark, Choice)), None)


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Flatten nested mappings, with keys such as `loss.kind`."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
