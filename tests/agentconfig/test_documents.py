"""Documents that people, programs and strangers wrote: each is a configuration or a sentence about a line."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core.agentconfig import as_markdown, load
from kiro_core.agentconfig.document import parse_document
from kiro_core.agentconfig.format import AgentFormat
from kiro_core.agentconfig.reading import Unreadable
from kiro_core.cli.agents.problems import problem_line
from kiro_core.errors import AgentConfigInvalid

FIELDS = [field.alias or name for name, field in AgentFormat.model_fields.items()]
FIELDS += ["includeMcpJson", "useLegacyMcpJson", "systemPrompt"]
INNER = ["read", "shell", "rules", "stop", "command", "capability", "effect", "type", "deniedPaths", "url", "timeout"]

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    leaves | st.sampled_from(["file://x", "knowledgeBase", "deny", "*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER) | st.text(), inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=20), values, max_size=6)


@settings(max_examples=300, deadline=None)
@given(documents)
def test_any_json_in_any_field_is_a_configuration_or_problems_of_one_line(tmp_path_factory, fields):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(fields, indent=1))
    loaded = load(path)
    assert (loaded.config is None) == any(problem.severity == "error" for problem in loaded.problems)
    for problem in loaded.problems:
        assert problem_line(problem).isprintable()
        assert 0 <= problem.line <= len(path.read_text().splitlines())


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text(alphabet="-: \n[]{}&*!|>'\"#ab0.,?%@", max_size=60))
def test_any_text_is_fields_or_a_sentence(free, structured):
    for text in (free, structured, f"---\n{free}\n---\nbody", f"---\n{structured}\n---\n"):
        for suffix in (".json", ".md"):
            with suppress(Unreadable):
                fields = parse_document(text, suffix).fields
                assert json.loads(json.dumps(fields)) == fields


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), values, max_size=5))
def test_what_is_written_as_markdown_is_read_as_the_same_or_refused(fields):
    try:
        text = as_markdown(fields)
    except AgentConfigInvalid:
        return
    kept = {key: value for key, value in fields.items() if key != "prompt" or value}
    read = parse_document(text, ".md").fields
    assert {key: value for key, value in read.items() if key != "prompt"} == {
        key: value for key, value in kept.items() if key != "prompt"
    }


MARKDOWN = """---
description: Backend # a remark
tools: [read, "write"]
on: no
count: 010
hooks:
  stop:
    - command: |
        echo a
        echo b
---

You are kind.

And brief.
"""


def test_front_matter_has_the_values_of_json_and_the_text_is_the_prompt():
    written = parse_document(MARKDOWN, ".md")
    assert written.fields == {
        "description": "Backend",
        "tools": ["read", "write"],
        "on": "no",
        "count": 10,
        "hooks": {"stop": [{"command": "echo a\necho b\n"}]},
        "prompt": "You are kind.\n\nAnd brief.",
    }
    lines = {"description": 2, "tools": 3, "prompt": 13}
    assert {field: written.line([field]) for field in lines} == lines
    assert written.line(["hooks", "stop", 0, "command"]) == 8
    assert written.line(["nowhere"]) == 0


def test_lines_are_told_with_the_line_ends_of_other_systems_too():
    assert parse_document(MARKDOWN.replace("\n", "\r\n"), ".md").line(["hooks", "stop", 0]) == 8


@pytest.mark.parametrize(
    ("front", "reason", "line"),
    [
        ("a: &x 1\nb: *x\n", "alias", 3),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "stands there twice", 5),
        ("a: !!binary aGk=\n", "which JSON has not", 2),
        ("a: !!python/object:os.system x\n", "which JSON has not", 2),
        ("- a\n", "not a mapping", 2),
        ("? [a]\n: 1\n", "a key that is not text", 2),
        ("a: b: c\n", "not YAML", 2),
        ("a: [\n", "not YAML", 3),
        ("a: " + "[" * 60_000 + "\n", "nested too deep", 1),
        ("a: " + "1" * 5000 + "\n", "too long", 2),
        ("a: 1e999\n", "JSON cannot", 0),
        ("prompt: x\n", "besides the text", 2),
        ("a: " + "x" * 70_000 + "\n", "more than 65536 characters", 1),
    ],
)
def test_what_yaml_has_and_json_has_not_is_refused_with_its_line(front, reason, line):
    with pytest.raises(Unreadable, match=reason) as caught:
        parse_document(f"---\n{front}---\nbody\n", ".md")
    assert caught.value.line == line


@pytest.mark.parametrize("text", ["", "# A prompt\n", "--- x\n", "text\n---\n---\n"])
def test_a_text_without_front_matter_is_known_as_one(text):
    with pytest.raises(Unreadable, match="no front matter") as caught:
        parse_document(text, ".md")
    assert caught.value.is_text


def test_front_matter_without_an_end_is_a_mistake_and_no_text():
    with pytest.raises(Unreadable, match="without an end") as caught:
        parse_document("---\na: 1\n", ".md")
    assert not caught.value.is_text


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ('{"a": 1,\n "a": 2}', "a", 2),
        ('{"b": [{"c": 1,\n\n"c": 1}]}', "c", 3),
        ('{"a": ' + "[" * 200 + '{"d":1,"d":2}' + "]" * 200 + "}", "d", 0),
    ],
)
def test_a_key_that_stands_there_twice_is_refused_since_programs_disagree_on_it(text, field, line):
    with pytest.raises(Unreadable, match="twice") as caught:
        parse_document(text, ".json")
    assert (caught.value.field, caught.value.line) == (field, line)
