"""The command line: how the agent behaves before the first prompt."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

PLACES = ("initialize", "session/new")
MCP_STATES = ("initialized", "failed", "late")

_EXAMPLE = """\
example:
  python -m kiro_core.rehearsal --memory /tmp/rehearsal --mcp docs=initialized --mcp search=failed

It speaks the Agent Client Protocol on stdin and stdout. The prompt /help lists what a prompt can make it do.
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the options; a wrong one ends the program with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m kiro_core.rehearsal",
        description="A deterministic agent that repeats its prompt: for trying, testing and fault injection.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--start-delay", type=float, default=0.0, metavar="SECONDS", help="wait before answering session/new")
    add("--hang-at", choices=PLACES, help="never answer this request")
    add("--die-at", nargs=2, metavar=("REQUEST", "STATUS"), help="end at this request: " + " or ".join(PLACES))
    add(
        "--mcp",
        type=_mcp,
        action="append",
        default=[],
        metavar="NAME=STATE",
        help="report an MCP server's state before answering session/new: " + ", ".join(MCP_STATES) + " (never)",
    )
    add("--memory", metavar="DIR", help="keep sessions in DIR, and load and resume them")
    add("--spawn-child", action="store_true", help="start a child that sleeps, and print its pid to stderr")
    add("--no-config-options", action="store_true", help="offer no choice of a model")
    add("--modes", type=lambda names: names.split(","), default=[], metavar="A,B", help="offer these modes")
    options = parser.parse_args(argv)
    if options.die_at:
        place, status = options.die_at
        if place not in PLACES or not status.isdecimal():
            parser.error(f"--die-at takes {' or '.join(PLACES)}, and a status, such as: --die-at initialize 3")
    return options


def _mcp(text: str) -> tuple[str, str]:
    name, _, state = text.partition("=")
    if not name or state not in MCP_STATES:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=STATE with a state of {', '.join(MCP_STATES)}")
    return name, state
