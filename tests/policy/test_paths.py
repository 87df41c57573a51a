"""Where a path really leads, whatever it looks like."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.policy.paths import Patterns, Place, inside


@pytest.fixture
def place(folder, tmp_path):
    (tmp_path / "home").mkdir(exist_ok=True)
    return Place(str(folder), (str(tmp_path / "other"),), tmp_path / "home")


def patterns(place, *globs, below=True):
    return Patterns.of(globs, place, below=below)


def pairs(text):
    """Globs and paths, two a line."""
    return [tuple(line.split(" ", 1)) for line in text.strip().splitlines()]


COVERED = """
src src
src src/b.py
./src src/x/y
src/** src
src/** src/x/y
src/ src/x
src/*.py src/b.py
**/*.py src/b.py
**/*.py b.py
s?c/* src/b.py
{src,docs}/** docs/c.md
{a,{b,c}}/d c/d
src/[a-c].py src/b.py
src/[!x].py src/b.py
~/x ~/x/y
/ /etc
/** /etc/hostname
** a.txt
src/new/* src/new/file
src ./src/../src/b.py
src docs/../src/b.py
src src/a b/c
[x [x
"""

NOT_COVERED = """
src srcs
src docs
src /src
src src/../docs/c.md
src src/../../x
src src/out/key
src/** link/hostname
src/*.py src/x/b.txt
src/*.py src/sub/b.py
src/[a-c].py src/d.py
src/{a,b} src/{a,b}
** ../x
** link/hostname
** \0
~/x x
link link2
"""

FORBIDDEN = """
secrets secrets/key
secrets SECRETS/KEY
secrets src/out/key
secrets src/../secrets/key
secrets file:///{cwd}/secrets/key
secrets/ secrets/key
secrets/** src/out
key secrets/key
*.pem /elsewhere/x.pem
.env src/deep/.env
**/.env /x/.env
/etc link/hostname
link /etc/hostname
link/** link/hostname
caf\u00e9 cafe\u0301
src/* src/x/y
/ /x
"""


@pytest.mark.parametrize(("glob", "path"), pairs(COVERED))
def test_what_a_glob_covers(place, glob, path):
    assert patterns(place, glob).covers(path)
    assert patterns(place, glob).touches(path)


@pytest.mark.parametrize(("glob", "path"), pairs(NOT_COVERED))
def test_what_it_does_not_cover(place, glob, path):
    assert not patterns(place, glob).covers(path)


@pytest.mark.parametrize(("glob", "path"), pairs(FORBIDDEN))
def test_what_is_close_enough_to_forbid(place, glob, path):
    assert patterns(place, glob).touches(path.replace("{cwd}", place.cwd.lstrip("/")))


@pytest.mark.skipif(not Path("/proc/self/root").exists(), reason="only Linux has this way round")
def test_the_root_of_a_process_is_the_root(place):
    assert patterns(place, "/etc").touches("/proc/self/root/etc/hostname")


def test_another_file_is_not_forbidden(place):
    assert not patterns(place, "secrets", "*.pem", "~/x").touches("a.txt")


def test_a_link_that_comes_later_leads_out_of_what_is_allowed(place, folder):
    allowed = patterns(place, "new/**")
    assert allowed.covers("new/file")
    (folder / "new").symlink_to("/etc")
    assert not allowed.covers("new/hostname")


def test_a_link_that_was_there_is_what_was_meant(place):
    assert patterns(place, "link/**").covers("link/hostname")


def test_up_behind_a_link_is_up_from_where_it_leads(place, folder):
    (folder / "deep").mkdir()
    (folder / "deep" / "to").symlink_to("../secrets")
    assert not patterns(place, "deep/**").covers("deep/to/../a.txt")
    assert patterns(place, "secrets").touches("deep/to/../secrets/key")


def test_links_in_a_circle_lead_nowhere(place, folder):
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    assert not patterns(place, "secrets").covers("one/key")


def test_inside_are_the_folder_and_the_other_roots(place, tmp_path):
    for path in (".", "a.txt", "src/../a.txt", "new/file", str(tmp_path / "other" / "x")):
        assert inside(path, place)
    for path in ("..", "../x", "link/hostname", "/etc", "~/x", "\0", f"{place.cwd}-not"):
        assert not inside(path, place)


parts = st.sampled_from(["..", ".", "src", "secrets", "key", "out", "link", "a.txt", "", "new", "b.py"])


@given(
    st.lists(parts, max_size=7).map("/".join),
    st.sampled_from(["secrets", "secrets/**", "./secrets/", "link", "/etc/**"]),
)
def test_no_way_of_writing_a_path_gets_round_a_rule(made, path, glob):
    """Held against the file system itself, which opens the very same path."""
    place = Place(str(made), (), made)
    forbidden = made / "secrets" if "secrets" in glob else Path("/etc")
    leads_there = Path(os.path.realpath(made / path)).is_relative_to(os.path.realpath(forbidden))
    assert Patterns.of([glob], place, below=True).touches(path) or not leads_there
    if Patterns.of([glob], place, below=True).covers(path):
        assert leads_there


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from cases import make_folder

    return make_folder(tmp_path_factory.mktemp("made"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_glob_and_a_path(glob, path):
    place = Place("/nowhere", (), Path("/home/nobody"))
    matched = Patterns.of([glob], place, below=True)
    assert not matched.covers(path) or matched.touches(path)


def test_what_is_too_long_for_a_path_is_allowed_by_nothing_and_may_be_forbidden(place):
    path = "/".join(["src"] * 3000)
    assert not patterns(place, "/**").covers(path)
    assert patterns(place, "secrets").touches(path)
