"""Names of a package that load on first use: a start pays for each module, and needs few of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Loading = Callable[[str], Any]
"""What a package calls for a name that it has not: it takes the name."""


def late(package: str, homes: Mapping[str, str]) -> Loading:
    """The `__getattr__` of a package (PEP 562) whose names live in modules: `homes` has the module of each name.

    Its `dir` has them too.

    A name must not be that of a module of the package too: the module would take its place once it is imported.
    """

    def load(name: str) -> Any:
        if name not in homes:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        found = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    module = vars(sys.modules[package])
    module["__dir__"] = lambda: sorted({*module, *homes})
    return load
