"""The providers of one plugin hook by name, and the backend that a choice of one of them opens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from anyio.lowlevel import current_token

from kiro_core.catalog.bounds import Within, attribute
from kiro_core.catalog.entries import Choice, Entry, PluginInfo
from kiro_core.catalog.opening import opened
from kiro_core.errors import PluginError, UnknownName
from kiro_core.explain import Finding, findings, near_miss, origin_of, refusal
from kiro_core.provider import AnyProvider

T = TypeVar("T")

USUAL: Final = Within()


class Catalog(Generic[T]):
    """The providers of one plugin hook, by name."""

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, Entry],
        absent: Sequence[PluginInfo] = (),
        ports: Sequence[type] = (),
    ) -> None:
        """`kind` is the word for messages ("store"); `absent` are the plugins that provide nothing.

        `ports` are the Protocols of which each backend has all methods of one; none: anything is taken.
        """
        self.kind = kind
        self.entries = entries
        self._absent = absent
        self._ports = ports

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

    def open(self, choice: Choice, within: Within = USUAL) -> AbstractAsyncContextManager[T]:
        """The chosen backend, to be entered in the running event loop and left by the same task.

        Raises at once:
            UnknownName: nobody provides it.
            PluginError: it does not run on this event loop, or its model of options fails.
            SettingsError: its options are not valid.

        Raises on entering and leaving:
            PluginError: it failed in a way of its own, took longer than `within`, or is no such backend.
            KiroError: what it raises itself.

        """
        entry = self.get(choice.use, origin_of(("use",), choice.origins))
        self._check_backend(entry.provider)
        options = self._options(entry, choice)
        return opened(partial(entry.provider.open, options), self._called(entry), self._ports, within)

    def identity(self, choice: Choice) -> str:
        """The same text for choices of the same backend, however they are written: its name and all its options.

        Raises:
            UnknownName: nobody provides it.
            PluginError: its model of options fails.
            SettingsError: its options are not valid.

        """
        entry = self.get(choice.use, origin_of(("use",), choice.origins))
        loaded = self._with_model(entry)
        options = self._options(loaded, choice)
        written = options.model_dump() if loaded.provider.options is not None else {}
        return json.dumps([entry.provider.name, written], sort_keys=True, default=_plain)

    def _check_backend(self, provider: AnyProvider) -> None:
        # A loop's token is of the loop's own type, and trio's is the only one that trio defines.
        trio = type(current_token().native_token).__module__.partition(".")[0] == "trio"
        running = "trio" if trio else "asyncio"
        if running not in provider.backends:
            runs = " and ".join(sorted(provider.backends))
            raise PluginError(
                f"{self.kind.capitalize()} {provider.name!r} runs on {runs} only, and this program runs on {running}.",
                hint=f"Choose another {self.kind}, or start the program on {runs}.",
            )

    def _options(self, entry: Entry, choice: Choice) -> Any:
        """The validated options; a provider that has none, or loads them when there are any, costs no pydantic."""
        provider, owner = entry.provider, f"{self.kind.capitalize()} {entry.provider.name!r}"
        if not choice.options and not isinstance(provider.options, type):
            return None
        if provider.options is None:
            found = [Finding((key,), "is not taken, it has no options") for key in choice.options]
            raise refusal(owner, found, choice.origins)
        from pydantic import ValidationError

        provider = self._with_model(entry).provider
        # Not chained: pydantic's own text repeats the values, and any may be a secret.
        try:
            return provider.validated(choice.options)
        except ValidationError as error:
            raise refusal(owner, findings(error, provider.model()), choice.origins) from None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a validator is the plugin's own code
            raise PluginError(
                f"{self._called(entry)} cannot be opened: its model of options fails with a {type(error).__name__}.",
                hint="A validator raises ValueError where a value is wrong.",
            ) from None

    def _with_model(self, entry: Entry) -> Entry:
        """The same, with the model of its options at hand."""
        begin = f"{self._called(entry)} cannot be opened"
        try:
            model = entry.provider.model()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what loads a model is the plugin's own code
            attribute(error, begin)
        if model is not None and not hasattr(model, "model_validate"):
            raise PluginError(f"{begin}: its options are no pydantic model.", hint="Derive them from BaseModel.")
        return replace(entry, provider=replace(entry.provider, options=model))

    def _called(self, entry: Entry) -> str:
        return f"{self.kind.capitalize()} {entry.provider.name!r}{entry.plugin.release}"


def _plain(value: object) -> object:
    """An option as JSON: one folder has one name, a set one order, and a secret tells databases apart."""
    if isinstance(value, Path):
        return str(value.expanduser().resolve())
    if isinstance(value, AbstractSet):
        return sorted(map(str, value))
    return str(getattr(value, "get_secret_value", lambda: value)())
