"""What a configuration only refers to is read once the user's consent is settled, and is part of it from then on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kiro_core.agentconfig.reading import Unreadable, read_text
from kiro_core.agentconfig.referring import FILE, SKILL, budget, files_of, is_inside, path_of
from kiro_core.agentconfig.resolve import BUILT_IN
from kiro_core.explain import dotted
from kiro_core.types import AgentConfig, Problem, Resource

if TYPE_CHECKING:
    from kiro_core.agentconfig.document import Written

MAX_FILE_BYTES = 5 << 20
"""The largest resource that is read: 5 MiB."""

MAX_BYTES = 10 << 20
"""So much is read of all resources of a configuration: 10 MiB."""

_SKILLS = "These skills are there. Before you do what one is for, read its file:"


def read_contents(config: AgentConfig, cwd: Path) -> tuple[AgentConfig, Sequence[Problem]]:
    """The configuration with its prompt's text and its resources, for a session in `cwd`; blocking.

    A prompt file is relative to the document, a resource to `cwd`. Call it for a folder's document only when
    `needs_trust` asks for nothing or the user has agreed: it reads whatever the document names. What cannot be
    read is a problem (a warning), and the rest is used.

    Raises:
        AgentConfigInvalid: a source gave fields that are not of the format.

    """
    reading = _Reading(config, cwd)
    prompt = reading.prompt()
    return replace(config, prompt=prompt, resources=list(reading.resources())), reading.problems


def preface(config: AgentConfig) -> str:
    """What stands in front of the first prompt for an agent that has no place of its own for a configuration."""
    parts = [config.prompt]
    parts += [f'<resource uri="{one.uri}">\n{one.text}\n</resource>' for one in config.resources if not one.skill]
    skills = [f"- {one.skill}: {one.text} ({_path(one.uri)})" for one in config.resources if one.skill]
    if skills:
        parts.append("\n".join([_SKILLS, *skills]))
    return "\n\n".join(part for part in parts if part)


class _Reading:
    """The reading of one configuration: what is wrong so far, and how much may still be read."""

    def __init__(self, config: AgentConfig, cwd: Path) -> None:
        self.problems: list[Problem] = []
        self._config = config
        self._cwd = Path(config.workspace or cwd).absolute()
        self._left = MAX_BYTES

    def prompt(self) -> str:
        written = self._config.prompt
        if not written.startswith(FILE):
            return written
        field = "prompt" if self._config.fields.get("prompt") else "systemPrompt"
        with self._telling(written, field):
            return read_text(path_of(written, Path(self._config.origin).parent))[0]
        return ""

    def resources(self) -> Iterator[Resource]:
        if self._config.fields == BUILT_IN.fields:
            return
        from kiro_core.agentconfig.checking import typed

        seen, looks = set[Path](), budget()
        for number, uri in enumerate(typed(self._config).resources):
            if isinstance(uri, str):
                paths: Sequence[Path] = ()
                with self._telling(uri, "resources", number):
                    paths = files_of(uri, self._cwd, looks)
                for path in paths:
                    if path not in seen:
                        seen.add(path)
                        with self._telling(str(path), "resources", number):
                            yield self._resource(path, is_skill=uri.startswith(SKILL))

    def _resource(self, path: Path, *, is_skill: bool) -> Resource:
        if not self._config.workspace and self._is_led_away(path):
            message = "is a link out of the folder, which the folder's owner made and not you"
            raise Unreadable(message)
        if is_skill:
            from kiro_core.agentconfig.skills import read_skill

            return read_skill(path)
        if not self._left:
            message = f"is left out: the resources in front of it are {MAX_BYTES} bytes already"
            raise Unreadable(message)
        text, raw = read_text(path, min(MAX_FILE_BYTES, self._left))
        self._left -= len(raw)
        return Resource(path.as_uri(), text)

    def _is_led_away(self, path: Path) -> bool:
        """Whether the working directory, which may be somebody else's, makes a path of the user's mean another file."""
        return Path(os.path.normpath(path)).is_relative_to(self._cwd) and not is_inside(path, self._cwd)

    @contextmanager
    def _telling(self, what: str, *place: str | int) -> Iterator[None]:
        try:
            yield
        except Unreadable as error:
            from kiro_core.agentconfig.checking import MAX_PROBLEMS

            if len(self.problems) < MAX_PROBLEMS:
                origin, field = Path(self._config.origin), dotted(str(part) for part in place)
                line = self._written.line(place) if self._written else 0
                self.problems.append(Problem(origin, field, f"{what!r} {error}", line, "warning"))

    @cached_property
    def _written(self) -> Written | None:
        from kiro_core.agentconfig.document import read_document

        try:
            return read_document(Path(self._config.origin))
        except Unreadable:  # it comes from elsewhere, or is gone by now
            return None


def _path(uri: str) -> str:
    return unquote(uri.removeprefix(FILE))
