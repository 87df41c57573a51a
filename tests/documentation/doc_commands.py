"""All commands as click has them: how each is written, what it does, its options, examples and exit codes."""

import re

import click
from doc_types import table

from kiro_core.cli.commands import kiro_core

CONTEXT = click.Context(kiro_core, info_name="kiro-core", **kiro_core.context_settings)
COMMON = ("--config", "--set", "--verbose", "--debug", "--help")
"""The options that nearly every command has, told once."""


def tree(group=kiro_core, *path):
    """Each command with the words that name it, a group in front of what is in it."""
    for name in group.list_commands(CONTEXT):
        command = group.get_command(CONTEXT, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from tree(command, *path, name)


def commands_part():
    """The options of all, then a section for each command."""
    found = [(path, command, click.Context(command, CONTEXT)) for path, command in tree()]
    common = next(_params(command, context) for path, command, context in found if path == ("run",))
    without = [
        f"`kiro-core {' '.join(path)}`"
        for path, command, _ in found
        if not isinstance(command, click.Group) and not _has_common(command)
    ]
    begin = f"## Options of every command\n\n{_options([each for each in common if _is_common(each)])}"
    begin += f"\nThey are not repeated below. Without settings: {', '.join(without)}.\n"
    return "\n".join([begin, *(_section(*each) for each in found)])


def _section(path, command, context):
    name = " ".join(("kiro-core", *path))
    pieces = [f"`{' '.join((name, *command.collect_usage_pieces(context)))}`", *_paragraphs(command.help)]
    own = [each for each in _params(command, context) if not (_is_common(each) and _has_common(command))]
    if isinstance(command, click.Group):
        pieces.append(", ".join(f"[`{each}`](#{'-'.join(('kiro-core', *path, each))})" for each in command.commands))
    elif own:
        pieces.append(_options(own).rstrip("\n"))
    pieces.append(f"```sh\n{_example(command)}```")
    return f"{'#' * (len(path) + 1)} {name}\n\n" + "\n\n".join(pieces) + "\n"


def _params(command, context):
    """Its options; arguments stand in its usage."""
    return [each for each in command.get_params(context) if isinstance(each, click.Option)]


def _is_common(option):
    return option.opts[-1] in COMMON


def _has_common(command):
    return {"config", "changes"} <= {each.name for each in command.params}


def _paragraphs(text):
    """The paragraphs of a help, each on one line."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield " ".join(paragraph.replace("\b", "").split())


def _options(params):
    return table(("option", "what it does"), [(f"`{_written(each)}`", _about(each)) for each in params])


def _written(option):
    names = ", ".join(sorted(option.opts, key=len))
    return names if option.is_flag or option.count else f"{names} {option.make_metavar(CONTEXT)}"


def _about(option):
    """Its help, and its default where that says something."""
    told, default = option.help or "", option.default
    says = isinstance(default, str | int | float) and not (isinstance(default, bool) or option.count or default == "")
    return f"{told} By default `{default}`.".strip() if says else told


def _example(command):
    """The lines of its epilog, as they are typed."""
    return "".join(f"{line.strip()}\n" for line in (command.epilog or "").splitlines() if line.startswith("  "))
