"""The page of all settings: each key with its type, its default, what it does, an example and its variable."""

import json
import shlex
from typing import get_args, get_origin

from doc_types import table, words

from kiro_core.catalog import Choice
from kiro_core.cli.check.schema import settings_schema
from kiro_core.explain import bare
from kiro_core.settings import Settings
from kiro_core.settings.environment import DELIMITER, PREFIX

EXAMPLES = {
    "agent": "review",
    "engine": "kiro",
    "agent_sources": ["kiro", "team"],
    "store": {"use": "files", "root": "~/sessions"},
    "launcher": {"use": "local", "environment": "minimal"},
    "agent_engines": {"review": "codex"},
    "mcp_registry": "https://intranet.example/mcp/registry.json",
    "serve": [{"use": "http", "port": 8080}],
    "mcp": {"use": "mcp", "port": 8383},
    "middlewares": ["redact"],
    "plugins.only": ["acp", "agents", "files", "local"],
    "plugins.block": ["http"],
    "plugins.strict": True,
    "retention.older_than_days": 90,
    "retention.keep": 50,
    "retention.tag": "draft",
    "limits.max_sessions": 50,
    "limits.max_agents": 8,
    "limits.idle_s": 1800,
    "permissions.capability": "shell",
    "permissions.effect": "deny",
    "permissions.match": ["git push *"],
    "permissions.exclude": ["git push --dry-run *"],
    "engines.command": ["/opt/mine/bin/agent", "--acp"],
    "engines.env": {"MINE_REGION": "eu"},
    "engines.unset": ["MINE_DEBUG"],
    "engines.title": "Mine",
    "engines.install": "Ask the team for it.",
    "engines.launcher": "local",
    "engines.agents": "mode",
    "engines.unguarded": ["auto"],
    "engines.unasked": ["fs_read"],
    "engines.guard": {"MINE_ASK": "always"},
    "engines.honours": ["prompt"],
    "engines.lacks": ["model"],
    "engines.tools": {"Bash": "shell"},
    "engines.told": {"name": ["_meta.tool"]},
    "engines.login": ["/opt/mine/bin/agent", "login"],
    "engines.lock": "{kiro_home}/sessions/{session}.lock",
}
"""Where the default is no example; a key that is not here is shown with its default."""

_NAME = "mine"
"""What the engine of the examples is called."""


def settings_part():
    """All of it: the keys at the top, then a section for each table."""
    schema = settings_schema([])
    top, sections = {}, []
    for name, field in Settings.model_fields.items():
        model, holder = _model(field.annotation)
        if model is None:
            top[name] = schema["properties"][name]
        else:
            sections.append(_section(name, model, holder, schema["$defs"]))
    rows = _rows("", top, (), schema["$defs"])
    lines = _lines({name: _example(name, each) for name, each in top.items()}, "")
    return "\n".join([f"## At the top\n\n{rows}\n{_fenced(lines)}", *sections])


def _model(annotation):
    """The model of a table, and what holds it: "" for one table, "dict" for one by name, "list" for several."""
    annotation = bare(annotation)
    holder = get_origin(annotation)
    held = bare(get_args(annotation)[-1]) if holder in (dict, list) else annotation
    model = held if hasattr(held, "model_fields") and held is not Choice else None
    return model, holder.__name__ if holder else ""


def _section(name, model, holder, definitions):
    """The table of settings called so; `holder` as `_model` says."""
    schema = definitions[model.__name__]
    head = {"": f"[{name}]", "dict": f"[{name}.{_NAME}]", "list": f"[[{name}]]"}[holder]
    place = head.strip("[]").replace(_NAME, "NAME")
    rows = _rows(f"{place}.", schema["properties"], schema.get("required", ()), definitions)
    values = {key: _example(f"{name}.{key}", each) for key, each in schema["properties"].items()}
    if holder == "list":
        lines = [f"# {variable(name, [values])}", head, *(f"{key} = {toml(value)}" for key, value in values.items())]
    else:
        lines = [head, *_lines(values, f"{head.strip('[]')}.")]
    about = " ".join(model.__doc__.split())
    return f"## `{head.replace(_NAME, 'NAME')}`\n\n{about}\n\n{rows}\n{_fenced(lines)}"


def _rows(place, properties, needed, definitions):
    return table(
        ("key", "type", "default", "what it is"),
        [(f"`{place}{key}`", *described(key, each, needed, definitions)) for key, each in properties.items()],
    )


def described(key, schema, needed, definitions):
    """Type, default and description of a property, as cells of a table; `needed` are those without a default."""
    default = schema.get("default")
    told = "required" if key in needed else "" if default in (None, "") else f"`{toml(default)}`"
    return words(schema, definitions), told, schema["description"]


def _fenced(lines):
    return "```toml\n" + "\n".join(lines) + "\n```\n"


def _lines(values, place):
    """Lines of TOML, each with its variable behind it."""
    lines = [(f"{key} = {toml(value)}", variable(f"{place}{key}", value)) for key, value in values.items()]
    width = max(len(line) for line, _ in lines)
    return [f"{line:{width}}  # {told}" for line, told in lines]


def _example(key, schema):
    return EXAMPLES.get(key, schema.get("default"))


def variable(key, value):
    """The environment variable that says that the key has the value."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, list) and value and all(isinstance(each, str) and "," not in each for each in value):
        text = ",".join(value)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return f"{PREFIX}{key.replace('.', DELIMITER).upper()}={shlex.quote(text)}"


def toml(value):
    """A value as TOML writes it on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
