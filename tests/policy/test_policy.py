"""Who may say what an agent does, and whose word goes before whose."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.agentconfig.format import PermissionRule
from kiro_core.engines import load_engines
from kiro_core.policy import ToolUse, compile_policy
from kiro_core.settings import load_settings
from kiro_core.types import AgentConfig


def rule(capability, effect, *match, exclude=()):
    return PermissionRule(capability=capability, effect=effect, match=list(match), exclude=list(exclude))


def test_deny_beats_ask_and_ask_beats_allow(policy, use):
    asked = {"permissions": {"rules": [{"capability": "shell", "effect": "ask"}]}, "allowedTools": ["shell", "read"]}
    assert policy(asked).decide(use("shell", command="ls")).effect == "ask"
    denied = {**asked, "excludedTools": ["shell"]}
    assert policy(denied).decide(use("shell", command="ls")).effect == "deny"
    assert policy(denied).decide(use("read", path="/x")).effect == "allow"


def test_an_exact_rule_is_named_before_a_pattern_whatever_their_order(policy, use):
    for names in (["sh*", "shell"], ["shell", "sh*"]):
        assert policy({"allowedTools": names}).decide(use("shell", command="ls")).rule == 'allowedTools "shell"'
        assert policy({"excludedTools": names}).decide(use("shell", command="ls")).rule == 'excludedTools "shell"'


@pytest.mark.parametrize("name", ["read", "fs_read", "fsRead", "fs_*", "r?ad", "@builtin"])
def test_a_tool_is_named_by_any_of_its_names(policy, use, name):
    assert policy({"allowedTools": [name]}).decide(use("read", path="/x")).effect == "allow"


@pytest.mark.parametrize("name", ["Read", "*", "@read", "rea", "@mcp", "@git"])
def test_other_names_are_not_its(policy, use, name):
    assert policy({"allowedTools": [name]}).decide(use("read", path="/x")).effect == "ask"


@pytest.mark.parametrize("name", ["@git", "@git/push", "@git/p*", "@g*/push", "@mcp"])
def test_tools_of_servers_are_named_with_it_or_by_it(policy, use, name):
    assert policy({"excludedTools": [name]}).decide(use("@git/push")).effect == "deny"


def test_an_alias_means_the_tool_that_it_renames(policy, use):
    fields = {"toolAliases": {"@git/push": "publish"}, "excludedTools": ["publish"]}
    assert policy(fields).decide(use("@git/push")).effect == "deny"


def test_several_names_of_one_tool_in_the_settings_are_one(policy, use):
    settings = {
        "shell": {"deniedCommands": ["rm .*"]},
        "execute_bash": {"deniedCommands": ["mv .*"], "allowedCommands": ["ls"]},
    }
    decided = policy({"toolsSettings": settings}).decide
    assert [decided(use("shell", command=text)).effect for text in ("rm x", "mv x y", "ls")] == [
        "deny",
        "deny",
        "allow",
    ]


def test_every_path_of_a_call_has_to_be_allowed_and_one_that_is_denied_is_enough(policy, use):
    decided = policy({"toolsSettings": {"write": {"allowedPaths": ["src", "docs"], "deniedPaths": ["secrets"]}}}).decide
    assert decided(use("write", paths=["src/b.py", "docs/c.md"])).effect == "allow"
    assert decided(use("write", paths=["src/b.py", "a.txt"])).effect == "ask"
    assert decided(use("write", paths=["src/b.py", "secrets/key"])).effect == "deny"


def test_what_may_not_be_read_may_not_be_searched_either(policy, use):
    decided = policy({"toolsSettings": {"read": {"deniedPaths": ["secrets"]}}}).decide
    assert decided(use("grep", path="secrets", pattern="x")).effect == "deny"


def test_an_expression_that_cannot_be_read_denies_all_and_allows_nothing(policy, use):
    shell = {"toolsSettings": {"shell": {"allowedCommands": ["("], "deniedCommands": []}}}
    assert policy(shell).decide(use("shell", command="(")).effect == "ask"
    shell = {"toolsSettings": {"shell": {"deniedCommands": ["("]}}}
    assert policy(shell).decide(use("shell", command="ls")).effect == "deny"


@pytest.mark.parametrize(
    "url", ["https://docs.example.com/a", "http://docs.example.com:80/", "https://docs.example.com"]
)
def test_an_address_is_judged_by_its_host(policy, use, url):
    assert (
        policy(operator=[rule("web_fetch", "allow", "*.example.com")]).decide(use("web_fetch", url=url)).effect
        == "allow"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/docs.example.com",
        "https://docs.example.com@evil.example/",
        "https://evil.example\\@docs.example.com/",
        "https://evil.example#docs.example.com",
        "https://evil.example/ docs.example.com",
        "ftp://docs.example.com/",
        "//docs.example.com",
        "https://[docs.example.com",
        "",
    ],
)
def test_no_other_address_looks_like_it(policy, use, url):
    decided = policy(operator=[rule("web_fetch", "allow", "docs.example.com")]).decide(use("web_fetch", url=url))
    assert decided.effect == "ask"


def test_an_aws_service_is_allowed_denied_or_only_read(policy, use):
    decided = policy({"toolsSettings": {"use_aws": {"allowedServices": ["s3"], "deniedServices": ["iam"]}}}).decide
    asked = [
        ("s3", "delete-object"),
        ("iam", "list-users"),
        ("ec2", "describe-instances"),
        ("ec2", "terminate-instances"),
    ]
    effects = [decided(use("aws", service_name=name, operation_name=what)).effect for name, what in asked]
    assert effects == ["allow", "deny", "allow", "ask"]


def test_a_rule_for_all_holds_for_every_capability(policy, use):
    decided = policy(operator=[rule("all", "deny", "/etc/**", "rm *", "evil.example", "git/push", "helper")]).decide
    uses = [
        use("read", path="/etc/x"), use("write", path="link/x"), use("shell", command="ls; rm x"), use("@git/push"),
        use("web_fetch", url="https://evil.example"), use("subagent", agent="helper"), use("mystery", path="/etc/x"),
    ]  # fmt: skip
    assert [decided(each).effect for each in uses] == ["deny"] * len(uses)
    assert decided(use("shell", command="ls")).effect == "ask"
    assert policy(operator=[rule("all", "deny")]).decide(ToolUse()).effect == "deny"


def test_what_is_excluded_from_a_denial_has_to_be_seen_for_certain(policy, use):
    decided = policy({"allowedTools": ["shell"]}, operator=[rule("shell", "deny", exclude=["git *"])]).decide
    asked = ["git status", "git status; ls", "git $(ls)", "ls"]
    assert [decided(use("shell", command=text)).effect for text in asked] == ["allow", "deny", "deny", "deny"]


def test_a_glob_with_a_last_blank_and_star_is_the_command_alone_too(policy, use):
    decided = policy(operator=[rule("shell", "allow", "npm *")]).decide
    assert [decided(use("shell", command=text)).effect for text in ("npm", "npm i", "npmx")] == [
        "allow",
        "allow",
        "ask",
    ]


def test_the_operators_rules_come_from_the_settings(policy, use):
    text = '[{"capability": "shell", "effect": "deny", "match": ["rm *"]}]'
    settings = load_settings(environ={"HOME": "/", "KIRO_CORE_PERMISSIONS": text})
    decision = policy(operator=settings.permissions).decide(use("shell", command="rm x"))
    assert (decision.effect, decision.origin) == ("deny", "settings")
    assert decision.reason == 'The operator denies it: permissions deny shell "rm *".'


def test_trusted_tools_are_the_only_ones_that_the_flag_leaves(policy, use):
    fields = {"allowedTools": ["read"], "excludedTools": ["write"]}
    only = policy(fields, trust_tools=["shell", "write"])
    effects = [only.decide(use(tool, path="a.txt", command="ls")).effect for tool in ("shell", "read", "write")]
    assert effects == ["allow", "ask", "deny"]
    assert policy(fields, trust_tools=[]).decide(use("read", path="a.txt")).effect == "ask"
    assert policy(fields, trust_tools=["*"]).decide(use("shell", command="ls")).effect == "ask"


def test_trust_in_everything_holds_for_the_unknown_where_nothing_is_denied(policy, use):
    assert policy(trust_all=True).decide(use("mystery")).effect == "allow"
    assert policy({"excludedTools": ["write"]}, trust_all=True).decide(use("mystery")).effect == "ask"
    guarded = policy({"excludedTools": ["write"]})
    assert policy(trust_all=True, parent=guarded).decide(use("mystery")).effect == "ask"


def test_trust_in_everything_asks_about_commands_that_may_hide_what_is_denied(policy, use):
    decided = policy({"toolsSettings": {"shell": {"deniedCommands": ["rm .*"]}}}, trust_all=True).decide
    asked = ["make", "cd x && make", "make $(cat x)", "rm x"]
    assert [decided(use("shell", command=text)).effect for text in asked] == ["allow", "allow", "ask", "deny"]


def test_tools_of_a_clients_server_need_not_be_listed(policy, use):
    assert policy({"tools": ["read"]}, also=["@hub"]).decide(use("@hub/ask")).effect == "ask"
    assert policy({"tools": ["read"]}).decide(use("@hub/ask")).effect == "deny"
    assert policy({"tools": ["*"]}).decide(use("@hub/ask")).effect == "ask"
    assert policy({"tools": []}).decide(use("mystery")).effect == "deny"


def test_all_tools_of_a_server_can_be_approved_or_disabled(policy, use):
    assert policy(servers={"git": ([], ["*"])}).decide(use("@git/push")).effect == "allow"
    assert policy(servers={"git": (["*"], ["push"])}).decide(use("@git/push")).effect == "deny"


@pytest.mark.parametrize(
    ("asked", "again", "other"),
    [
        (("shell", {"command": "make; ls"}), {"command": "make; ls"}, {"command": "make; ls "}),
        (("write", {"path": "src/b.py"}), {"path": "src/../src/b.py"}, {"path": "src"}),
        (("write", {"paths": ["a.txt", "src/b.py"]}), {"paths": ["src/b.py", "a.txt"]}, {"path": "a.txt"}),
        (("web_fetch", {"url": "https://x/a"}), {"url": "https://x/a"}, {"url": "https://x/b"}),
        (("@git/push", {"to": "here"}), {"to": "there"}, None),
    ],
)
def test_an_answer_for_always_holds_for_the_same_again(policy, use, asked, again, other):
    tool, arguments = asked
    for kind, effect in (("allow_always", "allow"), ("reject_always", "deny")):
        answer = json.loads(json.dumps(policy().remember(use(tool, **arguments), kind, {})))
        resumed = policy(answers=[answer])
        decision = resumed.decide(use(tool, **again))
        assert (decision.effect, decision.origin) == (effect, "client")
        assert other is None or resumed.decide(use(tool, **other)).effect == "ask"


def test_an_answer_holds_at_once_in_the_session_and_below_it(policy, use):
    parent = policy({"allowedTools": ["shell"]})
    child = policy({"allowedTools": ["shell"]}, parent=parent)
    make = use("shell", command="make")
    assert child.decide(make).effect == "allow"
    parent.learn(parent.remember(make, "reject_always", {}))
    assert (parent.decide(make).effect, child.decide(make).effect) == ("deny", "deny")


def test_an_answer_for_always_does_not_beat_a_denial(policy, use):
    fields = {"toolsSettings": {"shell": {"deniedCommands": ["rm .*"]}}}
    answer = policy().remember(use("shell", command="rm x"), "allow_always", {})
    assert policy(fields, answers=[answer]).decide(use("shell", command="rm x")).effect == "deny"


@pytest.mark.parametrize("kind", ["allow_once", "reject_once", "", "x"])
def test_an_answer_for_once_is_not_remembered(policy, use, kind):
    assert policy().remember(use("read", path="/x"), kind, {}) == {}


def test_what_cannot_be_recognised_again_is_not_remembered(policy, use):
    for unknown in (use("mystery"), use("shell"), use("write"), use("web_fetch")):
        assert policy().remember(unknown, "allow_always", {}) == {}


def test_a_refusal_of_something_unknown_is_remembered_by_its_name(policy, use):
    answer = policy().remember(use("mystery"), "reject_always", {})
    assert policy(answers=[answer]).decide(use("mystery")).effect == "deny"
    assert policy(answers=[answer]).decide(use("miracle")).effect == "ask"


def test_an_answer_is_as_wide_as_the_trust_that_was_chosen(policy, use):
    option = {"label": "Base command", "display": "df *", "setting_key": "allowedCommands", "patterns": ["df( .*)?"]}
    answer = policy().remember(use("shell", command="df -h"), "allow_always", {"trustOption": option})
    decided = policy(answers=[json.loads(json.dumps(answer))]).decide
    assert [decided(use("shell", command=text)).effect for text in ("df", "df -k", "dfx", "df; ls")] == [
        "allow",
        "allow",
        "ask",
        "ask",
    ]
    option = {"setting_key": "allowedPaths", "patterns": ["src/**"]}
    answer = policy().remember(use("write", path="src/b.py"), "allow_always", {"trustOption": option})
    decided = policy(answers=[answer]).decide
    assert [decided(use("write", path=path)).effect for path in ("src/new", "src/out/key")] == ["allow", "ask"]
    assert decided(use("read", path="/etc/x")).effect == "ask"


@pytest.mark.parametrize(("resource", "wider"), [("src/**", "ask"), ("*", "allow")])
def test_a_consent_of_the_newer_kiro_is_a_rule_of_its_capability(policy, use, resource, wider):
    consent = {"capability": "fs_write", "resource": resource, "scope": "session"}
    answer = policy().remember(use("write", path="src/b.py"), "allow_always", {"kiro": {"consent": consent}})
    decided = policy(answers=[answer]).decide
    assert decided(use("write", path="src/other")).effect == "allow"
    assert decided(use("write", path="/etc/x")).effect == wider


@pytest.mark.parametrize(
    "meta",
    [
        {"trustOption": {"setting_key": "allowedCommands", "patterns": [".*"]}},
        {"trustOption": {"setting_key": "allowedPaths", "patterns": []}},
        {"trustOption": "all"},
        {"kiro": {"consent": {"capability": "shell", "resource": "*", "scope": "session"}}},
        {"kiro": {"consent": {"capability": "fs_write", "scope": "session"}}},
        {"kiro": {"consent": {"capability": "fs_write", "resource": "*", "scope": "invocation"}}},
        {"kiro": 1},
    ],
)
def test_trust_that_does_not_fit_narrows_to_the_very_same(policy, use, meta):
    answer = policy().remember(use("write", path="src/b.py"), "allow_always", meta)
    decided = policy(answers=[answer]).decide
    assert decided(use("write", path="src/b.py")).effect == "allow"
    assert decided(use("write", path="a.txt")).effect == "ask"
    assert decided(use("shell", command="ls")).effect == "ask"


def test_guards_name_what_denies_and_nothing_else(policy):
    assert policy({"allowedTools": ["read"], "toolsSettings": {"shell": {"allowedCommands": ["ls"]}}}).guards == []
    assert policy({"excludedTools": ["write"]}).guards == ['excludedTools "write"']
    below = policy({"tools": ["read"]}, parent=policy(operator=[rule("shell", "deny", "rm *")]))
    assert below.guards == ["tools", 'permissions deny shell "rm *"']


def test_an_engine_passes_by_the_rules_about_which_it_does_not_ask(policy):
    engines = load_engines({})
    guarded = policy(
        {
            "excludedTools": ["@hub"],
            "toolsSettings": {"read": {"deniedPaths": ["x"]}, "shell": {"deniedCommands": ["y"]}},
        }
    )
    read = 'toolsSettings.read.deniedPaths "x"'
    assert guarded.unheard(engines["fast-agent"]) == []
    assert guarded.unheard(engines["claude"]) == [read]
    assert set(guarded.unheard(engines["codex"])) == set(guarded.guards)
    assert guarded.unheard(engines["opencode"]) == []
    assert len(guarded.unheard(replace(engines["opencode"], guard={}))) == 3
    assert policy(operator=[rule("shell", "ask", "rm *")]).unheard(engines["opencode"])
    assert policy({"allowedTools": ["read"]}).unheard(engines["codex"]) == []


def test_the_record_has_every_rule_with_its_origin(policy):
    told = policy({"excludedTools": ["write"]}, trust_all=True, parent=policy()).recorded()
    assert json.loads(json.dumps(told)) == told
    assert told["inherits"]
    assert {"effect": "deny", "rule": 'excludedTools "write"', "origin": "agent"} in told["rules"]
    assert {"effect": "allow", "rule": "--trust-all-tools", "origin": "flag"} in told["rules"]


def test_a_decision_is_told_in_a_sentence_and_recorded(policy, use):
    decision = policy({"toolsSettings": {"shell": {"deniedCommands": ["rm .*"]}}}).decide(use("shell", command="rm x"))
    assert decision.recorded() == {
        "effect": "deny",
        "rule": 'toolsSettings.shell.deniedCommands "rm .*"',
        "origin": "agent",
        "reason": 'The agent configuration denies it: toolsSettings.shell.deniedCommands "rm .*".',
    }
    below = policy(parent=policy({"excludedTools": ["write"]})).decide(use("write", path="x"))
    assert below.reason == 'The session above says: The agent configuration denies it: excludedTools "write".'


tools = st.sampled_from(["read", "write", "shell", "grep", "web_fetch", "@git/push", "@hub/ask", "subagent", ""])
uses = st.builds(
    ToolUse,
    tools,
    paths=st.lists(st.sampled_from(["a", "/etc/x", "../b", "~/c"]), max_size=2).map(tuple),
    command=st.one_of(st.none(), st.sampled_from(["ls", "rm x", "ls; rm x", "$x", "sh -c 'rm x'"])),
    urls=st.lists(st.sampled_from(["https://a.example/", "http://b.example"]), max_size=1).map(tuple),
)
names = st.lists(st.sampled_from(["read", "write", "shell", "*", "@git", "@builtin", "@hub/ask", "web_*"]), max_size=3)
fields = st.fixed_dictionaries(
    {"name": st.just("x")},
    optional={
        "tools": names,
        "allowedTools": names,
        "excludedTools": names,
        "toolsSettings": st.fixed_dictionaries(
            {},
            optional={
                "write": st.just({"allowedPaths": ["**"], "deniedPaths": ["/etc"]}),
                "shell": st.just({"allowedCommands": [".*"], "deniedCommands": ["rm .*"]}),
            },
        ),
    },
)


def compiled(fields, **more):
    return compile_policy(AgentConfig("x", fields=fields), cwd="/nowhere", **more)


@given(uses, fields, names, names, st.booleans())
def test_nothing_that_allows_takes_a_denial_away(use, fields, allowed, trusted, trust_all):
    if compiled(fields).decide(use).effect == "deny":
        wider = {**fields, "allowedTools": [*fields.get("allowedTools", ()), *allowed]}
        operator = [rule("all", "allow")]
        more = compiled(
            wider, operator=operator, trust_all=trust_all, trust_tools=trusted, servers={"git": ([], ["*"])}
        )
        more.learn(more.remember(use, "allow_always", {}))
        assert more.decide(use).effect == "deny"


@given(uses, fields, fields)
def test_a_child_is_never_wider_than_its_parent(use, above, below):
    order = ["allow", "ask", "deny"]
    parent, alone = compiled(above), compiled(below)
    child = compiled(below, parent=parent)
    effects = [policy.decide(use).effect for policy in (parent, alone)]
    assert child.decide(use).effect == max(effects, key=order.index)


@given(uses, fields, names)
def test_what_is_not_identified_is_never_allowed(use, fields, allowed):
    unknown = replace(use, tool="")
    policy = compiled({**fields, "allowedTools": allowed}, operator=[rule("all", "allow")], trust_tools=allowed)
    policy.learn(policy.remember(unknown, "allow_always", {}))
    assert policy.decide(unknown).effect != "allow"
