"""The agent programs that are run for real, and what makes each of them speak to a model on this machine."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    """One agent program, as the engine of the same name; `package` is pinned as its registry writes it.

    `shell` is the tool by which its model runs a command, and the argument that is the command. In the
    values of `env` and in `files`, by their path in the test's home, `{url}` stands for the model's address
    and `{home}` for the home. `command` is there where the engine's own does not do.

    Those that do not ask before every command do it before a dangerous one, or in `asking_mode` when the
    model adds the arguments `leaving` to leave the sandbox.
    """

    package: str
    shell: tuple[str, str]
    env: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    asks: bool = True
    asking_mode: str = ""
    leaving: dict[str, str] = field(default_factory=dict)
    client_terminals: bool = False
    sees: bool = True
    goes_on: bool = True

    @property
    def from_npm(self):
        """Whether the package is of the npm registry, else of PyPI."""
        return "==" not in self.package


_VIBE = """\
active_model = "faked"
enable_update_checks = false
enable_telemetry = false
enable_auto_update = false
[[providers]]
name = "faked"
api_base = "{url}/v1"
api_style = "openai"
backend = "generic"
[[models]]
name = "faked"
provider = "faked"
alias = "faked"
supports_images = true
"""
_OPENCODE = {
    "model": "faked/faked",
    "small_model": "faked/faked",
    "share": "disabled",
    "autoupdate": False,
    "permission": {"bash": "ask"},
    "provider": {
        "faked": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": "{url}/v1", "apiKey": "none"},
            "models": {
                "faked": {
                    "attachment": True,
                    "modalities": {"input": ["text", "image"], "output": ["text"]},
                    "tool_call": True,
                    "limit": {"context": 100000, "output": 4000},
                }
            },
        }
    },
}
_GEMINI = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"disableAutoUpdate": True, "disableUpdateNag": True},
    "privacy": {"usageStatisticsEnabled": False},
    "model": {"name": "gemini-2.5-flash"},  # else it asks a model which model to ask
}
_QWEN = {
    "tools": {"approvalMode": "default"},
    "general": {"enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
    "memory": {"enableManagedAutoMemory": False},
}
_CODEX = """\
model = "faked"
model_provider = "faked"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.faked]
name = "faked"
base_url = "{url}/v1"
wire_api = "responses"
requires_openai_auth = false
"""
_HERMES = """\
model:
  default: faked
  provider: custom
  base_url: "{url}/v1"
  api_key: none
  context_length: 100000
"""

PROGRAMS = {
    "fast-agent": Program(
        "fast-agent-mcp==0.10.46",
        ("execute", "command"),
        {"GENERIC_BASE_URL": "{url}/v1", "GENERIC_API_KEY": "none"},
        command=("fast-agent-acp", "--model", "generic.faked", "--shell"),
        client_terminals=True,
        sees=False,  # it leaves an image out for a model that it does not know
    ),
    "vibe": Program(
        "mistral-vibe==3.0.2", ("bash", "command"), {"VIBE_HOME": "{home}/vibe"}, {"vibe/config.toml": _VIBE}
    ),
    "hermes": Program(
        "hermes-agent[acp]==0.19.0",
        ("terminal", "command"),
        {"HERMES_HOME": "{home}/hermes"},
        {"hermes/config.yaml": _HERMES},
        asks=False,
    ),
    "opencode": Program(
        "opencode-ai@1.18.33",
        ("bash", "command"),
        {"OPENCODE_CONFIG": "{home}/opencode.json", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
        {"opencode.json": json.dumps(_OPENCODE)},
    ),
    "claude": Program(
        "@agentclientprotocol/claude-agent-acp@0.100.0",
        ("Bash", "command"),
        {
            "ANTHROPIC_BASE_URL": "{url}",
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
    ),
    "codex": Program(
        "@agentclientprotocol/codex-acp@2.6.0",
        ("exec_command", "cmd"),
        {"CODEX_HOME": "{home}/codex"},
        {"codex/config.toml": _CODEX},
        asks=False,
        asking_mode="workspace-write",
        leaving={"sandbox_permissions": "require_escalated", "justification": "It is a test."},
    ),
    "gemini": Program(
        "@google/gemini-cli@0.61.0",
        ("run_shell_command", "command"),
        {
            "GEMINI_API_KEY": "none",
            "GOOGLE_GEMINI_BASE_URL": "{url}",
            "GEMINI_CLI_NO_RELAUNCH": "true",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        },
        {".gemini/settings.json": json.dumps(_GEMINI)},
        goes_on=False,  # it does not find a session again within the minute in which it was saved
    ),
    "qwen": Program(
        "@qwen-code/qwen-code@0.24.4",
        ("run_shell_command", "command"),
        {"OPENAI_BASE_URL": "{url}/v1", "OPENAI_API_KEY": "none", "OPENAI_MODEL": "faked"},
        {".qwen/settings.json": json.dumps(_QWEN)},
        sees=False,  # nor does this one send it
    ),
    "kimi": Program(
        "@moonshot-ai/kimi-code@2.1.0",
        ("Bash", "command"),
        {
            "KIMI_MODEL_NAME": "faked",
            "KIMI_MODEL_API_KEY": "none",
            "KIMI_MODEL_BASE_URL": "{url}/v1",
            "KIMI_MODEL_PROVIDER_TYPE": "openai",
        },
        client_terminals=True,
    ),
}
