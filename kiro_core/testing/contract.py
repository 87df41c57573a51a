"""What all contracts share: which provider is tested, and no way to weaken a promise in silence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

import pytest

from kiro_core.catalog import Catalog, Choice, Entry
from kiro_core.errors import KiroError, UnknownName
from kiro_core.registry import Registry
from kiro_core.testing.promising import promise_of, promises_of

_UNKNOWN = "Install the plugin that is tested (pip install -e .), or say where its hook is (plugin = its_module)."

Opened = Callable[[], AbstractAsyncContextManager[Any]]
"""Opens the backend under test, anew with each call."""


class Contract:
    """Tests that every backend of one kind passes, on each event loop that its provider names.

    `provider` is the name that people write in their settings: it is reached through the registry, so that entry point,
    hook and options are tested with it. `plugin` is the module that declares it, as long as it is not installed.
    `waived` maps the id of a promise that the backend cannot keep to the reason, which is reported as a skip;
    a core promise cannot be waived, and the test of none can be redefined.
    """

    provider: ClassVar[str]
    plugin: ClassVar[object | None] = None
    waived: ClassVar[Mapping[str, str]] = {}
    kind: ClassVar[str]
    """Which catalog of the registry: "agents", "stores", "launchers", "transports" or "middlewares"."""

    pytestmark: ClassVar[pytest.MarkDecorator] = pytest.mark.anyio

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that changes a promise, or waives one that is core or does not exist."""
        super().__init_subclass__(**kwargs)
        known = {promise.id: promise for part in cls.__mro__[1:] for promise in promises_of(part)}
        tests = {each.test: each.id for each in known.values()}
        kept = {test: promise_of(getattr(cls, test)) for test in tests}
        if changed := sorted(test for test, found in kept.items() if found is None or found.id != tests[test]):
            message = f"{cls.__name__} redefines {', '.join(changed)}; put the promise and the reason into `waived`."
            raise TypeError(message)
        for name in cls.waived:
            if name not in known:
                message = f"{cls.__name__} waives {name}, which the contract does not have."
                raise TypeError(message)
            if known[name].core:
                message = f"{cls.__name__} waives {name}, which is core: without it, sessions are not safe."
                raise TypeError(message)

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        """The provider's options as people write them in settings; override it where there are any."""
        return {}

    @pytest.fixture
    def opened(self, options: dict[str, Any]) -> Opened:
        """What opens the backend with its options, each time that it is called."""

        def opened() -> AbstractAsyncContextManager[Any]:
            with _told():
                backend: AbstractAsyncContextManager[Any] = self._catalog().open(Choice(self.provider, options))
            return backend

        return opened

    @classmethod
    def entry(cls) -> Entry:
        """The provider under test and the plugin that it comes from; fails the test where there is none."""
        with _told():
            return cls._catalog().get(cls.provider)

    @classmethod
    def order(cls, options: Mapping[str, Any], backend: str) -> dict[str, Any]:
        """What another process needs to open the same backend, see `elsewhere.serve`; skips where it cannot."""
        if cls.plugin is not None and not isinstance(cls.plugin, ModuleType):
            pytest.skip("the plugin is no module that another process could import")
        module = cls.plugin.__name__ if cls.plugin else ""
        where = {"kind": cls.kind, "provider": cls.provider, "plugin": module, "only": cls.entry().plugin.name}
        return {**where, "path": sys.path, "options": options, "backend": backend}

    @classmethod
    def _catalog(cls) -> Catalog[Any]:
        catalog: Catalog[Any] = getattr(_registry(cls.plugin), cls.kind)
        return catalog

    @pytest.fixture(autouse=True)
    def _only_what_is_promised(self, request: pytest.FixtureRequest) -> None:
        if promise := promise_of(request.function):
            request.node.add_report_section("call", "promise", f"{promise.id}: {promise.sentence}")
            if reason := self.waived.get(promise.id):
                pytest.skip(f"{promise.id} is waived: {reason}")
        backends = self.entry().provider.backends
        if "anyio_backend" in request.fixturenames:
            backend = request.getfixturevalue("anyio_backend_name")
            if backend not in backends:
                pytest.skip(f"{self.provider} does not run on {backend}")


@cache
def _registry(plugin: object | None) -> Registry:
    return Registry() if plugin is None else Registry(plugin, installed=False)


@contextmanager
def _told() -> Iterator[None]:
    """Let a failure of the registry be the words of the test's, with its hint and without our own frames."""
    try:
        yield
    except KiroError as error:
        words = [str(error), error.hint, _UNKNOWN if isinstance(error, UnknownName) else ""]
        raise pytest.fail.Exception("\n".join(filter(None, words)), pytrace=False) from None
