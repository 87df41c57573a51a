"""Turn what an agent wants to run into a command, and into a question that shows all of it."""

from __future__ import annotations

from shlex import join

from kiro_core.policy import ToolUse
from kiro_core.session.services import params
from kiro_core.session.services.consent import Deed
from kiro_core.session.services.places import place
from kiro_core.session.services.served import Served, folders
from kiro_core.types import Command


def command_of(session: Served, asked: params.Params) -> Command:
    """`{command, args?, env?, cwd?}` of `terminal/create`; it runs in the session's working directory by default.

    Raises:
        RpcError: a param is wrong, or the working directory is outside of the session's folders.

    """
    argv, env = params.argv(asked), params.env(asked)
    cwd = session.plan.info.cwd if asked.get("cwd") is None else params.path(asked, "cwd")
    return Command(argv, place(cwd, folders(session)).real, env, output_only=True)


def use_of(asked: params.Params) -> ToolUse:
    """What a client is asked to run, in the words of the policy; whether it is well formed is for the client to say."""
    args, env = asked.get("args"), asked.get("env")
    words = [str(one) for one in args] if isinstance(args, list) else []
    pairs = [one for one in env if isinstance(one, dict)] if isinstance(env, list) else []
    variables = {str(one.get("name")): str(one.get("value")) for one in pairs}
    return ToolUse.running(str(asked.get("command")), words, variables)


def running(command: Command) -> Deed:
    """The question for it; what its variables hold may be secret, so the record has their names."""
    told = {"command": command.argv[0], "args": list(command.argv[1:]), "cwd": command.cwd}
    return Deed(
        ToolUse.running(command.argv[0], command.argv[1:], command.env),
        "execute",
        f"Run {join(command.argv)}",
        # What its variables change of it no rule can say.
        "" if command.env else "Allow this command in this session",
        {**told, "env": sorted(command.env)},
        private={"env": dict(command.env)},
    )
