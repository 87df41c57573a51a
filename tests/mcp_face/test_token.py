"""The token of HTTP clients: made once, and good for nothing where others can read it."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from kiro_core.errors import SettingsError
from kiro_mcp.token import token_at, token_file


def test_it_is_made_at_the_first_start_and_stays(home):
    path = token_file("")
    assert path == home / "mcp-token"
    token = token_at(path)
    assert len(token) >= 32
    assert token_at(path) == token == path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in home.iterdir()] == ["mcp-token"]


def test_two_that_start_at_once_agree(home):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: token_at(home / "mcp-token"), range(8)))) == 1


def test_another_file_may_be_named(home, tmp_path):
    own = tmp_path / "own"
    own.write_text("  a-token-of-my-own-choice\n")
    own.chmod(0o600)
    assert token_at(token_file(str(own))) == "a-token-of-my-own-choice"
    assert token_file("~/token") == home.parent / "token"


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("a-token-of-my-own-choice", 0o640, "used by others"),
        ("a-token-of-my-own-choice", 0o604, "used by others"),
        ("", 0o600, "holds no token"),
        ("\n", 0o600, "holds no token"),
        ("short", 0o600, "holds no token"),
        ("a token with blanks in it", 0o600, "holds no token"),
        ("ein-Schlüssel-der-nicht-ASCII-ist", 0o600, "holds no token"),
    ],
)
def test_one_that_is_no_secret_is_refused(tmp_path, content, mode, said):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(SettingsError, match=said) as refused:
        token_at(path)
    assert str(path) in str(refused.value)
    assert refused.value.hint


def test_a_link_a_folder_and_a_pipe_are_refused(tmp_path):
    token_at(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SettingsError, match="symbolic link"):
        token_at(tmp_path / "link")
    with pytest.raises(SettingsError, match="no file of this user"):
        token_at(tmp_path / "folder")
    with pytest.raises(SettingsError, match="no file of this user"):
        token_at(tmp_path / "pipe")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be used") as refused:
        token_at(tmp_path / "file" / "token")
    assert "token_file" in refused.value.hint
