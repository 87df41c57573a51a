"""Asks one plugin what it provides and refuses, in a sentence, whatever is not a provider."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import pluggy

from kiro_core.errors import PluginError
from kiro_core.explain import near_miss
from kiro_core.provider import AnyProvider, Provider

_ASYNC_HINT = "Hooks are called once, at load; what is asynchronous belongs into what a Provider's `open` returns."
_OPTIONS_HINT = "What a backend needs to know stands in the settings: its Provider's `open` gets it as options."
_LOOPS = {"asyncio", "trio"}
_YIELD_HINT = "Write: yield Provider(name, open, Options, summary)."


def declared(hooks: pluggy.PluginManager, plugin: object) -> list[tuple[str, AnyProvider]]:
    """Register a plugin and call its hooks: each hook's name with each provider that it yields.

    Raises:
        PluginError: it declares nothing, or something that cannot be used; the sentence begins with the hook.
        Exception: whatever its own code raises.

    """
    provided: dict[tuple[str, str], AnyProvider] = {}
    for caller in _register(hooks, plugin):
        for implementation in caller.get_hookimpls():
            if implementation.plugin is not plugin or not _usable(hooks, caller, implementation):
                continue
            for provider in _providers(caller.name, implementation):
                if provided.setdefault((caller.name, provider.name), provider) is not provider:
                    raise PluginError(f"{caller.name} yields {provider.name!r} twice.", hint="Names are unique.")
    return [(hook, provider) for (hook, _), provider in provided.items()]


def deprecations(hooks: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    """A sentence for each hook of a registered plugin that goes away; pluggy has warned of it then."""
    specs = [caller.spec for caller in hooks.get_hookcallers(plugin) or ()]
    return tuple(str(spec.warn_on_impl) for spec in specs if spec is not None and spec.warn_on_impl is not None)


def _register(hooks: pluggy.PluginManager, plugin: object) -> Sequence[pluggy.HookCaller]:
    name = str(id(plugin))  # two distributions may give their plugins one name
    if hooks.has_plugin(name):
        raise PluginError("it is loaded already, under another name.", hint="Name it once.")
    try:
        hooks.register(plugin, name)
    except pluggy.PluginValidationError as error:
        raise _with_arguments(hooks, plugin) or PluginError(" ".join(str(error).split())) from error
    callers = hooks.get_hookcallers(plugin)
    if not callers:
        raise PluginError("it declares nothing.", hint=f"Mark functions with @hookimpl: {_known(hooks)}.")
    return callers


def _with_arguments(hooks: pluggy.PluginManager, plugin: object) -> PluginError | None:
    """What to say of a hook that takes arguments: pluggy speaks of its own terms, and names a plugin by our number."""
    for name in dir(plugin):
        if hooks.parse_hookimpl_opts(plugin, name) is None:
            continue
        arguments = list(inspect.signature(getattr(plugin, name)).parameters)
        if arguments:
            return PluginError(
                f"{name} takes arguments ({', '.join(arguments)}), and hooks get none.", hint=_OPTIONS_HINT
            )
    return None


def _usable(hooks: pluggy.PluginManager, caller: pluggy.HookCaller, implementation: pluggy.HookImpl) -> bool:
    """Whether to call an implementation: an optional one may be of a hook that only a newer core has."""
    if not caller.has_spec():
        if implementation.optionalhook:
            return False
        known = _known(hooks)
        miss = near_miss(caller.name, known.split(", "))
        raise PluginError(f"there is no hook {caller.name!r}{miss}", hint=f"Available: {known}.")
    if implementation.wrapper or implementation.hookwrapper:
        raise PluginError(f"{caller.name} is a wrapper, and there is no call to wrap.", hint=_YIELD_HINT)
    if _is_async(implementation.function):
        raise PluginError(f"{caller.name} is an `async def`.", hint=_ASYNC_HINT)
    return True


def _providers(hook: str, implementation: pluggy.HookImpl) -> Iterator[AnyProvider]:
    result: Any = implementation.function()
    if not isinstance(result, Iterable):
        if inspect.iscoroutine(result):
            result.close()
        raise PluginError(
            f"{hook} gave a {type(result).__name__} where an iterable of Providers belongs.", hint=_YIELD_HINT
        )
    for provider in result:
        _check(hook, provider)
        yield provider


def _check(hook: str, provider: object) -> None:
    if not isinstance(provider, Provider):
        raise PluginError(f"{hook} yields a {type(provider).__name__} where a Provider belongs.", hint=_YIELD_HINT)
    name: object = provider.name
    if not isinstance(name, str) or not name:
        raise PluginError(f"{hook} yields a Provider without a name.", hint=_YIELD_HINT)
    if not name.isprintable() or " " in name:
        raise PluginError(f"{hook} yields a Provider called {name!r}.", hint="A name has no blanks, and can be typed.")
    if not callable(provider.open):
        raise PluginError(f"{hook}: `open` of {name!r} is no function.", hint="Mark one @asynccontextmanager.")
    if _is_async(provider.open):
        raise PluginError(f"{hook}: `open` of {name!r} is a bare `async def`.", hint="Mark it @asynccontextmanager.")
    loads = inspect.isfunction(provider.options)
    if provider.options is not None and not (loads or hasattr(provider.options, "model_validate")):
        raise PluginError(f"{hook}: the options of {name!r} are no pydantic model.", hint=_YIELD_HINT)
    if not isinstance(provider.summary, str):
        raise PluginError(f"{hook}: the summary of {name!r} is no text.", hint=_YIELD_HINT)
    backends: object = provider.backends
    if not (isinstance(backends, AbstractSet) and backends and backends <= _LOOPS):
        raise PluginError(
            f"{hook}: the backends of {name!r} are no set of event loops.",
            hint='Write backends=frozenset({"asyncio", "trio"}), or one of these.',
        )


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _known(hooks: pluggy.PluginManager) -> str:
    return ", ".join(name for name in sorted(vars(hooks.hook)) if getattr(hooks.hook, name).has_spec())
