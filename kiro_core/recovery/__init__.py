"""How a recorded session goes on after whatever ended it: what was left unfinished, and how an agent remembers."""

from kiro_core.recovery.engine_lock import Moved, free_engine_lock, lock_path
from kiro_core.recovery.ladder import Ladder, Step
from kiro_core.recovery.reading import entries, told
from kiro_core.recovery.recorded import Recorded, recorded
from kiro_core.recovery.retelling import retold
from kiro_core.recovery.unfinished import Unfinished, unfinished
from kiro_core.recovery.untold import Untold, untold

__all__ = [
    "Ladder",
    "Moved",
    "Recorded",
    "Step",
    "Unfinished",
    "Untold",
    "entries",
    "free_engine_lock",
    "lock_path",
    "recorded",
    "retold",
    "told",
    "unfinished",
    "untold",
]
