"""What the README says is true: its settings choose this store, its commands work, its table has every option."""

import os
import re
import shlex
import sqlite3
import subprocess
import sysconfig
from contextlib import closing
from pathlib import Path

from kiro_sqlite import SqliteOptions

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_a_conversation_takes_place_and_is_in_the_file(tmp_path):
    home = tmp_path / ".kiro"
    home.mkdir()
    (home / "kiro.toml").write_text(blocks("toml")[0], "utf-8")
    told = {}
    for line in "".join(blocks("sh")[:2]).splitlines():
        match shlex.split(line.replace("~", str(tmp_path))):
            case ["kiro-core", *arguments]:
                told[arguments[0]] = kiro_core(arguments, tmp_path)
            case ["sqlite3", path, sql]:
                with closing(sqlite3.connect(path)) as database:
                    told[sql.split()[0]] = database.execute(sql.replace("'", f"'{tmp_path}/", 1)).fetchall()
    assert "store sqlite" in told["plugins"]
    assert "Hello" in told["run"]
    ((session, _, cwd, head),) = told["SELECT"]
    assert session[:4] in told["sessions"]
    assert (cwd, head > 0) == (str(tmp_path), True)
    assert (tmp_path / "backup.db").exists()
    assert "in order" in kiro_core(["sessions", "verify", session], tmp_path)


def test_it_tells_of_every_option():
    for name, field in SqliteOptions.model_fields.items():
        default = "~/.kiro/sessions/core.db" if name == "path" else field.default
        assert f"| `{name}` | `{default}`" in README


def kiro_core(arguments, home):
    program = Path(sysconfig.get_path("scripts")) / "kiro-core"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KIRO_")}
    done = subprocess.run(
        [program, *arguments],
        cwd=home,
        env={**environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
