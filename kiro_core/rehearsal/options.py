"""The command line: what kind of agent it is and how it behaves before the first prompt."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial

from kiro_core.rehearsal.features import FEATURES, named

PLACES = (
    *("initialize", "authenticate", "logout"),
    *(f"session/{verb}" for verb in ("new", "load", "resume", "prompt", "list", "close", "delete")),
    *(f"session/set_{choice}" for choice in ("mode", "model", "config_option")),
)
MCP_STATES = ("initialized", "failed", "late")
LIKES = ("claude", "codex", "gemini", "kiro")

_FEATURES = "\n".join(f"  {name:14} {text}" for name, text in FEATURES.items())
_MORE = f"""\
features for --with and --without, several of them with commas between:
{_FEATURES}

example:
  python -m kiro_core.rehearsal --memory /tmp/rehearsal --mcp docs=initialized --with image,list

It speaks the Agent Client Protocol on stdin and stdout. The prompt /help lists what a prompt can make it do.
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the options; a wrong one ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m kiro_core.rehearsal",
        description="A deterministic agent that repeats its prompt: for trying, testing and fault injection.",
        epilog=_MORE,
        # Without a width it would import a module to ask the terminal, at every start, which takes a fifth of it.
        formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=120),
    )
    _add_kind(parser.add_argument)
    _add_faults(parser.add_argument)
    _add_login(parser.add_argument)
    options = parser.parse_args(argv)
    if options.die_at:
        place, status = options.die_at
        if place not in PLACES or not status.isdecimal():
            parser.error("--die-at takes a request of the protocol, and a status, such as: --die-at initialize 3")
    if options.login and not options.auth_file:
        parser.error("--login needs --auth-file")
    return options


def _add_kind(add: Callable[..., argparse.Action]) -> None:
    add("--like", choices=LIKES, help="speak as this agent does")
    for option, does in (("--with", "have"), ("--without", "do not have")):
        dest = option.strip("-") + "_"
        add(
            option, dest=dest, type=_features, action="append", default=[], metavar="A,B", help=f"{does} these features"
        )
    add("--memory", metavar="DIR", help="keep sessions in DIR, and load and resume them")
    add("--modes", type=lambda names: names.split(","), default=[], metavar="A,B", help="offer these modes")
    add("--no-config-options", action="store_true", help="offer no configuration options")
    add(
        "--mcp",
        type=_mcp,
        action="append",
        default=[],
        metavar="NAME=STATE",
        help="report an MCP server's state before answering session/new: " + ", ".join(MCP_STATES) + " (never)",
    )


def _add_faults(add: Callable[..., argparse.Action]) -> None:
    add("--initialize-delay", type=float, default=0.0, metavar="SECONDS", help="wait before answering initialize")
    add("--start-delay", type=float, default=0.0, metavar="SECONDS", help="wait before answering session/new")
    add("--hang-at", choices=PLACES, metavar="REQUEST", help="never answer this request, such as session/new")
    add("--die-at", nargs=2, metavar=("REQUEST", "STATUS"), help="end at this request, such as initialize")
    how = ("error", "exit", "hang", "silent")
    add("--unknown-load", choices=how, help="what to do at the load of an unknown session; silent: answer success")
    add("--spawn-child", action="store_true", help="start a child that sleeps, and print its pid to stderr")


def _add_login(add: Callable[..., argparse.Action]) -> None:
    add(
        "--auth",
        action="append",
        default=[],
        metavar="ID",
        help="want authenticate with this method before session/new",
    )
    add(
        "--auth-terminal",
        nargs="?",
        const="asked",
        choices=("asked", "always"),
        help="want a login in a terminal; always: offer it to clients that have no terminal for it",
    )
    add("--auth-file", metavar="FILE", help="who is logged in is logged in for all processes, as long as FILE is there")
    add("--login", action="store_true", help="log in here, in this terminal, and end")


def _features(text: str) -> frozenset[str]:
    try:
        return named(text.replace(",", " "))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _mcp(text: str) -> tuple[str, str]:
    name, _, state = text.partition("=")
    if not name or state not in MCP_STATES:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=STATE with a state of {', '.join(MCP_STATES)}")
    return name, state
