"""The page of types: what passes between the core and its plugins, from its classes and their docstrings."""

import ast
import inspect
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from pkgutil import iter_modules

from doc_ports import literal, members
from doc_types import table
from msgspec import Struct

from kiro_core import Frame, types


def types_part():
    """A section for each, by name: what it is, its fields, and what it can be asked."""
    nouns = {name: getattr(types, name) for name in sorted(types.__all__)}
    return "\n".join(f"### `{name}`\n\n{_noun(noun)}" for name, noun in nouns.items() if _is_noun(noun))


def _is_noun(value):
    return isinstance(value, type) and (is_dataclass(value) or issubclass(value, Struct))


def _noun(noun):
    defaults = {each.name: _default(each) for each in fields(noun)} if is_dataclass(noun) else {}
    rows = [
        (f"`{name}`", f"`{kind}`", defaults.get(name, "required"))
        for name, kind in inspect.get_annotations(noun).items()
    ]
    return f"{inspect.getdoc(noun)}\n\n{table(('field', 'type', 'default'), rows)}{_members(noun)}"


def _default(field):
    if field.default_factory is not MISSING:
        return f"`{literal(field.default_factory())}`"
    if field.default is MISSING:
        return "required"
    kind = type(field.default)
    return f"`{literal(field.default)}`" if kind.__module__ == "builtins" else f"`{kind.__name__}()`"


def _members(noun):
    told = members(noun)
    return "\n" + "\n".join(told) + "\n" if told else ""


def frame_part():
    """What a message is, which all ports take and give."""
    rows = [(f"`{name}`", f"`{kind}`") for name, kind in inspect.get_annotations(Frame).items()]
    return f"{inspect.getdoc(Frame)}\n\n{table(('field', 'type'), rows)}{_members(Frame)}"


def constants_part():
    """The other names: their values, and what is written below each."""
    told = {name: text for module in iter_modules(types.__path__) for name, text in _below(module.name)}
    names = [name for name in sorted(types.__all__) if not _is_noun(getattr(types, name))]
    return table(("name", "value", "what it is"), [(f"`{name}`", *told[name]) for name in names])


def _below(module):
    """Each name that a module assigns, with its value as it is written, and the text behind that."""
    body = ast.parse(Path(import_module(f"{types.__name__}.{module}").__file__).read_text("utf-8")).body
    for one, behind in pairwise(body):
        if isinstance(one, ast.Assign) and isinstance(behind, ast.Expr):
            yield one.targets[0].id, (f"`{ast.unparse(one.value)}`", " ".join(behind.value.value.split()))
