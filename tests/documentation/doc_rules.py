"""What of the pages is not run as it stands, and why: every other block and command is."""

COVERED = {
    ("README.md", "python"): (1, "test_installation.py"),
    ("start.md", "sh"): (8, "cli/test_start.py"),
    ("deploy.md", "sh"): (2, "deploy/test_settings.py"),
    ("deploy.md", "ini"): (2, "deploy/test_units.py"),
    ("deploy.md", "dockerfile"): (1, "deploy/test_container.py"),
    ("embedding.md", "python"): (4, "test_embedding.py"),
    ("crew.md", "python"): (3, "crew/test_guide.py", "crew/test_members.py"),
    ("crew.md", "text"): (1, "crew/test_guide.py"),
    ("crew.md", "mermaid"): (1, "crew/test_guide.py"),
    ("mcp.md", "json"): (6, "mcp_face/test_documentation.py"),
    ("mcp.md", "toml"): (2, "mcp_face/test_documentation.py"),
    ("testing-plugins.md", "python"): (6, "kit/test_guide.py"),
    ("agents.md", "text"): (1, "documentation/test_pages.py"),
    ("concepts.md", "text"): (1, "documentation/test_pages.py"),
    ("concepts.md", "mermaid"): (1, "documentation/test_pages.py"),
    ("architecture.md", "text"): (1, "documentation/test_pages.py"),
    ("middleware.md", "text"): (1, "middleware/test_guide.py"),
    ("writing-plugins.md", "python"): (9, "skeletons/test_guide.py"),
    ("writing-plugins.md", "toml"): (6, "skeletons/test_guide.py"),
}
"""How many blocks of a language are on a page, and the tests that run all of them or compare them with what is so."""

PARSED = {
    "commands.md": "it has the examples of each command's help; the other pages have the lines that belong together",
}
"""Pages whose commands are parsed only."""

NOT_RUN = {
    "python3 -m venv": "it installs from a registry; .ci/run does that",
    "python -m venv": "it installs from a registry",
    "pip install": "it installs from a registry",
    "pytest": "the tests of a plugin are run where it is made",
    "tox": "it makes environments from a registry",
    "docker": "Docker may not be here",
    "systemctl": "systemd may not be here",
    ".venv/bin/python -m benchmarks": "it takes minutes; tests/test_benchmarks.py runs it",
    ".venv/bin/python tests/documentation/generate.py": "it writes these pages; test_current.py compares them",
    "claude mcp add": "it is another program",
    "kiro-core demo": "tests/cli/test_demo.py runs it",
    "kiro-core chat": "it is a conversation at a terminal; tests/cli/test_chat.py has one",
    "kiro-core acp": "it serves until its editor goes; tests/cli/test_acp_face.py is one",
    "kiro-core mcp serve": "it serves until its host goes; tests/cli/test_mcp_serve.py is one",
    "kiro-core mcp test": "it needs a server; tests/cli/test_mcp.py has some",
    "kiro-core run --require-mcp-startup": "it needs a server; tests/cli/test_mcp.py has some",
    "kiro-core sessions attach": "it needs a session that is open elsewhere; tests/cli/test_chat.py has some",
    "kiro-core crew run notes.toml": "Kiro's own program is not here; tests/crew/test_guide.py runs that crew",
    "kiro-core crew run feature.toml": "tests/crew/test_guide.py runs that crew",
    "kiro-core crew resume": "it needs a run that was cut off; tests/cli/test_crew.py has some",
}
"""How a line begins that is only parsed, if it is a command of ours, and why."""

ENDS = {
    # Nobody is at a terminal to say yes.
    "kiro-core sessions delete 3f2a 81c0": 2,
    "kiro-core sessions prune --older-than 30d": 2,
}
"""Lines that end with another exit code than 0."""


def why_not_run(line):
    """Why a line is not run; empty for one that is."""
    fitting = [begin for begin in NOT_RUN if line == begin or line.startswith(f"{begin} ")]
    return NOT_RUN[max(fitting, key=len)] if fitting else ""
