"""What people write to choose a backend, and what is known of the one that they get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiro_core.explain import KeyPath
from kiro_core.provider import AnyProvider


@dataclass(frozen=True, slots=True)
class Choice:
    """What the settings say of a backend: which one, and its options as written.

    `origins` tells where `use` and each option were set, for messages. Options are not printed with a
    choice: they may hold secrets.
    """

    use: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    origins: Mapping[KeyPath, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, value: object) -> Choice:
        """From what people write: `"files"`, or `{use = "files", root = "..."}`.

        Raises:
            ValueError: it is neither.

        """
        if isinstance(value, Choice):
            return cls(cls.of(value.use).use, value.options, value.origins)
        options = dict(value) if isinstance(value, Mapping) else {"use": value}
        use = options.pop("use", None)
        if not isinstance(use, str) or not use:
            message = 'should be a name or a table with the name as `use`, such as { use = "files" }'
            raise ValueError(message)
        return cls(use, options)


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin, loaded or not.

    `name` is its entry point's (its module's, where it was given as an object); `provides` has one
    entry a provider, such as "store files"; `problem` says why it provides nothing. `requires` is what its
    distribution says in `Requires-Dist`; `import_s` is how long it took to import it and to ask its hooks, in seconds
    of the clock, 0 where that was not done; `deprecations` has a sentence for each hook of it that goes away.
    """

    name: str
    distribution: str = ""
    version: str = ""
    provides: tuple[str, ...] = ()
    problem: str = ""
    requires: tuple[str, ...] = field(default=(), repr=False)
    import_s: float = field(default=0, compare=False)
    deprecations: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For messages: `'files' (kiro-core 0.1.0)`."""
        return f"{self.name!r}{self.release}"

    @property
    def release(self) -> str:
        """For messages, behind a name: ` (kiro-core 0.1.0)`; empty where it is of no distribution."""
        return f" ({self.distribution} {self.version})" if self.distribution else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider and the plugin that it comes from."""

    provider: AnyProvider
    plugin: PluginInfo
