"""The commands about crews and their runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import engine_names, session_ids
from kiro_core.cli.crew.looking import check, graph, show_
from kiro_core.cli.options import Given, command, folder, named, trusting


@click.group(epilog=example("kiro-core crew run notes.toml --watch", "kiro-core crew show 3f2a"))
def crew() -> None:
    """Run several agents in stages, and look at how they stand."""


def _displaying(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what is shown of a run; goes above `command`."""
    watch = click.option(
        "--watch", is_flag=True, help="Show a live line for each stage, and ask what the agents ask; at a terminal."
    )
    output = click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
    return watch(output(function))


@click.command(epilog=example("kiro-core crew run notes.toml --watch", 'kiro-core crew run --task "Review the change"'))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@named("--task", "TEXT", "What {task} stands for, in place of the file's own.")
@named("--engine", "NAME", "The agent program of stages that name none.", engine_names)
@folder("Where the agents work, instead of the current folder.")
@_displaying
@command
@trusting
def run(  # noqa: PLR0913 - one keyword for each option
    given: Given, *, file: Path | None, task: str, engine: str, cwd: Path | None, watch: bool, output: str
) -> int:
    """Run the crew of FILE, or one agent with the task alone, to the report at its end.

    How each stage stands is told on stderr, the report on stdout. Ctrl-C cancels the run; when its process ends in
    another way, `kiro-core crew resume` goes on with it.

    Exit codes: 0 all stages succeeded, 1 one did not or waits for a choice, 2 usage, 130 cancelled.
    """
    if file is None and not task:
        raise click.UsageError("There is nothing to do: name a crew file, or write --task.")
    import anyio

    from kiro_core.cli.crew.conducting import conduct
    from kiro_core.cli.crew.orders import Beginning

    order = Beginning(file, task, engine, cwd or Path.cwd())
    return anyio.run(partial(conduct, given, order, watch=watch, output=output), backend="asyncio")


@click.command(epilog=example("kiro-core crew resume 3f2a", "kiro-core crew resume 3f2a --rerun write --skip review"))
@click.argument("run_id", metavar="RUN", shell_complete=session_ids)
@click.option("--rerun", multiple=True, metavar="STAGE", help="Run this stage again that was cut off; several times.")
@click.option("--skip", multiple=True, metavar="STAGE", help="Go on without it; can be given several times.")
@_displaying
@command
@trusting
def resume(  # noqa: PLR0913 - one keyword for each option
    given: Given, *, run_id: str, rerun: tuple[str, ...], skip: tuple[str, ...], watch: bool, output: str
) -> int:
    """Go on with a run whose process has ended; the beginning of its id is enough.

    Nothing that has ended is done again. Of what was cut off nobody knows how far it came: at a terminal you are asked,
    elsewhere it waits for --rerun or --skip, unless the setting crew.unknown_stages says otherwise.

    Exit codes: 0 all stages succeeded, 1 one did not or waits for a choice, 2 usage, 130 cancelled.
    """
    if both := [stage for stage in rerun if stage in skip]:
        raise click.UsageError(f"The stage {both[0]!r} is chosen twice: it cannot run again and be left out.")
    import anyio

    from kiro_core.cli.crew.conducting import conduct
    from kiro_core.cli.crew.orders import Resuming

    order = Resuming(run_id, rerun, skip)
    return anyio.run(partial(conduct, given, order, watch=watch, output=output), backend="asyncio")


for _each in (run, show_, resume, graph, check):
    crew.add_command(_each)
