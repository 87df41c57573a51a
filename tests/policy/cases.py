"""Every configuration with every call: what is decided of them has to be the same in every kind of session."""

from dataclasses import dataclass

SERVERS = {"git": (["push"], ["status"]), "hub": ([], [])}
"""The MCP servers of all cases: which tools of each are disabled and which approved."""

FOLDER = {"a.txt": "one\n", "src/b.py": "two\n", "secrets/key": "three\n", "docs/c.md": "four\n"}
"""The files of the session's folder; `link` in it leads to `/etc`, and `src/out` to `secrets`."""

LINKS = {"link": "/etc", "src/out": "../secrets"}


def call(tool, kind, **arguments):
    """A tool call as an agent asks about it that names its tools as Kiro does, such as the rehearsal agent."""
    return {"toolCallId": f"call-{tool}", "title": tool, "kind": kind, "rawInput": arguments}


CALLS = {
    "read a file": call("read", "read", path="a.txt"),
    "read below": call("read", "read", path="src/b.py"),
    "read elsewhere": call("read", "read", path="/etc/hostname"),
    "read up": call("read", "read", path="src/../../other"),
    "read through a link": call("read", "read", path="link/hostname"),
    "read a secret": call("read", "read", path="secrets/key"),
    "read a secret through a link": call("read", "read", path="src/out/key"),
    "read two": call("read", "read", operations=[{"path": "a.txt"}, {"path": "/etc/hostname"}]),
    "search": call("grep", "search", pattern="x"),
    "list elsewhere": call("glob", "search", pattern="/etc/*"),
    "write a file": call("write", "edit", path="a.txt"),
    "write below": call("write", "edit", path="src/b.py"),
    "write up": call("write", "edit", path="src/../a.txt"),
    "write through a link": call("write", "edit", path="src/out/key"),
    "write nobody knows where": call("write", "edit"),
    "git status": call("shell", "execute", command="git status"),
    "git push": call("shell", "execute", command="git push origin"),
    "two commands": call("shell", "execute", command="git status && git push origin"),
    "a hidden command": call("shell", "execute", command="git status $(git push origin)"),
    "a shell in a shell": call("shell", "execute", command="sh -c 'git push origin'"),
    "a redirection": call("shell", "execute", command="git status > a.txt"),
    "a listing": call("shell", "execute", command="ls -l src"),
    "a command that is not told": call("shell", "execute"),
    "fetch": call("web_fetch", "fetch", url="https://docs.example.com/a"),
    "fetch elsewhere": call("web_fetch", "fetch", url="https://evil.example/docs.example.com"),
    "an approved tool": call("@git/status", "other"),
    "a disabled tool": call("@git/push", "other"),
    "a tool": call("@hub/ask", "other"),
    "a subagent": call("subagent", "other", agent_name="helper"),
    "a mystery": call("mystery", "other", path="a.txt"),
}

_PATHS = {"allowedPaths": ["src/**"], "deniedPaths": ["secrets"]}
_COMMANDS = {"allowedCommands": ["git .*"], "deniedCommands": ["git push.*"]}

CONFIGS = {
    "nothing said": {},
    "names": {"allowedTools": ["read", "shell", "@hub"], "excludedTools": ["write", "@git/status"]},
    "patterns": {"allowedTools": ["fs_*", "@git/st*", "@builtin"], "excludedTools": ["web_*"]},
    "some tools": {"tools": ["read", "shell", "@git"], "allowedTools": ["shell"]},
    "paths": {"toolsSettings": {"fs_read": _PATHS, "write": _PATHS}},
    "commands": {"toolsSettings": {"execute_bash": {**_COMMANDS, "autoAllowReadonly": True}}},
    "only these commands": {"toolsSettings": {"shell": {"allowedCommands": ["git status"], "denyByDefault": True}}},
    "trusted but": {"allowedTools": ["shell", "write"], "toolsSettings": {"shell": _COMMANDS, "write": _PATHS}},
    "agents and addresses": {
        "toolsSettings": {
            "subagent": {"availableAgents": ["help*"], "trustedAgents": ["helper"]},
            "web_fetch": {"trusted": [r"https://docs\.example\.com/.*"], "blocked": ["evil"]},
        }
    },
    "rules": {
        "permissions": {
            "rules": [
                {"capability": "shell", "effect": "allow", "match": ["git *"], "exclude": ["git push *"]},
                {"capability": "fs_write", "effect": "allow", "match": ["**"], "exclude": ["secrets/**"]},
                {"capability": "fs_read", "effect": "deny", "match": ["secrets/**"]},
                {"capability": "web_fetch", "effect": "allow", "match": ["docs.example.com"]},
                {"capability": "mcp", "effect": "ask", "match": ["git/*"]},
                {"capability": "subagent", "effect": "deny"},
            ]
        }
    },
}


@dataclass(frozen=True)
class Case:
    """`fields` of an agent configuration and the `call` about which its agent asks."""

    config: str
    asked: str

    @property
    def fields(self):
        return {"name": "case", **CONFIGS[self.config]}

    @property
    def call(self):
        return CALLS[self.asked]

    def __str__(self):
        return f"{self.config}: {self.asked}"


CASES = [Case(config, asked) for config in CONFIGS for asked in CALLS]


def make_folder(root):
    """The session's folder, made in an empty one."""
    for name, text in FOLDER.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    for name, target in LINKS.items():
        (root / name).symlink_to(target)
    return root


EXPECTED = {
    "nothing said": "aa???aa?a????????????????ad???",
    "names": "aaaaaaaaa?dddddaaaaaaaa??dda??",
    "patterns": "aaaaaaaaaaaaaaaaaaaaaaaddad?a?",
    "some tools": "aa???aa?a?dddddaaaaaaaaddaddd?",
    "paths": "aa???dd?a??a?d???????????ad???",
    "commands": "aa???aa?a??????adddd?a???ad???",
    "only these commands": "aa???aa?a??????addddddd??ad???",
    "trusted but": "aa???aa?a?aaad?addddaa???ad???",
    "agents and addresses": "aa???aa?a??????????????adad?a?",
    "rules": "aa???dd?a?aaa??a???????a??d?d?",
}
"""For each configuration, in the order of `CALLS`: allowed, asked (?) or denied."""


def expected(case):
    """What is decided of a case: "allow", "ask" or "deny"."""
    letter = EXPECTED[case.config][list(CALLS).index(case.asked)]
    return {"a": "allow", "?": "ask", "d": "deny"}[letter]
