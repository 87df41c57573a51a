"""The page of hooks and ports: what a plugin yields, implements and is given, from signatures and docstrings."""

import inspect
import json
import re
from dataclasses import MISSING, fields
from importlib import import_module
from pkgutil import iter_modules

from doc_types import table

from kiro_core import Provider, ports
from kiro_core.registry import KINDS
from kiro_core.specs import KiroSpecs

GIVEN = ("Desk", "Attachable", "Agent", "Client", "Turn", "Crews", "Members", "OwnCrew", "ByteStream")
"""What a plugin is handed, and may ask; all other ports are what it implements."""


def protocols():
    """Every port: its name and class, what plugins implement first."""
    modules = [import_module(f"{ports.__name__}.{each.name}") for each in iter_modules(ports.__path__)]
    own = {each.__name__: each for module in modules for each in vars(module).values() if _is_port(each, module)}
    return {name: own[name] for name in [*(name for name in own if name not in GIVEN), *GIVEN]}


def _is_port(value, module):
    own = getattr(value, "__module__", "") == module.__name__ and not value.__name__.startswith("_")
    return own and (isinstance(value, type) or inspect.isfunction(value))


def hooks_part():
    """Each hook, what its providers open, the word for that in messages, and what the settings say."""
    about = {name: _unwrapped(inspect.getdoc(getattr(KiroSpecs, name))) for name in KINDS}
    return table(
        ("hook", "its providers open", "called", "what it says"),
        [(f"`{name}`", f"`{_yields(name)}`", kind, about[name]) for name, kind in KINDS.items()],
    )


def _yields(hook):
    annotation = inspect.get_annotations(getattr(KiroSpecs, hook))["return"]
    return re.search(r"Provider\[(.+), Any\]", annotation)[1]


def provider_part():
    """The fields of `Provider`, with their types and defaults."""
    return table(
        ("field", "type", "default"),
        [(f"`{each.name}`", f"`{each.type}`", _default(each.default)) for each in fields(Provider)],
    )


def _default(value):
    if value is MISSING:
        return "required"
    return "both" if isinstance(value, frozenset) else f"`{literal(value)}`"


def literal(value):
    """A value as it is written; what has no such form is what nobody writes."""
    told = json.dumps(value) if isinstance(value, str) else repr(value)
    return "..." if told.startswith("<") else told.replace("''", '""')


def ports_part():
    """A section for each port."""
    return "\n".join(f"### `{name}`\n\n{_port(port)}" for name, port in protocols().items())


def port_part(name):
    """One port alone."""
    return _port(protocols()[name])


def _port(port):
    if inspect.isfunction(port):
        return f"{_written(port.__name__, port)}: {_first(port)}\n"
    return "\n".join([f"{_unwrapped(inspect.getdoc(port))}\n", *members(port)]) + "\n"


def members(of):
    """A line for each public property and method of a class."""
    return [
        f"- {_written(name, member)}: {_first(member)}".rstrip(": ")
        for name, member in vars(of).items()
        if not name.startswith("_") and (isinstance(member, property | staticmethod) or inspect.isfunction(member))
    ]


def _written(name, member):
    if isinstance(member, property):
        return f"`{name}: {inspect.get_annotations(member.fget)['return']}`"
    told = inspect.signature(member)
    begin = "async def" if inspect.iscoroutinefunction(member) else "def"
    begin = f"@staticmethod {begin}" if isinstance(member, staticmethod) else begin
    return f"`{begin} {name}({_parameters(told)}) -> {told.return_annotation}`"


def _parameters(signature):
    """As they are written, without `self`; annotations are text already."""
    told, by_name = [], False
    for each in (each for each in signature.parameters.values() if each.name != "self"):
        if each.kind is each.KEYWORD_ONLY and not by_name:
            by_name = True
            told.append("*")
        default = "" if each.default is each.empty else f" = {literal(each.default)}"
        star = "*" if each.kind is each.VAR_POSITIONAL else ""
        told.append(f"{star}{each.name}: {each.annotation}{default}")
    return ", ".join(told)


def _first(member):
    """The first paragraph of its docstring, and the names of what it raises."""
    told = inspect.getdoc(member) or ""
    raised = re.search(r"Raises[^\n]*:\n(.*)", told, re.DOTALL)
    names = re.findall(r"^ {4}([\w.]+(?:, [\w.]+)*)[:.]", raised[1], re.MULTILINE) if raised else []
    also = f" Raises {', '.join(f'`{name}`' for each in names for name in each.split(', '))}." if names else ""
    return " ".join(told.partition("\n\n")[0].split()) + also


def _unwrapped(text):
    return " ".join(text.split())
