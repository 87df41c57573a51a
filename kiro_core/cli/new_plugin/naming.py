"""What a new plugin is called, in all the places that have a name for it, and that nobody else is called so."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kiro_core.errors import KiroError

if TYPE_CHECKING:
    from kiro_core.catalog import Entry

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OURS = "kiro-"

LONGEST = 40
"""So many characters still leave room in the lines of code that have the name."""


@dataclass(frozen=True, slots=True)
class Names:
    """`distribution` is what pip installs, `package` what Python imports, `provider` what people write in settings."""

    distribution: str
    package: str
    provider: str

    @staticmethod
    def of(name: str) -> Names:
        """All names, by that of the distribution.

        Raises:
            KiroError: it is none, or its package could not be imported.

        """
        if not _is_name(name):
            raise KiroError(f"{name!r} cannot be the name of a plugin{_meant(name)}", hint=_HINT)
        names = Names(name, name.replace("-", "_"), name.removeprefix(_OURS))
        if keyword.iskeyword(names.package) or names.package in sys.stdlib_module_names:
            raise KiroError(
                f"{names.package!r} is a name of Python's own.", hint="Put yours in front, as in acme-vault."
            )
        return names


_OTHER = "Choose another name; `kiro-core plugins` lists what is taken."
_HINT = f"Begin with a letter; use {LONGEST} lower-case letters, digits and single dashes at most, as in acme-vault."


def check_free(names: Names, catalog: str) -> None:
    """Make sure that no package has one of the names, and no provider of that `catalog` of the registry.

    Raises:
        KiroError: one has.

    """
    from kiro_core.registry import Registry
    from kiro_core.specs import PROJECT

    # Whatever is wrong with a plugin, it is not the new one's business.
    provided: Mapping[str, Entry] = getattr(Registry(listing=True), catalog).entries
    for point in entry_points(group=PROJECT):
        if point.name == names.provider:
            raise KiroError(f"There is a plugin {point.name!r} already, in {point.module}.", hint=_OTHER)
    if entry := provided.get(names.provider):
        raise KiroError(f"{names.provider!r} is provided already, by {entry.plugin}.", hint=_OTHER)
    if find_spec(names.package):
        raise KiroError(f"There is a package {names.package!r} already.", hint=_OTHER)


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and len(name) <= LONGEST


def _meant(name: str) -> str:
    """The end of the sentence: the nearest name that can be one, if there is any."""
    near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
    return f"; did you mean {near!r}?" if _is_name(near) else "."
