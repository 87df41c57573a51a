"""What is said of each kind of plugin: in its README, its metadata, and to who has just made one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """What stands for `example` is the provider's name.

    `catalog` is where the registry has such providers, `summary` a sentence, `settings` the lines that choose this one,
    `trial` a command that uses it.
    """

    catalog: str
    summary: str
    settings: str
    trial: str


_RUN = 'kiro-core run --engine rehearsal --set {} "Hello"'

ABOUT: Mapping[str, About] = {
    "store": About(
        "stores",
        "A store of kiro_core: sessions in a folder each.",
        'store = { use = "example", root = "~/sessions" }',
        _RUN.format("store=example"),
    ),
    "launcher": About(
        "launchers",
        "A launcher of kiro_core: agent programs as process groups.",
        'launcher = { use = "example", grace_s = 5 }',
        _RUN.format("launcher=example"),
    ),
    "transport": About(
        "transports",
        "A transport of kiro_core, towards agents and clients: each message behind its length.",
        '[engines.mine]\ncommand = ["an-agent-that-speaks-it"]\ntransport = "example"\n\n'
        '[[serve]]\nuse = "example"\nsocket = "~/.kiro/run/example.sock"',
        """kiro-core check --set 'serve=[{use="example", socket="~/.kiro/run/example.sock"}]'""",
    ),
    "agents": About(
        "agents",
        "A source of agent configurations for kiro_core: TOML files in a folder.",
        'agent_sources = ["kiro", { use = "example", folder = "~/agents" }]',
        """kiro-core agents list --set 'agent_sources=["kiro", "example"]'""",
    ),
    "middleware": About(
        "middlewares",
        "A middleware of kiro_core: it refuses prompts that have certain words, and counts what passes.",
        'middlewares = [{ use = "example", words = ["DROP TABLE"] }]',
        """kiro-core run --engine rehearsal --set 'middlewares=["example"]' "Hello\"""",
    ),
}
