"""A glance looks at newcomers only, and is sure or says nothing."""

import pytest

from kiro_core.processes import ProcessMark
from kiro_local import glancing
from kiro_local.belonging import GONE
from kiro_local.glancing import Glances

LEADERS = {"launch": ProcessMark(30, "1", "boot", "here")}


@pytest.fixture
def machine(monkeypatch):
    """`machine(listed={pid: inode}, belongs={pid: launch})`: which processes there are; those looked at, in a list."""
    looked = []

    def there(listed, belongs=None):
        monkeypatch.setattr(glancing, "_listed", lambda: list(listed.items()))
        monkeypatch.setattr(glancing, "launch_of", lambda pid, _: looked.append(pid) or (belongs or {}).get(pid, ""))
        looked.clear()
        return looked

    return there


def test_who_was_there_before_the_launch_is_not_looked_at(machine):
    glances = Glances()
    machine({1: 100, 20: 101})
    glances.meet()
    looked = machine({1: 100, 20: 101, 40: 102})
    assert glances.clear(LEADERS, glances.now)
    assert looked == [40]


def test_who_has_the_number_of_one_that_was_there_is_a_newcomer(machine):
    glances = Glances()
    machine({20: 101})
    glances.meet()
    machine({20: 999}, {20: "launch"})
    assert not glances.clear(LEADERS, glances.now)


def test_who_came_since_the_launch_is_looked_at_also_when_it_was_met_meanwhile(machine):
    glances = Glances()
    machine({1: 100})
    glances.meet()
    since = glances.now
    machine({1: 100, 40: 102})
    assert glances.clear({"other": LEADERS["launch"]}, since)
    looked = machine({1: 100, 40: 102}, {40: "launch"})
    assert not glances.clear(LEADERS, since)
    assert looked == [40]


@pytest.mark.parametrize("belongs", ["launch", GONE])
def test_one_that_belongs_to_it_or_has_just_gone_leaves_it_unsure(machine, belongs):
    glances = Glances()
    machine({40: 102}, {40: belongs})
    assert not glances.clear(LEADERS, glances.now)


def test_a_leader_that_is_still_there_leaves_it_unsure(machine):
    glances = Glances()
    machine({30: 102})
    assert not glances.clear(LEADERS, glances.now)
