"""What the model does next is written in the user's own words, so no state stands between test and model.

`[[say Hello]]` answers with text, `[[call TOOL {"argument": 1}]]` calls a tool that the agent offers and then
tells what came back, `[[hang]]` begins an answer that never ends.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import uuid4

_DIRECTIVE = re.compile(r"\[\[(say|call|hang)\b(.*?)\]\]", re.DOTALL)
BEGUN = "I begin. "


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation: the user's `text`, or with `result` what a tool brought back."""

    text: str
    result: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answers: text, then a call if it has a `tool`, then nothing for ever if it `hangs`.

    Agents take two answers or calls of one id for the same, so each has its own.
    """

    text: str = ""
    tool: str = ""
    arguments: dict[str, object] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid4().hex)
    hangs: bool = False


def decide(conversation: Iterable[Said], tools: Iterable[str]) -> Answer:
    """The answer to a conversation; without tools it is about a title or the like, and is just text."""
    verb, rest, results = "say", "nothing", []
    for said in conversation:
        if said.result:
            results.append(said.text)
        elif found := _DIRECTIVE.findall(said.text):
            (verb, rest), results = found[-1], []
    if verb == "say" or not tools:
        return Answer(rest.strip())
    if verb == "hang":
        return Answer(BEGUN, hangs=True)
    if results:
        return Answer(f"It brought: {results[-1]}")
    tool, _, arguments = rest.strip().partition(" ")
    return Answer("", tool, json.loads(arguments)) if tool in tools else Answer(f"There is no tool {tool}.")
