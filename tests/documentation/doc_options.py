"""What people may set for each bundled provider, from its model of options."""

from importlib.metadata import entry_points

from doc_settings import described
from doc_types import table

from kiro_core.registry import KINDS, Registry

OURS = "kiro-core"


def providers():
    """Each provider of the project's own plugins: the word for its kind, and itself."""
    own = {point.name for point in entry_points(group="kiro_core") if point.dist and point.dist.name == OURS}
    catalogs = {catalog.kind: catalog for catalog in vars(Registry(only=own)).values() if hasattr(catalog, "entries")}
    return [(kind, entry.provider) for kind in KINDS.values() for entry in catalogs[kind].entries.values()]


def providers_part():
    """A section for each, in the order of hooks."""
    return "\n".join(
        f"### {kind.capitalize()} `{provider.name}`\n\n{provider.summary}\n\n{_options(provider)}"
        for kind, provider in providers()
    )


def options_part(name):
    """The table of one provider alone.

    Raises:
        StopIteration: no plugin of the project provides it.

    """
    return _options(next(provider for _, provider in providers() if provider.name == name))


def _options(provider):
    model = provider.model()
    if model is None:
        return "It has no options.\n"
    schema = model.model_json_schema()
    needed, definitions = schema.get("required", ()), schema.get("$defs", {})
    return table(
        ("option", "type", "default", "what it does"),
        [(f"`{name}`", *described(name, each, needed, definitions)) for name, each in schema["properties"].items()],
    )
