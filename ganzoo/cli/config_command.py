"""A command with flags made of configurations: made when it is to act, and as they were last kept when a shell asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import rich_click as click

from ganzoo.cli import completion
from ganzoo.commands import DATA_DIR

if TYPE_CHECKING:
    from ganzoo.cli.flags import Flag


class MadeCommand(click.RichCommand):
    """A command that has such flags beside its own, and reads data."""

    def __init__(self, *given: Any, source: "Callable[[], dict[str, Flag]]", **named: Any) -> None:
        """A command.

        Args:
            given: as click's has it.
            source: gives the flags.
            named: as click's has it.
        """
        super().__init__(*given, **named)
        self.source = source

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *own, help_option = super().get_params(ctx)
        if ctx.resilient_parsing:  # a shell asks
            return [*completion.options(completion.known()[str(self.name)]), *own, DATA_DIR, help_option]
        return [*(flag.option() for flag in self.source().values()), *own, DATA_DIR, help_option]
