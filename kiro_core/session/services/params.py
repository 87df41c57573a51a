"""Read the params of an agent's request, or say in a sentence what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from kiro_core.session.services.served import invalid

Params = Mapping[str, Any]


def text(params: Params, name: str) -> str:
    """A text that has to be there.

    Raises:
        RpcError: it is missing or something else.

    """
    value = params.get(name)
    if not isinstance(value, str):
        raise invalid(f"The param {name} has to be a text.")
    return value


def path(params: Params, name: str) -> str:
    """An absolute path that has to be there.

    Raises:
        RpcError: it is missing, relative, or no path.

    """
    value = text(params, name)
    if not PurePath(value).is_absolute():
        raise invalid(f"The param {name} has to be an absolute path, not {value!r}.")
    if "\0" in value:
        raise invalid(f"The param {name} is no path, since it holds a NUL.")
    return value


def count(params: Params, name: str) -> int | None:
    """A number of something, or None where there is none.

    Raises:
        RpcError: it is something else, or negative.

    """
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid(f"The param {name} has to be a whole number that is not negative.")
    return value


def argv(params: Params) -> Sequence[str]:
    """`{command, args?}` as one argv.

    Raises:
        RpcError: a part of it is no text, or the command is empty.

    """
    command, arguments = text(params, "command"), params.get("args") or []
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        raise invalid("The param args has to be a list of texts.")
    if not command:
        raise invalid("The param command is empty.")
    return (command, *arguments)


def env(params: Params) -> Mapping[str, str]:
    """`{env?: [{name, value}]}` as a mapping.

    Raises:
        RpcError: it has another form, or a name that no variable can have.

    """
    variables = params.get("env") or []
    if not isinstance(variables, list) or not all(isinstance(variable, dict) for variable in variables):
        raise invalid("The param env has to be a list of {name, value}.")
    named = {text(variable, "name"): text(variable, "value") for variable in variables}
    if not all(name and "=" not in name for name in named):
        raise invalid("A name in the param env is empty or has an equals sign.")
    return named
