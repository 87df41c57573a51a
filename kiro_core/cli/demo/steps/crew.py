"""Work in stages, in which each gets what the one before it came to."""

from __future__ import annotations

from kiro_core.cli.demo.shell import Shell
from kiro_core.cli.demo.step import Step, require
from kiro_core.cli.failing import DONE

_FILE = """\
name = "release notes"
task = "version 2"

[[stages]]
id = "research"
prompt = "/echo Three bugs are fixed in {task}."

[[stages]]
id = "write"
prompt = "/echo Notes: {stages.research.result}"
depends_on = ["research"]

[[stages]]
id = "review"
prompt = "/echo Approved. {stages.write.result}"
depends_on = ["write"]
"""
_RESULT = "Approved. Notes: Three bugs are fixed in version 2."


async def _act(shell: Shell) -> None:
    shell.narrator.command("cat notes.toml")
    (shell.home.work / "notes.toml").write_text(_FILE, "utf-8")
    shell.narrator.output(_FILE)
    told = await shell.run("crew", "run", "notes.toml")
    require(told.code == DONE, f"The run of the crew has ended with status {told.code}.")
    lines = told.output.splitlines()
    require(
        all(f"{stage}: succeeded" in lines for stage in ("research", "write", "review")), "A stage did not succeed."
    )
    require(_RESULT in lines, "The last stage has not got what the others came to.")


CREW = Step(
    "crew",
    "A crew works in three stages, each an agent of its own that gets the result of the one before.",
    "The stages are data. Each step of the run is on record before the next one: killed, it would go on with\n"
    "`kiro-core crew resume`.",
    "all three have succeeded, and the last one's result has the others' in it.",
    _act,
)
