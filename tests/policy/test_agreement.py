"""What allows something and what has to be consented to is one list: no folder's document allows anything by itself."""

import pytest
from cases import CONFIGS
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.agentconfig import load, needs_trust
from kiro_core.agentconfig.tools import ALIASES
from kiro_core.agentconfig.toolsettings import OF_TOOL
from kiro_core.errors import AgentConfigInvalid
from kiro_core.policy import compile_policy
from kiro_core.types import AgentConfig

NAMES = [name for tool in OF_TOOL for name in (tool, *ALIASES[tool])] + ["web_search", "@git/log"]
KEYS = sorted({field.alias or name for model in OF_TOOL.values() for name, field in model.model_fields.items()})
VALUES = st.none() | st.booleans() | st.lists(st.sampled_from(["", "a", ".*", "**", "("]), max_size=2)
SETTINGS = st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(KEYS), VALUES), max_size=4)


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """A configuration of a folder with these fields; None for one that is not of the format."""
    folder = tmp_path_factory.mktemp("strange")
    path = folder / "a.json"
    path.write_text("{}")

    def written(fields):
        config = AgentConfig("a", origin=str(path), fields={"name": "a", **fields}, workspace=str(folder))
        try:
            from kiro_core.agentconfig import typed

            typed(config)
        except AgentConfigInvalid:
            return None
        return config

    assert load(path, str(folder)).config is not None
    return written


def allows(config):
    """The rules of the configuration itself by which something happens without a question."""
    rules = compile_policy(config, cwd="/nowhere").recorded()["rules"]
    return [rule["rule"] for rule in rules if rule["effect"] == "allow" and rule["origin"] == "agent"]


def agree(config):
    assert not allows(config) or needs_trust(config)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_allows_something_needs_trust(document, name):
    agree(document(CONFIGS[name]))


@given(SETTINGS)
def test_whatever_the_settings_of_tools_are_what_allows_needs_trust(document, settings):
    if config := document({"toolsSettings": settings}):
        agree(config)


@pytest.mark.parametrize(
    ("tool", "key", "value"), [(tool, key, value) for tool in OF_TOOL for key in KEYS for value in (True, ["a"])]
)
def test_each_setting_alone_that_allows_needs_trust(document, tool, key, value):
    if config := document({"toolsSettings": {tool: {key: value}}}):
        agree(config)


def test_reading_with_aws_is_allowed_where_nothing_is_said_and_needs_trust(document):
    config = document({"toolsSettings": {"use_aws": {}}})
    assert allows(config) == ["toolsSettings.use_aws.autoAllowReadonly"]
    assert needs_trust(config) == ("toolsSettings",)
