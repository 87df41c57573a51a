"""Directives that tell what the agent was given: tests ask an agent what has reached it."""

from __future__ import annotations

import json
import os

from kiro_core.rehearsal.turn import Turn


def env(turn: Turn, name: str) -> None:
    """`/env NAME`: say the value of an environment variable."""
    value = os.environ.get(name)
    turn.say(f"{name} is not set. " if value is None else f"{name}={value} ")


def say_capabilities(turn: Turn, _: str) -> None:
    """`/say-capabilities`: say what the client offered in initialize, as JSON."""
    turn.say(json.dumps(turn.wire.client.get("clientCapabilities")))


def say_params(turn: Turn, _: str) -> None:
    """`/say-params`: say the params of the request that opened the session, as JSON."""
    turn.say(json.dumps(turn.session.params))


def say_choices(turn: Turn, _: str) -> None:
    """`/say-choices`: say what is chosen for the session, as JSON: mode, model and the other options by id."""
    turn.say(json.dumps(turn.session.chosen))


def blocks(turn: Turn, _: str) -> None:
    """`/blocks`: say the content blocks of the prompt, as JSON."""
    turn.say(json.dumps(turn.blocks))
