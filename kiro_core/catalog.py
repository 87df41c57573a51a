"""What the settings choose, and who provides it: names become open backends here, or a sentence that says why not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from anyio.lowlevel import current_token

from kiro_core.errors import PluginError, UnknownName
from kiro_core.explain import Finding, KeyPath, findings, near_miss, origin_of, refusal
from kiro_core.provider import AnyProvider

T = TypeVar("T")


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
    entry a provider, such as "store files"; `problem` says why it provides nothing.
    """

    name: str
    distribution: str = ""
    version: str = ""
    provides: tuple[str, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        """For messages: `'files' (kiro-core 0.1.0)`."""
        return f"{self.name!r} ({self.distribution} {self.version})" if self.distribution else repr(self.name)


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider and the plugin that it comes from."""

    provider: AnyProvider
    plugin: PluginInfo


class Catalog(Generic[T]):
    """The providers of one plugin hook, by name."""

    def __init__(self, kind: str, entries: Mapping[str, Entry], absent: Sequence[PluginInfo] = ()) -> None:
        """`kind` is the word for messages ("store"); `absent` are the plugins that provide nothing."""
        self.kind = kind
        self.entries = entries
        self._absent = absent

    def get(self, name: str, origin: str = "") -> Entry:
        """The provider of that name; `origin` says in the error where the name was written.

        Raises:
            UnknownName: nobody provides it.

        """
        if name in self.entries:
            return self.entries[name]
        lines = [f"Available: {', '.join(sorted(self.entries)) or 'none'}."]
        lines += [f"Plugin {plugin} is not loaded: {plugin.problem}" for plugin in self._absent]
        place = f" ({origin})" if origin else ""
        raise UnknownName(
            f"No {self.kind} is called {name!r}{place}{near_miss(name, self.entries)}",
            hint="\n".join(lines),
            kind=self.kind,
            name=name,
            available=sorted(self.entries),
        )

    def open(self, choice: Choice) -> AbstractAsyncContextManager[T]:
        """The chosen backend, to be entered in the running event loop.

        Raises at once:
            UnknownName: nobody provides it.
            PluginError: it does not run on this event loop.
            SettingsError: its options are not valid.

        """
        provider = self.get(choice.use, origin_of(("use",), choice.origins)).provider
        self._check_backend(provider)
        backend: AbstractAsyncContextManager[T] = provider.open(self._options(provider, choice))
        if not hasattr(backend, "__aenter__"):
            raise PluginError(
                f"{self._called(provider)} cannot be opened: its `open` gave a {type(backend).__name__}.",
                hint="`open` returns an async context manager of the backend.",
            )
        return backend

    def identity(self, choice: Choice) -> str:
        """The same text for choices of the same backend, however they are written: its name and all its options.

        Raises:
            UnknownName: nobody provides it.
            SettingsError: its options are not valid.

        """
        provider = self.get(choice.use, origin_of(("use",), choice.origins)).provider
        model = provider.model()
        options = self._options(replace(provider, options=model), choice)
        return json.dumps(
            [provider.name, options.model_dump() if model is not None else {}], sort_keys=True, default=_plain
        )

    def _check_backend(self, provider: AnyProvider) -> None:
        # A loop's token is of the loop's own type, and trio's is the only one that trio defines.
        trio = type(current_token().native_token).__module__.partition(".")[0] == "trio"
        running = "trio" if trio else "asyncio"
        if running not in provider.backends:
            runs = " and ".join(sorted(provider.backends))
            raise PluginError(
                f"{self._called(provider)} runs on {runs} only, and this program runs on {running}.",
                hint=f"Choose another {self.kind}, or start the program on {runs}.",
            )

    def _options(self, provider: AnyProvider, choice: Choice) -> Any:
        """The validated options; a provider that has none, or loads them when there are any, costs no pydantic."""
        if not choice.options and not isinstance(provider.options, type):
            return None
        if provider.options is None:
            found = [Finding((key,), "is not taken, it has no options") for key in choice.options]
            raise refusal(self._called(provider), found, choice.origins)
        from pydantic import ValidationError

        try:
            return provider.validated(choice.options)
        except ValidationError as error:
            # Not chained: pydantic's own text repeats the values, and an option may be a secret.
            raise refusal(self._called(provider), findings(error, provider.model()), choice.origins) from None

    def _called(self, provider: AnyProvider) -> str:
        return f"{self.kind.capitalize()} {provider.name!r}"


def _plain(value: object) -> object:
    """An option as JSON: one folder has one name, a set one order, and a secret tells databases apart."""
    if isinstance(value, Path):
        return str(value.expanduser().resolve())
    if isinstance(value, AbstractSet):
        return sorted(map(str, value))
    return str(getattr(value, "get_secret_value", lambda: value)())
