"""Plugins that do not load, or load slowly: each name with its code, and what everybody is told of it.

What authors get wrong most often is here twice: an error at import (`agents-syntax`, `stores-driver`), an async hook
(`agents-async`, `stores-generator`), a wrong yield (`launchers-yield`, `launchers-bare`), a slow import (`SLOW`) and a
name that is taken (`TWINS`). What hangs when it is opened is in `broken_opening`.
"""

from dataclasses import dataclass
from importlib.metadata import version

from kiro_core.specs import KiroSpecs

CORE = version("kiro-core")
HOOKS = ", ".join(sorted(name for name in vars(KiroSpecs) if name.startswith("kiro_")))
YIELD = "Write: yield Provider(name, open, Options, summary)."

HEAD = """
from contextlib import asynccontextmanager
from kiro_core import Provider, hookimpl

@asynccontextmanager
async def opened(options):
    yield
"""


@dataclass(frozen=True)
class Broken:
    """`hook` says what it should have provided; `requires` is what its distribution asks of the core."""

    hook: str
    code: str
    sentence: str
    hint: str
    requires: str = "kiro-core>=0.1"


DECLARED = {
    "agents-async": Broken(
        "kiro_agents",
        HEAD + "@hookimpl\nasync def kiro_agents():\n    return [Provider('agents-async', opened)]\n",
        "kiro_agents is an `async def`.",
        "Hooks are called once, at load; what is asynchronous belongs into what a Provider's `open` returns.",
    ),
    "agents-misspelt": Broken(
        "kiro_agents",
        HEAD + "@hookimpl\ndef kiro_agent():\n    yield Provider('agents-misspelt', opened)\n",
        "there is no hook 'kiro_agent'; did you mean 'kiro_agents'?",
        f"Available: {HOOKS}.",
    ),
    "agents-syntax": Broken(
        "kiro_agents",
        "agents = = 1\n",
        "SyntaxError: invalid syntax (agents_syntax.py, line 1).",
        "",
    ),
    "agents-cancelled": Broken("kiro_agents", "import asyncio\nraise asyncio.CancelledError\n", "CancelledError.", ""),
    "stores-mumbling": Broken(
        "kiro_stores",
        "class Mumble(BaseException):\n    def __str__(self):\n        raise RuntimeError\nraise Mumble\n",
        "Mumble.",
        "",
    ),
    "stores-driver": Broken(
        "kiro_stores",
        "import no_such_driver\n",
        "ModuleNotFoundError: No module named 'no_such_driver'.",
        f"It is for kiro-core >=9, and this is kiro-core {CORE}.",
        requires="kiro-core[testing]>=9",
    ),
    "stores-generator": Broken(
        "kiro_stores",
        HEAD + "@hookimpl\nasync def kiro_stores():\n    yield Provider('stores-generator', opened)\n",
        "kiro_stores is an `async def`.",
        "Hooks are called once, at load; what is asynchronous belongs into what a Provider's `open` returns.",
    ),
    "launchers-yield": Broken(
        "kiro_launchers",
        HEAD + "@hookimpl\ndef kiro_launchers():\n    yield 'launchers-yield', opened\n",
        "kiro_launchers yields a tuple where a Provider belongs.",
        YIELD,
    ),
    "launchers-bare": Broken(
        "kiro_launchers",
        HEAD + "async def bare(_):\n    return 5\n"
        "@hookimpl\ndef kiro_launchers():\n    yield Provider('launchers-bare', bare)\n",
        "kiro_launchers: `open` of 'launchers-bare' is a bare `async def`.",
        "Mark it @asynccontextmanager.",
    ),
    "transports-arguments": Broken(
        "kiro_transports",
        HEAD + "@hookimpl\ndef kiro_transports(config):\n    yield Provider('transports-arguments', opened)\n",
        "kiro_transports takes arguments (config), and hooks get none.",
        "What a backend needs to know stands in the settings: its Provider's `open` gets it as options.",
    ),
    "transports-twice": Broken(
        "kiro_transports",
        HEAD + "@hookimpl\ndef kiro_transports():\n    for _ in range(2):\n"
        "        yield Provider('transports-twice', opened)\n",
        "kiro_transports yields 'transports-twice' twice.",
        "Names are unique.",
    ),
    "transports-options": Broken(
        "kiro_transports",
        HEAD + "@hookimpl\ndef kiro_transports():\n    yield Provider('transports-options', opened, dict)\n",
        "kiro_transports: the options of 'transports-options' are no pydantic model.",
        YIELD,
    ),
    "middlewares-wrapper": Broken(
        "kiro_middlewares",
        HEAD + "@hookimpl(wrapper=True)\ndef kiro_middlewares():\n    return (yield)\n",
        "kiro_middlewares is a wrapper, and there is no call to wrap.",
        YIELD,
    ),
    "middlewares-exit": Broken("kiro_middlewares", "raise SystemExit('bad licence')\n", "SystemExit: bad licence.", ""),
}

TWIN = HEAD + "@hookimpl\ndef kiro_stores():\n    yield Provider('{}', opened)\n"
"""Provides a name that another plugin provides, too."""

TWINS = {"one": TWIN.format("cupboard"), "twin": TWIN.format("cupboard")}

SLOW = {
    "launchers-slow": "import time\ntime.sleep(0.4)\n"
    + HEAD
    + "@hookimpl\ndef kiro_launchers():\n    yield Provider('launchers-slow', opened)\n",
    "stores-slow": HEAD + "@hookimpl\ndef kiro_stores():\n    import time\n    time.sleep(0.4)\n"
    "    yield Provider('stores-slow', opened)\n",
}
"""They work, and take their time to be imported, or to say what they provide."""
