"""Which kinds of records and notices the code makes, read from its calls: each has to be on docs/records.md."""

import ast
from importlib import import_module

from doc_pages import ROOT

WRITING = {"event": 0, "later": 0, "settled": 0, "message": 0, "opening": 1, "record": 0, "_record": 0}
"""The calls that write a record, and which argument is its kind."""
JOURNALS = ("journal", "Journal(db)", "live", "_finding.acting(by)", "self", "")


def calls():
    """Every call of the program: its module, the function's name, what that is called on, arguments and keywords."""
    for folder in (ROOT / "kiro_core", ROOT / "plugins"):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield path, *_called(node), {word.arg: word.value for word in node.keywords}


def _called(call):
    """`partial(f, a)` is a call of `f` too."""
    function, arguments = call.func, call.args
    if getattr(function, "id", "") == "partial":
        function, arguments = arguments[0], arguments[1:]
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name, ast.unparse(function).removesuffix(name).rstrip("."), arguments


def notices():
    """The severities with which each kind of notice is told."""
    found = {}
    for path, name, _, arguments, keywords in calls():
        if name == "Notice" and (kind := _text(arguments[0], path)):
            severity = keywords.get("severity", arguments[2] if len(arguments) > 2 else ast.Constant("warning"))
            found.setdefault(kind, set()).add(_text(severity, path))
    return found


def records():
    """The kinds of records."""
    found = set()
    for path, name, on, arguments, _ in calls():
        if name in WRITING and len(arguments) > WRITING[name] and on.endswith(JOURNALS):
            found.add(_text(arguments[WRITING[name]], path))
    return found - {""}


def _text(node, path):
    """A constant, written there or by its name; empty for what only the running program knows."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Name) and node.id.isupper():
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts[1:] if parts[0] == "plugins" else parts).removesuffix(".__init__")
        return getattr(import_module(module), node.id)
    return ""
