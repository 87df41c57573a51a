"""The plugin of the README, as it stands there: a source of agent configurations that needs no file."""

import re
from pathlib import Path

_README = Path(__file__).parents[2] / "README.md"
(_code,) = [
    code for code in re.findall(r"```python\n(.*?)```", _README.read_text(), re.DOTALL) if "kiro_agents" in code
]
exec(compile(_code, _README, "exec"))
