"""How a desk deals with other desks of its user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sharing:
    """`attach` joins the sessions of others, `standalone` uses no served desk, and `served` says that it is that one.

    `served_at` is where the served desk of the same store listens, if there is one.
    """

    served_at: Path

    attach: bool = True
    standalone: bool = False
    served: bool = False
