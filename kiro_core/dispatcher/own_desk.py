"""What a program may do with a desk that it has opened itself, and no face may."""

from __future__ import annotations

from typing import Protocol

from kiro_core.dispatcher.reloading import Reloaded
from kiro_core.ports import Desk
from kiro_core.settings import Settings


class OwnDesk(Desk, Protocol):
    """All that a face sees, and what is its owner's alone."""

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        ...

    def reload(self, settings: Settings) -> Reloaded:
        """Go on with settings that were read again; sessions that live keep what they began with.

        What is returned names the keys that have changed, and those that only another desk would have.

        Raises:
            SettingsError: they cannot be used, and nothing has changed.

        """
        ...

    async def drain(self, drain_s: float) -> None:
        """Take nothing new, give the turns that run `drain_s` seconds, then end all sessions.

        Prompts that wait behind them are cancelled. Who cancels this cuts short the seconds and not the
        end: in any case each turn has a named outcome, on record and told, when it returns.
        """
        ...
