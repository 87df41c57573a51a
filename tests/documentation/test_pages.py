"""What single pages say is so: pictures, examples of what is printed, links, and the tests that they name."""

import configparser
import re
from importlib import import_module

import pytest
import warm
from doc_pages import PAGES, ROOT, blocks

NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"def (test_\w+)\(")
IMPORTED = re.compile(r"^(?:from|import) (kiro_core[\w.]*)", re.MULTILINE)
PROVING = {"reliability.md": 30, "security.md": 25}
"""Pages whose every claim names its test, and so many tests at least."""


def text_of(name):
    return next(page for page in PAGES if page.name == name).read_text("utf-8")


def only(name, language):
    (block,) = [block.text for block in blocks(ROOT / "docs" / name) if block.language == language]
    return block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page):
    outside_of_code = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for place, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", outside_of_code):
        target = page.parent / place if place else page
        assert target.exists(), place
        if anchor:
            assert anchor in headings(target), f"{place}#{anchor}"


def headings(page):
    """As anchors, in the way of GitHub."""
    told = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^#+ (.+)$", told, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PROVING)
def test_every_promise_names_a_test_that_exists(page):
    named = set(NAMED.findall(text_of(page)))
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "kiro_core" / "testing").rglob("*.py")]
    defined = {name for path in files for name in DEFINED.findall(path.read_text("utf-8"))}
    assert len(named) >= PROVING[page]
    assert named <= defined, sorted(named - defined)


def test_both_pictures_of_concepts_md_show_the_same():
    flowchart, drawn = only("concepts.md", "mermaid"), only("concepts.md", "text")
    labels = {*re.findall(r'\["([^"]+)"\]', flowchart), *re.findall(r"\|(\w+)\|", flowchart)}
    labels |= {"editor", "terminal", "session", "store", "launcher", "engine"}
    assert [label for label in labels if label not in drawn] == []
    assert [name for name in ("faces", "wires") if name not in drawn] == []


def test_the_walk_of_architecture_md_goes_through_what_there_is():
    walk = only("architecture.md", "text")
    places = {
        "Peer": "kiro_core.rpc",
        "LocalAgent": "kiro_acp.local",
        "Dispatcher": "kiro_core.dispatcher",
        "Session.prompt": "kiro_core.session",
        "RemoteAgent": "kiro_core.rpc",
        "Listener.notify": "kiro_core.session.listening",
    }
    for name, module in places.items():
        assert name in walk
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)


def test_agents_md_shows_what_validate_prints(tmp_path, home):
    folder = tmp_path / ".kiro" / "agents"
    folder.mkdir(parents=True)
    hooks = ["{", '  "name": "review",', '  "prompt": "Be kind.",', '  "tools": ["read"],', '  "hooks": {']
    (folder / "review.json").write_text(
        "\n".join([*hooks, '    "stop": [', '      {"timeout_ms": 5000}', "    ]", "  }", "}"])
    )
    (folder / "team.json").write_text('{\n  "prompt": "Be kind.",\n  "tols": []\n}')
    told = warm.run([warm.PROGRAM, "agents", "validate"], cwd=tmp_path)
    assert told.stdout.replace(f"{tmp_path}/", "") == only("agents.md", "text")


def test_the_parts_of_architecture_md_are_those_of_the_layers():
    layers = configparser.ConfigParser()
    layers.read(ROOT / ".importlinter")
    ours = layers["importlinter:contract:layers"]["layers"].replace("|", "\n").split()
    table = text_of("architecture.md").partition("| module | why it exists |")[2].partition("\n\n")[0]
    told = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)))
    assert (set(ours) - set(told), set(told) - set(ours)) == (set(), set())


def test_what_authors_are_shown_to_import_is_promised_to_stay():
    shown = [*PAGES, *(ROOT / "examples").rglob("*.py"), *(ROOT / "kiro_core").rglob("_skeletons/**/*.py")]
    imported = {name for path in shown for name in IMPORTED.findall(path.read_text("utf-8"))}
    table = text_of("compatibility.md").partition("## What is stable\n")[2].partition("\n\nNot stable")[0]
    assert len(imported) > 5
    assert [name for name in sorted(imported) if name != "kiro_core" and f"`{name}`" not in table] == []


def test_every_page_can_be_found_from_the_readme():
    found, new = set(), {ROOT / "README.md"}
    while new:
        found |= new
        links = {
            page.parent / name for page in new for name in re.findall(r"\]\(([\w./-]+\.md)", page.read_text("utf-8"))
        }
        new = {link.resolve() for link in links} - found
    assert [page.name for page in PAGES if page not in found] == []
