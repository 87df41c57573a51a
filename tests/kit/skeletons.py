"""What `kiro-core new-plugin` writes, where it stands: independent implementations that keep the contracts, too."""

from kiro_core.cli.new_plugin._skeletons.agents.src import kiro_example as agents
from kiro_core.cli.new_plugin._skeletons.launcher.src import kiro_example as launcher
from kiro_core.cli.new_plugin._skeletons.launcher.src.kiro_example.launcher import GroupLauncher
from kiro_core.cli.new_plugin._skeletons.launcher.src.kiro_example.process import GroupProcess
from kiro_core.cli.new_plugin._skeletons.store.src import kiro_example as store
from kiro_core.cli.new_plugin._skeletons.transport.src import kiro_example as transport
from kiro_core.cli.new_plugin._skeletons.transport.src.kiro_example.talk import Talk
from kiro_core.cli.new_plugin._skeletons.transport.src.kiro_example.transport import LengthTransport

__all__ = ["GroupLauncher", "GroupProcess", "LengthTransport", "Talk", "agents", "launcher", "store", "transport"]
