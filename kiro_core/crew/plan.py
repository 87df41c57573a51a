"""Who waits for whom: the order of a crew's stages, with the loops that can send work back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiro_core.crew.stages import Stage

Graph = Mapping[str, Sequence[str]]
"""By id, the ids of what comes before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The order that follows from dependencies and loops; all ids of a crew that was checked.

    `waits` are the stages that must have ended before one may start: those that it depends on, and of each loop that
    one of these is in and it is not, the stage that sends the work back. `bodies` are, by that stage, all that runs
    again, itself included; `loops` are, of each stage, the stages that may send it back. `order` has each stage behind
    all that it waits for.
    """

    waits: Graph
    bodies: Mapping[str, frozenset[str]]
    loops: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]


def plan(stages: Sequence[Stage]) -> Plan:
    """The plan of stages that were checked.

    Raises:
        ValueError: they wait for each other in a circle.

    """
    bodies = loop_bodies(stages)
    waits = waiting(stages, bodies)
    loops = {stage.id: tuple(end for end in bodies if stage.id in bodies[end]) for stage in stages}
    return Plan(waits, bodies, loops, tuple(TopologicalSorter(waits).static_order()))


def dependencies(stages: Sequence[Stage]) -> Graph:
    """What each stage depends on, each once and only what there is; of two stages with one id the first one's."""
    graph: dict[str, Sequence[str]] = {}
    known = {stage.id for stage in stages}
    for stage in stages:
        graph.setdefault(stage.id, [each for each in dict.fromkeys(stage.depends_on) if each in known])
    return graph


def ancestors(graph: Graph) -> Mapping[str, frozenset[str]]:
    """All that comes before each stage, however far; on a circle a stage comes before itself."""
    found: dict[str, frozenset[str]] = {}
    for stage in graph:
        seen: set[str] = set()
        ahead = list(graph[stage])
        while ahead:
            one = ahead.pop()
            if one not in seen:
                seen.add(one)
                ahead.extend(graph[one])
        found[stage] = frozenset(seen)
    return found


def loop_bodies(stages: Sequence[Stage]) -> Mapping[str, frozenset[str]]:
    """Of each stage with a loop, what runs again: its target, itself, and all between; empty where there is no way."""
    before = ancestors(dependencies(stages))
    bodies: dict[str, frozenset[str]] = {}
    for stage in stages:
        if stage.loop is not None:
            back = {*before[stage.id], stage.id}
            body = frozenset(one for one in back if stage.loop.target in {*before[one], one})
            bodies.setdefault(stage.id, body)
    return bodies


def waiting(stages: Sequence[Stage], bodies: Mapping[str, frozenset[str]]) -> Graph:
    """What each stage waits for; see `Plan.waits`."""
    graph = dependencies(stages)
    return {
        stage: list(
            dict.fromkeys([*before, *(end for end, body in bodies.items() if stage not in body and body & {*before})])
        )
        for stage, before in graph.items()
    }


def circles(graph: Graph) -> Iterator[Sequence[str]]:
    """Circles without a stage in common: each stage depends on the next, and the last one is the first one again."""
    left = dict(graph)
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            first = min(range(len(circle) - 1), key=lambda at: list(graph).index(circle[at]))
            yield [*circle[first:-1], *circle[:first], circle[first]]
            left = {
                stage: [one for one in before if one not in circle]
                for stage, before in left.items()
                if stage not in circle
            }
        else:
            return
