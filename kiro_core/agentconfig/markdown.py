"""Markdown with front matter is read as the same values and places as JSON, so that one format has two spellings."""

from __future__ import annotations

import re
from typing import Any

import yaml

from kiro_core.agentconfig.jsonc import Member, Node, line_at
from kiro_core.agentconfig.reading import Unreadable

MAX_FRONT_MATTER = 1 << 16
"""The longest front matter in characters: reading YAML costs a hundred times as much as JSON."""

_FENCE = re.compile(r"---[ \t]*\r?\n")
_END = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_PLAIN = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")


class NoFrontMatter(Unreadable):
    """A Markdown file that is a text and nothing else, such as a prompt beside the configurations."""

    is_text = True


class _Loader(yaml.SafeLoader):
    """Only composes: which value a word is, is decided by the rules of YAML 1.2, whose `no` and `on` are text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - so it is declared by the class that it replaces

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias: a few lines of them stand for more values than any memory holds."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the stubs leave it out
            raise yaml.composer.ComposerError(None, None, "an alias (*name) is not allowed", mark)
        return super().compose_node(parent, index)


def parse_markdown(text: str) -> tuple[dict[str, Any], Node]:
    """The fields of a Markdown document, and the places of its fields; its text is the field `prompt`.

    Raises:
        NoFrontMatter: it does not begin with a line of `---`.
        Unreadable: its front matter is no YAML mapping of values that JSON has.

    """
    front, at, body_at = _split(text)
    node = _mapping(front, text, at)
    body = text[body_at:].strip()
    if not body:
        return node.value, node
    if twice := next((key for key in ("prompt", "systemPrompt") if node.value.get(key)), ""):
        line = line_at(text, node.members_called(twice)[0].at)
        reason = "stands there besides the text below the front matter, which is the prompt"
        raise Unreadable(reason, field=twice, line=line)
    begin = body_at + text[body_at:].index(body)
    prompt = Member("prompt", begin, Node(begin, begin + len(body), body))
    fields = {**node.value, "prompt": body}
    return fields, Node(node.begin, node.end, fields, (*node.members, prompt))


def front_matter(text: str) -> dict[str, Any]:
    """The fields in front of a Markdown text.

    Raises:
        NoFrontMatter, Unreadable: as above.

    """
    front, at, _ = _split(text)
    fields: dict[str, Any] = _mapping(front, text, at).value
    return fields


def _split(text: str) -> tuple[str, int, int]:
    """The front matter, where it begins, and where the text behind it does."""
    opened = _FENCE.match(text)
    if opened is None:
        raise NoFrontMatter("has no front matter: lines of YAML between two lines of ---")
    closed = _END.search(text, opened.end())
    if closed is None:
        raise Unreadable("has front matter without an end: a second line of ---", line=1)
    if closed.start() - opened.end() > MAX_FRONT_MATTER:
        raise Unreadable(f"has front matter of more than {MAX_FRONT_MATTER} characters", line=1)
    return text[opened.end() : closed.start()], opened.end(), closed.end()


def _mapping(front: str, text: str, at: int) -> Node:
    try:
        composed = yaml.compose(front, _Loader)
        node = _converted(composed, at) if composed else Node(at, at, {})
    except _NotJsonError as error:
        raise Unreadable(str(error), line=line_at(text, error.at)) from error
    except yaml.MarkedYAMLError as error:
        line = line_at(text, at + error.problem_mark.index) if error.problem_mark else 1
        raise Unreadable(f"has front matter that is not YAML: {error.problem}", line=line) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Unreadable("has front matter that is not YAML, or is nested too deep", line=1) from error
    if not isinstance(node.value, dict):
        raise Unreadable("has front matter that is not a mapping", line=line_at(text, node.begin))
    if again := node.repeated():
        raise Unreadable("stands there twice", field=again.key, line=line_at(text, again.at))
    return node


class _NotJsonError(Exception):
    """A value that YAML has and JSON has not; `at` is where it stands."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.at = at


def _converted(node: yaml.Node, offset: int) -> Node:
    begin, end = offset + node.start_mark.index, offset + node.end_mark.index
    if node.tag not in _PLAIN:
        raise _NotJsonError(f"has front matter with a value of the kind {node.tag!a}, which JSON has not", begin)
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_converted(item, offset) for item in node.value)
        return Node(begin, end, [item.value for item in items], items=items)
    if isinstance(node, yaml.MappingNode):
        members = tuple(_member(key, value, offset) for key, value in node.value)
        return Node(begin, end, {member.key: member.node.value for member in members}, members)
    is_quoted = isinstance(node, yaml.ScalarNode) and node.style
    return Node(begin, end, node.value if is_quoted else _plain(node.value, begin))


def _member(key: yaml.Node, value: yaml.Node, offset: int) -> Member:
    at = offset + key.start_mark.index
    if not isinstance(key, yaml.ScalarNode):
        raise _NotJsonError("has front matter with a key that is not text", at)
    return Member(key.value, at, _converted(value, offset))


def _plain(word: str, at: int) -> Any:
    """What a word without quotes is (YAML 1.2, core schema)."""
    if word in _WORDS:
        return _WORDS[word]
    try:
        if _INTEGER.fullmatch(word):
            return int(word)
        return float(word) if _NUMBER.fullmatch(word) else word
    except ValueError as error:  # Python reads no number of thousands of digits
        raise _NotJsonError("has front matter with a number that is too long", at) from error
