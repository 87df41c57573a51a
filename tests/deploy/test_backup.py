"""The backup of docs/deploy.md, made while a desk works, is a store that verifies and goes on."""

import json
import shutil
import subprocess


def test_a_copy_of_a_running_desk_verifies_and_has_what_was_said(examples, served, run, person):
    (text,) = (block for block in examples("sh") if "backup" in block)
    process = served(["kiro-core", "serve", "--set", 'engine="rehearsal"'])
    assert run("kiro-core", "run", "--engine", "rehearsal", "/echo before").returncode == 0
    talking = subprocess.Popen(
        ["kiro-core", "run", "--engine", "rehearsal", "/echo begun\n/flood 20000 100"],
        stdout=subprocess.PIPE,
        env={"HOME": str(person), "PATH": f"{person}/.local/bin:/usr/bin:/bin"},
    )
    with talking:
        assert talking.stdout.readline()
        assert run("sh", "-euc", text).returncode == 0
        talking.kill()
    process.kill()
    process.wait()
    sessions = person / ".kiro" / "sessions" / "core"
    shutil.rmtree(sessions)
    shutil.copytree(person / "backup", sessions)
    verified = run("kiro-core", "sessions", "verify", "--json")
    assert verified.returncode == 0, verified.stdout
    listed = json.loads(run("kiro-core", "sessions", "list", "--json").stdout)
    assert len(listed) == 2
