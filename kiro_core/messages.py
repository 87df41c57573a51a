"""The messages that programs send by themselves, made of what they know, so that nobody writes their JSON by hand.

Shapes are those of ACP version 1; what is for the desk and for no agent stands in `_meta.kiro_core` (docs/acp.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

from kiro_core.frames import Frame

MARK = "kiro_core"
"""The key under `_meta` that says that something is ours."""

ALLOW, REJECT = "allow", "reject"
"""How the kinds of the options of a permission question begin (ACP `PermissionOptionKind`)."""

Servers = Sequence[Mapping[str, Any]]
"""MCP servers as ACP has them: `{name, command, args, env}` or `{type, name, url, headers}`."""


def new_session(  # noqa: PLR0913 - what a session may be asked for, all by name
    cwd: str | PathLike[str],
    *,
    roots: Sequence[str] = (),
    servers: Servers = (),
    agent: str = "",
    engine: str = "",
    name: str = "",
    parent: str = "",
    trust_tools: Sequence[str] | None = None,
) -> Frame:
    """For `Agent.new`: a session that works in the folder `cwd` and may use those of `roots`, all of them absolute.

    An agent configuration (`agent`) that is named is required; without one, and without an `engine`, the desk chooses.
    `name` is what people call it, unique in its folder; `parent` is the session that it is below. `trust_tools` are
    names and patterns of tools that need no question.
    """
    trusted = None if trust_tools is None else list(trust_tools)
    wishes = {**_agent(agent), "engine": engine, "name": name, "parent": parent, "trustTools": trusted}
    return _wishing("session/new", _place(cwd, roots, servers), wishes)


def open_session(  # noqa: PLR0913 - as above
    session: str,
    cwd: str | PathLike[str],
    *,
    replay: bool = False,
    roots: Sequence[str] = (),
    servers: Servers = (),
    agent: str = "",
    engine: str = "",
    after: int | None = None,
    observe: bool = False,
) -> Frame:
    """For `Agent.open` with the same `replay`: go on with a session, also one that is open; the rest is as above.

    With `replay` the client is shown the conversation first, with `after` what is on record behind that number. Who is
    to `observe` is shown everything and may do nothing.
    """
    method = "session/load" if replay else "session/resume"
    wishes = {**_agent(agent), "engine": engine, "after": after, "role": "observer" if observe else ""}
    return _wishing(method, {"sessionId": session, **_place(cwd, roots, servers)}, wishes)


def prompt(
    session: str, content: str | Sequence[Mapping[str, Any]], *, task: str = "", when_busy: str = "", hops: int = 0
) -> Frame:
    """For `Agent.prompt`: a text, or a list of ACP's content blocks.

    The record keeps `task` as the name of the turn. Where a turn runs, `when_busy` says whether the prompt waits
    ("queue", as without it), is refused ("reject") or cancels what runs ("interrupt"). So many letters of other
    sessions led to it (`hops`).
    """
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    wishes = {"task": task, "whenBusy": when_busy, "hops": hops or None}
    return _wishing("session/prompt", {"sessionId": session, "prompt": blocks}, wishes)


def cancel(session: str) -> Frame:
    """For `Agent.cancel`: what runs in a session, and what waits."""
    return Frame.of("session/cancel", {"sessionId": session})


def close(session: str) -> Frame:
    """For `Agent.close`: the session ends with its process, and its record stays."""
    return about("session/close", session)


def set_option(session: str, option: str, value: Any) -> Frame:
    """For `Agent.call`: one of the session's `configOptions`, such as "model", "agent" or "engine"."""
    return about("session/set_config_option", session, configId=option, value=value)


def about(method: str, session: str, **params: Any) -> Frame:
    """For `Agent.call` and verbs of its own: any other request about a session."""
    return Frame.of(method, {"sessionId": session, **params}, id=0)


def allow(question: Frame) -> Frame:
    """The answer to `session/request_permission` that allows it, in the narrowest way that the agent offers."""
    return chosen(option_of(question, ALLOW))


def refuse(question: Frame) -> Frame:
    """The answer that says no, in the narrowest way that the agent offers."""
    return chosen(option_of(question, REJECT))


def chosen(option: Mapping[str, Any] | None) -> Frame:
    """The answer that chooses one of the options of a question; with None it is `cancelled`, which allows nothing."""
    if option is None:
        return Frame.answer({"outcome": {"outcome": "cancelled"}})
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": option.get("optionId")}})


def option_of(question: Frame, what: str) -> dict[str, Any] | None:
    """The option of a permission question that does what `ALLOW` or `REJECT` says, the narrowest there is."""
    kinds = {str(option.get("kind")): option for option in reversed(options_of(question))}
    return kinds.get(f"{what}_once") or kinds.get(f"{what}_always")


def options_of(question: Frame) -> list[dict[str, Any]]:
    """The options of a permission question, `{optionId, name, kind}` each; what is none of them is left out."""
    options = question.params.get("options")
    return [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []


def said(update: Frame) -> str:
    """The agent's words in a notification to a client; `""` where it tells something else."""
    told = update.params.get("update")
    if not isinstance(told, dict) or told.get("sessionUpdate") != "agent_message_chunk":
        return ""
    content = told.get("content")
    text = content.get("text") if isinstance(content, dict) else None
    return text if isinstance(text, str) else ""


def _place(cwd: str | PathLike[str], roots: Sequence[str], servers: Servers) -> dict[str, Any]:
    more = {"additionalDirectories": list(roots)} if roots else {}
    return {"cwd": fspath(cwd), "mcpServers": list(servers), **more}


def _agent(name: str) -> dict[str, Any]:
    return {"agent": name, "agentRequired": True} if name else {}


def _wishing(method: str, params: dict[str, Any], wishes: Mapping[str, Any]) -> Frame:
    given = {key: value for key, value in wishes.items() if value not in (None, "")}
    return Frame.of(method, {**params, "_meta": {MARK: given}} if given else params, id=0)
