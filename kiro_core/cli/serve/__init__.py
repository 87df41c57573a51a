"""A desk that stays: sessions outlive the editors and terminals that come to it."""

from __future__ import annotations

from functools import partial

import click

from kiro_core.cli.commands import example
from kiro_core.cli.default_group import DefaultGroup
from kiro_core.cli.options import Given, choosing, command


@click.group(
    cls=DefaultGroup,
    default="start",
    subcommand_metavar="[start] | status | reload | stop",
    epilog=example("kiro-core serve", "kiro-core serve --background", "kiro-core serve status", "kiro-core serve stop"),
)
def serve() -> None:
    """Serve a desk that outlives its clients.

    run, chat and acp find it, and so does whoever comes to what the setting `serve` names. Where no
    command is written it starts one; `kiro-core serve start --help` shows how.
    """


@serve.command(
    epilog=example(
        "kiro-core serve",
        "kiro-core serve --background",
        """kiro-core serve --set 'serve=[{use="http", port=8080}]'""",
    )
)
@click.option("--background", is_flag=True, help="Return when it is ready; it goes on without this terminal.")
@click.option("--ready-fd", type=int, hidden=True)
@choosing
@command
def start(given: Given, *, background: bool, ready_fd: int | None, agent: str, engine: str) -> int:
    """Open the desk, and all that the setting `serve` lists.

    SIGTERM, or Ctrl-C: nothing new begins, running turns get `limits.drain_s` seconds, then all sessions
    end. A second signal ends them at once. SIGHUP reads the settings again.

    Exit codes: 0 it was asked to end, 1 it could not start, 2 wrong settings.
    """
    if background:
        from kiro_core.cli.serve.background import start_in_background

        return start_in_background()
    import anyio

    from kiro_core.cli.serve.foreground import serve_desk

    return anyio.run(partial(serve_desk, given, agent, engine, ready_fd), backend="asyncio")


@serve.command(epilog=example("kiro-core serve status", "kiro-core serve status --json"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@command
def status(given: Given, *, as_json: bool) -> int:
    """Show whether a desk serves these sessions, and how it is.

    Exit codes: 0 one does, 1 none does, 2 usage.
    """
    from kiro_core.cli.serve.asking import show_status

    return show_status(given, as_json=as_json)


@serve.command(epilog=example("kiro-core serve reload"))
@command
def reload(given: Given) -> int:
    """Let the desk read its settings again.

    It says what has changed, which new sessions get, and what needs another start. Settings that are
    wrong change nothing.

    Exit codes: 0 it has read them, 1 none is served, 2 they are wrong.
    """
    from kiro_core.cli.serve.asking import ask_to_reload

    return ask_to_reload(given)


@serve.command(epilog=example("kiro-core serve stop"))
@command
def stop(given: Given) -> int:
    """Let the desk end, and wait for it.

    Nothing new begins there, running turns get `limits.drain_s` seconds, then all sessions end.

    Exit codes: 0 it has ended, 1 none is served, or it has not ended in time.
    """
    from kiro_core.cli.serve.asking import ask_to_end

    return ask_to_end(given)
