"""Logs a person in to an agent program: by its own command, which gets the terminal, else over the wire."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.text import tell

if TYPE_CHECKING:
    from kiro_core.registry import Registry
    from kiro_core.settings import Settings
    from kiro_core.types import Engine


def log_in(given: Given, name: str, method: str = "") -> int:
    """Log in to the engine `name`; `method` is the id of one of its methods over the wire.

    Its own command takes the place of this process, so the terminal, signals and exit status are its own.

    Raises:
        UnknownName: no engine has the name, or the engine has no such method.
        EngineNotFound: it is not installed.
        AgentUnable: it has no way to log in that is known.
        click.UsageError: it has several methods and none is chosen.
        LaunchFailed, AgentTimeout, RpcError: it could not be started, did not finish, or refused.

    """
    from kiro_core.engines import choose_engine, load_engines
    from kiro_core.engines.choice import engine_called

    settings, registry = given.load()
    engines = load_engines(settings.engines)
    engine = engine_called(engines, name)
    if engine.login and not method:
        _become(engine)
    choose_engine(engines, requested=name)
    import anyio

    anyio.run(_over_the_wire, settings, registry, engine, method, backend="asyncio")
    return DONE


def _become(engine: Engine) -> None:
    from kiro_core.descriptors import restore_descriptor_limit
    from kiro_core.errors import EngineNotFound, LaunchFailed

    program = shutil.which(engine.login[0])
    if program is None:
        raise EngineNotFound(
            f"{engine.title or engine.name} cannot be logged in to: {engine.login[0]!r} cannot be found.",
            hint=engine.install,
        )
    tell(f"Runs: {shlex.join(engine.login)}")
    sys.stdout.flush()
    environment = {key: value for key, value in os.environ.items() if key not in engine.unset} | dict(engine.env)
    restore_descriptor_limit()
    try:
        os.execve(program, list(engine.login), environment)  # noqa: S606 - no shell: the table's own argv, or the user's
    except OSError as error:
        raise LaunchFailed(f"{program} cannot be started: {error.strerror}.") from error


async def _over_the_wire(settings: Settings, registry: Registry, engine: Engine, method: str) -> None:
    import anyio

    from kiro_core.dispatcher.backends import open_backends
    from kiro_core.engines.visiting import Nobody, visited
    from kiro_core.errors import AgentTimeout
    from kiro_core.frames import Frame
    from kiro_core.rpc import result

    title, limits = engine.title or engine.name, settings.limits
    tell(f"Starts {title}: {shlex.join(engine.command)}")
    async with open_backends(settings, registry) as backends:
        tools = backends.tools(engine)
        async with visited(engine, tools.launcher, tools.wire, Nobody(), limits.start_s) as agent:
            chosen = _chosen(engine, agent.info.logins, method)
            tell(f"Logs in with {chosen.get('name') or chosen['id']}; do what it asks for. Ctrl-C gives up.")
            with anyio.move_on_after(limits.question_s):
                frame = Frame.of("authenticate", {"methodId": chosen["id"]}, id=0)
                result(await agent.authenticate(frame), f"{title} refused the login")
                tell(f"{title} says that you are logged in.")
                return
    raise AgentTimeout(f"{title} did not finish the login within {limits.question_s:g} s.", hint="Try it again.")


def _chosen(engine: Engine, told: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    from kiro_core.engines.logins import over_the_wire
    from kiro_core.errors import AgentUnable, UnknownName
    from kiro_core.explain import near_miss

    title = engine.title or engine.name
    methods = {str(method["id"]): method for method in over_the_wire(told) if "id" in method}
    if not methods:
        hint = "It takes keys from its environment or files of its own: see its documentation."
        raise AgentUnable(f"{title} offers no way to log in.", hint=hint)
    if wanted and wanted not in methods:
        sentence = f"{title} has no way to log in that is called {wanted!r}{near_miss(wanted, methods)}"
        raise UnknownName(sentence, hint=_listed(methods))
    if not wanted and len(methods) > 1:
        raise click.UsageError(f"{title} has several ways to log in; choose one with --method ID:\n{_listed(methods)}")
    return methods[wanted] if wanted else next(iter(methods.values()))


def _listed(methods: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n".join(
        f"  {id_}: {method.get('description') or method.get('name', '')}" for id_, method in methods.items()
    )
