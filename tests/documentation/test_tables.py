"""Tables that people write, of what the code has: no field is missing on its page, and none is there too much."""

import re
from dataclasses import fields

import pytest
from doc_pages import ROOT

from kiro_core.agentconfig import AgentFormat
from kiro_core.agentconfig.format import Trigger
from kiro_core.types import SessionInfo


def first_cells(page, head):
    """The names in the first cells of the table that begins so."""
    table = (ROOT / "docs" / page).read_text("utf-8").partition(f"\n{head}")[2].partition("\n\n")[0]
    return [
        name
        for cell in re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE)
        for name in re.findall(r"`([$\w]+)`", cell)
    ]


def written(model):
    """The fields as people write them; of several names the first."""
    return {
        field.alias or getattr(field.validation_alias, "choices", [name])[0]
        for name, field in model.model_fields.items()
    }


@pytest.mark.parametrize(
    ("page", "head", "names"),
    [
        ("sessions.md", "| field of `ID.json` |", {field.name for field in fields(SessionInfo)} | {"epoch"}),
        ("triggers.md", "| field | default |", written(Trigger)),
        ("agents.md", "| field | what it does here |", written(AgentFormat)),
    ],
)
def test_a_table_has_every_field_once(page, head, names):
    told = first_cells(page, head)
    assert (names - set(told), set(told) - names, len(told)) == (set(), set(), len(names))


def test_a_trigger_has_the_defaults_that_are_told():
    page = (ROOT / "docs" / "triggers.md").read_text("utf-8")
    for name, field in Trigger.model_fields.items():
        if isinstance(field.default, int):
            assert f"| `{name}` | {field.default} |" in page
