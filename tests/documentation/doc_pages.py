"""The pages that people read, cut into what can be checked: fenced blocks, commands in the text, generated parts."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(r"^( *)```(\w*)([^\n`]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(kiro-core [^`]+)`")
_PART = re.compile(r"<!-- ([\w-]+): generated -->\n(.*?)<!-- \1: end -->\n", re.DOTALL)


class Block(NamedTuple):
    """A fenced block: where it stands, its language, what stands behind that, and its text without indentation."""

    page: str
    line: int
    language: str
    info: str
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks(page):
    """The blocks of a page in their order."""
    told = page.read_text("utf-8")
    for found in _BLOCK.finditer(told):
        indent, language, info, text = found.groups()
        line = told.count("\n", 0, found.start()) + 1
        yield Block(page.name, line, language, info.strip(), re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def commands(page):
    """What stands in the text of a page, outside of blocks, as `kiro-core ...`; usages are no commands."""
    found = _INLINE.findall(_BLOCK.sub("", page.read_text("utf-8")))
    return [each for each in found if "[OPTIONS]" not in each]


def parts(page):
    """The names of what is generated in a page."""
    return [name for name, _ in _PART.findall(page.read_text("utf-8"))]


def filled(text, part):
    """A page's text in which `part(name)` stands between the marks of each name."""
    return _PART.sub(lambda found: f"<!-- {found[1]}: generated -->\n{part(found[1])}<!-- {found[1]}: end -->\n", text)
