"""Takes the lines of a shell as people type them: which are commands of ours, and whether there are such commands."""

import re
import shlex

import click

from kiro_core.cli.commands import kiro_core

OPERATORS = "|&;<>()"
_INSIDE = re.compile(r"\$\((kiro-core [^)]*)\)")


def lines(text):
    """The lines of a block of shell, continued ones joined, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        if words(line):
            yield line


def words(line):
    """The words of a line, operators of the shell among them, without its comment."""
    parser = shlex.shlex(line, posix=True, punctuation_chars=OPERATORS)
    parser.whitespace_split = True
    return list(parser)


def is_plain(line):
    """Whether it is one command, without a pipe or a redirection."""
    return not any(set(word) <= set(OPERATORS) for word in words(line)) and "$(" not in line


def ours(line):
    """The commands of ours in a line: the words behind the program of each."""
    for inside in _INSIDE.findall(line):
        yield from ours(inside)
    found = words(_INSIDE.sub("", line))
    for at, word in enumerate(found):
        if word.rpartition("/")[2] == "kiro-core" and (at == 0 or set(found[at - 1]) <= set(OPERATORS)):
            end = next((end for end in range(at, len(found)) if set(found[end]) <= set(OPERATORS)), len(found))
            yield found[at + 1 : end]


def parse(typed):
    """See whether there is such a command, with these options and so many arguments.

    A file or folder that is not here is none of the command's business.

    Raises:
        click.UsageError: there is not.

    """
    command, context, rest = kiro_core, click.Context(kiro_core, info_name="kiro-core"), list(typed)
    while isinstance(command, click.Group):
        inner = command.get_command(context, rest[0]) if rest else None
        name = rest.pop(0) if inner else getattr(command, "_default", None)
        if name is None:
            break
        command = inner or command.get_command(context, name)
        context = click.Context(command, context, info_name=name)
    try:
        command.make_context(context.info_name, rest, context.parent)
    except click.exceptions.Exit:
        pass
    except click.BadParameter as error:
        if not isinstance(getattr(error.param, "type", None), click.Path):
            raise
