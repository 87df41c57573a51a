"""What the README says is true: its settings choose this launcher, its commands work, its table has every option."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

from kiro_docker import DockerOptions

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_a_conversation_takes_place_in_a_container(docker, state, calls, tmp_path):
    home = tmp_path / ".kiro"
    home.mkdir()
    (home / "kiro.toml").write_text(blocks("toml")[0], "utf-8")
    agent = state / "image" / "my-agent"
    agent.parent.mkdir()
    agent.write_text(f'#!/bin/sh\n[ "$MY_AGENT_KEY" = secret ] && exec "{sys.executable}" -P -m kiro_core.rehearsal\n')
    agent.chmod(0o700)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KIRO_")}
    path = f"{docker.parent}{os.pathsep}{os.environ['PATH']}"
    told = {}
    for line in "".join(blocks("sh")[:2]).splitlines():
        program, *arguments = shlex.split(line)
        if program == "kiro-core":
            done = subprocess.run(
                [Path(sysconfig.get_path("scripts")) / program, *arguments],
                cwd=tmp_path,
                env={**environ, "HOME": str(tmp_path), "PATH": path, "MY_AGENT_KEY": "secret"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            told[arguments[0]] = done.stdout
    assert "launcher docker" in told["plugins"]
    assert "Hello" in told["run"]
    (argv,) = [call["argv"] for call in calls() if call["argv"][0] == "run"]
    assert argv[-4:] == ["my-agent:latest", "/usr/bin/env", "my-agent", "--acp"]


def test_it_tells_of_every_option():
    for name, field in DockerOptions.model_fields.items():
        default = (
            f"`{field.get_default()}`" if field.get_default() not in ("", None) and not field.is_required() else ""
        )
        assert f"| `{name}` | {default} |".replace("  ", " ") in README
