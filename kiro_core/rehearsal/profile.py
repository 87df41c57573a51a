"""What kind of agent this is: what it says of itself and offers, and where its wire differs; one value a kind."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kiro_core.rehearsal import plain
from kiro_core.rehearsal.features import USUAL
from kiro_core.rehearsal.wire import Fault

if TYPE_CHECKING:
    from kiro_core.rehearsal.answers import Method
    from kiro_core.rehearsal.session import Session
    from kiro_core.rehearsal.sessions import Sessions
    from kiro_core.rehearsal.turn import Turn

Json = Mapping[str, Any]
Update = dict[str, Any]


class Choice(NamedTuple):
    """Something that a client chooses for a session: `values` are ids and names; none of them: yes or no."""

    id: str
    name: str
    category: str
    values: Mapping[str, str] = {}

    @property
    def first(self) -> str | bool:
        """What is chosen at first."""
        return next(iter(self.values), False)

    def takes(self, value: Any) -> bool:
        """Whether it can be chosen."""
        if self.values:
            return isinstance(value, str) and value in self.values
        return isinstance(value, bool)


def _plain_id(number: int) -> str:
    return f"rehearsal-{number}-{os.getpid()}"


def uuid_like(number: int) -> str:
    """A session id that is a UUID version 4 in form; its last eight digits are the process."""
    return f"00000000-0000-4000-8000-{number:04d}{os.getpid():08d}"


class Profile(NamedTuple):
    """A kind of agent.

    `info` is its `agentInfo`; `features` are words of `FEATURES`; `choices` may hold one of id "mode" and
    one of id "model"; `choices_in` adds to them what a folder holds; `model_suffix` follows each id in the
    former field `models`; `logins` are its `authMethods`; `commands` are names and descriptions.

    `unknown` refuses a session id, `unopened` an id to load or resume, which `on_unknown` may overrule
    (`exit`, `hang` or `silent` in place of `error`); `wrong` and `busy` are the error numbers of a value
    that cannot be chosen, and of a prompt while one is answered.

    `asks` says whether a question about a tool call follows its announcement ("announced"), stands alone
    ("unannounced") or is never put ("never"), as in the `unguarded` modes; `replies` are the ids and kinds of
    its options; `after_no` is the stop reason after a "no", "" to go on.
    `announce`, `finish` and `ending` speak in a turn: before a tool call, after it, and before the prompt's
    answer, to which `result` and `usage` are added; `greeting` and `opened` are notifications before and
    after the answer that opens a session; `mode_set` are updates before a mode is confirmed; `methods` are
    its own, by name.
    A `forgetful` one never loads the session of another process.
    """

    info: Json
    features: frozenset[str] = USUAL
    choices: tuple[Choice, ...] = ()
    choices_in: Callable[[str], tuple[Choice, ...]] = plain.no_choices
    model_suffix: str = ""
    logins: tuple[Json, ...] = ()
    commands: Mapping[str, str] = {}
    new_id: Callable[[int], str] = _plain_id
    unknown: Callable[[str], Fault] = plain.unknown
    unopened: Callable[[str], Fault] = plain.unknown
    on_unknown: str = "error"
    wrong: int = -32602
    busy: int = -32600
    tool_kind: str = "other"
    asks: str = "announced"
    replies: tuple[tuple[str, str], ...] = (("once", "allow_once"), ("always", "allow_always"), ("no", "reject_once"))
    unguarded: frozenset[str] = frozenset()
    after_no: str = ""
    announce: Callable[[Turn, Update], None] = plain.announce
    finish: Callable[[Turn, Update, str], None] = plain.finish
    ending: Callable[[Turn], None] = plain.silent
    result: Mapping[str, Any] = {}
    usage: Mapping[str, int] = {}
    greeting: tuple[tuple[str, Json], ...] = ()
    opened: Callable[[Session, Mapping[str, str]], list[tuple[str, Json]]] = plain.opened
    mode_set: Callable[[Session], list[Update]] = plain.no_updates
    methods: Callable[[Sessions], Mapping[str, Method]] = plain.no_methods
    forgetful: bool = False

    def has(self, feature: str) -> bool:
        """Whether it has a feature."""
        return feature in self.features
