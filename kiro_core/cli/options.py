"""The options that several commands share, and how they become settings."""

from __future__ import annotations

import gc
import json
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.completing import Complete, agent_names, engine_names
from kiro_core.cli.failing import attempt
from kiro_core.cli.logs import begin_logging
from kiro_core.descriptors import raise_descriptor_limit

if TYPE_CHECKING:
    from kiro_core.dispatcher import Dispatcher
    from kiro_core.registry import Registry
    from kiro_core.settings import Settings
    from kiro_core.settings.layers import Layer


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says of the settings: `config` is the file, `changes` nested keys and values.

    `attach` and `standalone` are what it says of other desks, `trust_tools` of tools; see `open_desk`.
    `defaults` are the command's own; see `load_settings`.
    """

    config: Path | None
    changes: dict[str, Any]
    attach: bool = True
    standalone: bool = False
    trust_tools: tuple[str, ...] | None = None
    defaults: Layer = field(default_factory=dict)

    def load(self) -> tuple[Settings, Registry]:
        """Read the settings, and load the plugins that they leave.

        Raises:
            SettingsError, PluginError.

        """
        from kiro_core.cli.interrupting import interruptible
        from kiro_core.registry import load_plugins
        from kiro_core.settings import load_settings

        try:
            settings = load_settings(self.changes, config=self.config, defaults=self.defaults)
            with interruptible():
                return settings, load_plugins(settings)
        except BaseException:
            collect_garbage()  # a command that stays tells it to every later request
            raise

    def desk(
        self, loaded: tuple[Settings, Registry], face: str, *, agent: str, engine: str
    ) -> AbstractAsyncContextManager[Dispatcher]:
        """See `open_desk`; `loaded` is what `load` has returned."""
        from kiro_core.dispatcher import Wishes, opened_desk

        collect_garbage()
        wishes = Wishes(agent, engine, face, self.attach, self.standalone, trust_tools=self.trust_tools)
        return opened_desk(*loaded, wishes)


def collect_garbage() -> None:
    """Begin to, for a command that stays; what was imported is none."""
    gc.freeze()
    gc.enable()


Command = Callable[..., int]


def command(function: Command) -> Callable[..., None]:
    """Make a command of a function that takes `given` first and returns an exit code."""

    @click.option("--config", type=click.Path(path_type=Path), help="The settings file, instead of ~/.kiro/kiro.toml.")
    @click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", callback=_changes, help="Change one setting.")
    @click.option("-v", "--verbose", count=True, help="Log what happens; twice: everything.")
    @click.option("--debug", is_flag=True, help="Show tracebacks.")
    @wraps(function)
    def guarded(*, config: Path | None, changes: dict[str, Any], verbose: int, debug: bool, **rest: Any) -> None:
        begin_logging(verbose, debug=debug)
        raise_descriptor_limit()
        sys.exit(attempt(lambda: function(Given(config, changes), **rest), debug=debug))

    return guarded


def sharing(function: Command) -> Command:
    """Add the options that keep a command away from sessions of other processes; goes below `command`."""

    @click.option("--no-attach", is_flag=True, help="Refuse a session that another process has open, do not join it.")
    @click.option("--standalone", is_flag=True, help="Keep new sessions in this process, also where a desk is served.")
    @wraps(function)
    def told(given: Given, *, no_attach: bool, standalone: bool, **rest: Any) -> int:
        return function(replace(given, attach=not no_attach, standalone=standalone), **rest)

    return told


def trusting(function: Command) -> Command:
    """Add the options that let tools be used without a question; goes below `command`."""

    @click.option("--trust-all-tools", is_flag=True, help="Ask before no tool; what a rule denies stays denied.")
    @click.option(
        "--trust-tools",
        metavar="NAME,...",
        help="Ask before all tools but these: names such as shell, @server, @server/tool, with * and ?.",
    )
    @wraps(function)
    def told(given: Given, *, trust_all_tools: bool, trust_tools: str | None, **rest: Any) -> int:
        named = None if trust_tools is None else tuple(name for name in map(str.strip, trust_tools.split(",")) if name)
        return function(replace(given, trust_tools=("*",) if trust_all_tools else named), **rest)

    return told


def choosing(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose what a new session gets."""
    agent = named("--agent", "NAME", "The agent configuration.", agent_names)
    engine = named("--engine", "NAME", "The agent program; see `kiro-core engines`.", engine_names)
    return agent(engine(function))


def named(
    option: str, metavar: str, text: str, complete: Complete | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that names something, `""` without it; an empty name is refused: it is a variable that was not set."""
    return click.option(option, metavar=metavar, help=text, callback=_name, shell_complete=complete)


def _name(_: click.Context, __: click.Parameter, value: str | None) -> str:
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; leave it out, or write something.")
    return value or ""


def folder(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option `--cwd`, a folder that exists, as an absolute path or None."""
    kind = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
    return click.option("--cwd", type=kind, help=text)


def _changes(_: click.Context, __: click.Parameter, written: Sequence[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for text in written:
        _merge(changes, _parsed(text), text)
    return changes


def _parsed(text: str) -> dict[str, Any]:
    """A line as in the settings file; a value that is not TOML is text."""
    key, is_there, value = text.partition("=")
    for line in (text, f"{key}={json.dumps(value, ensure_ascii=False)}") if is_there else ():
        try:
            return tomllib.loads(line)
        except tomllib.TOMLDecodeError:
            continue
    raise click.BadParameter(f"{text!r} is not KEY=VALUE, such as limits.start_s=90.")


def _merge(into: dict[str, Any], tree: dict[str, Any], text: str) -> None:
    for key, value in tree.items():
        there = into.setdefault(key, value)
        if there is value or not (isinstance(there, dict) or isinstance(value, dict)):
            into[key] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            _merge(there, value, text)
        else:
            raise click.BadParameter(f"{text!r}: another --set says that {key} is a value, and this one a table.")
