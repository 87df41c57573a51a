"""A group of commands of which one need not be written: what the family's name alone means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class DefaultGroup(click.Group):
    """A group; `default` is the command that stands for whatever is no command of it."""

    def __init__(self, *arguments: Any, default: str, **more: Any) -> None:
        """`default` is one of its commands."""
        super().__init__(*arguments, **more)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in front of what is none; a shell that completes has not written one yet."""
        known = {*self.commands, *ctx.help_option_names}
        if not (args and args[0] in known) and not (ctx.resilient_parsing and not args):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, and what may stand behind the one that need not be written."""
        default = self.commands[self._default]
        with click.Context(default, parent=ctx, info_name=self._default, resilient_parsing=True) as inner:
            found = [*super().shell_complete(ctx, incomplete), *default.shell_complete(inner, incomplete)]
        return list({item.value: item for item in found}.values())
