"""What is generated in the pages, by the NAME in `<!-- NAME: generated -->` and `<!-- NAME: end -->` around it."""

from doc_commands import commands_part
from doc_errors import exit_codes_part
from doc_nouns import constants_part, frame_part, types_part
from doc_options import options_part, providers_part
from doc_ports import hooks_part, port_part, ports_part, provider_part
from doc_run import experiments_part, performance_part
from doc_settings import settings_part
from doc_types import table

from kiro_core.agentconfig.tools import ALIASES
from kiro_core.policy.use import CAPABILITIES
from kiro_core.testing import promises


def promises_part():
    """What the conformance kit promises, `core` in bold."""
    rows = [(f"**`{one.id}`**" if one.core else f"`{one.id}`", one.sentence) for one in promises()]
    return table(("promise", "what it says"), rows)


def tools_part():
    """Kiro's own tools, what else each is called, and the capability that it is of."""
    rows = [
        (f"`{tool}`", ", ".join(f"`{name}`" for name in names), CAPABILITIES.get(tool))
        for tool, names in ALIASES.items()
    ]
    return table(
        ("tool", "other names", "capability"), [(tool, names, f"`{of}`" if of else "") for tool, names, of in rows]
    )


PARTS = {
    "settings": settings_part,
    "providers": providers_part,
    "commands": commands_part,
    "hooks": hooks_part,
    "provider": provider_part,
    "ports": ports_part,
    "types": types_part,
    "constants": constants_part,
    "frame": frame_part,
    "exit-codes": exit_codes_part,
    "promises": promises_part,
    "tools": tools_part,
    "performance": performance_part,
    "experiments": experiments_part,
}
"""Each of these stands somewhere."""

FAMILIES = {"options": options_part, "port": port_part}
"""Those that are about one thing, as in `options-files` or `port-Launcher`; a page has them where it needs them."""


def part(name):
    """The text of one, a line break at its end.

    Raises:
        KeyError: nothing has the name.

    """
    family, _, about = name.partition("-")
    return PARTS[name]() if name in PARTS else FAMILIES[family](about)
