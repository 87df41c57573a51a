"""Whether the stages of a crew fit together: what each refers to is there, comes before it, and can end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from kiro_core.agentconfig.advice import Remark
from kiro_core.crew.plan import ancestors, circles, dependencies, loop_bodies, waiting
from kiro_core.crew.stages import Stage
from kiro_core.crew.template import places
from kiro_core.explain import near_miss

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Known:
    """The names of agent configurations and engines that a crew may use; None: any. An empty name always is.

    `native` are engines that may know other agents besides; "" is among them where that of a stage without one is.
    `no_engine` says, as the end of a sentence, why a stage that names neither engine nor agent gets none; else empty.
    """

    agents: Collection[str] | None = None
    engines: Collection[str] | None = None
    native: Collection[str] = ()
    no_engine: str = ""


Placed = Sequence[tuple[int, Stage]]
"""Stages, each with its number in the document from 0; ids may be there twice or be empty."""


def misfits(placed: Placed, known: Known, *, has_task: bool) -> Iterator[Remark]:
    """All that does not fit."""
    stages = [stage for _, stage in placed]
    first = {stage.id: number for number, stage in reversed(placed)}
    for number, stage in placed:
        where = ("stages", number)
        if first[stage.id] != number and stage.id:
            yield Remark((*where, "id"), f"is the id of stages.{first[stage.id]} already")
        yield from _unknown((*where, "depends_on"), stage.depends_on, "stage", first)
        agents = None if stage.engine in known.native else known.agents
        yield from _unknown((*where, "agent"), filter(None, [stage.agent]), "agent configuration", agents)
        yield from _unknown((*where, "engine"), filter(None, [stage.engine]), "engine", known.engines)
        if known.no_engine and not stage.engine and not stage.agent:
            yield Remark((*where, "engine"), f"is missing, and none can be chosen: {known.no_engine}")
        if stage.when == "any_failed" and not stage.depends_on:
            yield Remark((*where, "when"), "is any_failed, and it depends on no stage that could fail")
    yield from _places(placed, first, has_task=has_task)
    around = list(circles(dependencies(stages)))
    for circle in around:
        yield Remark(("stages", first[circle[0]], "depends_on"), f"leads back to itself: {' -> '.join(circle)}")
    if not around:
        yield from _loops(placed, first)


def _unknown(
    path: tuple[str | int, ...], names: Iterable[str], kind: str, known: Collection[str] | None
) -> Iterator[Remark]:
    for name in dict.fromkeys(names):
        if known is not None and name not in known:
            yield Remark(path, f"names no {kind} that is known: {_shown(name)}{_near(name, known)}")


def _places(placed: Placed, first: Mapping[str, int], *, has_task: bool) -> Iterator[Remark]:
    before = ancestors(dependencies([stage for _, stage in placed]))
    for number, stage in placed:
        for place in dict.fromkeys(places(stage.prompt)):
            reason = ""
            if place.wrong:
                reason = (
                    f"has {_shown(place.wrong)}; there are {{task}}, {{stages.ID.result}}, and {{{{ }}}} for braces"
                )
            elif not place.stage:
                reason = "" if has_task else "has {task}, and there is no task"
            elif place.stage not in first:
                reason = (
                    f"wants the result of a stage that is not known: {_shown(place.stage)}{_near(place.stage, first)}"
                )
            elif place.stage not in before[stage.id]:
                reason = f"wants the result of {place.stage!r}, which it does not depend on"
            if reason:
                yield Remark(("stages", number, "prompt"), reason)


def _loops(placed: Placed, first: Mapping[str, int]) -> Iterator[Remark]:
    stages = [stage for _, stage in placed]
    before = ancestors(dependencies(stages))
    for number, stage in placed:
        if stage.loop is not None and stage.loop.target not in before[stage.id]:
            target = ("stages", number, "loop", "target")
            if stage.loop.target in first:
                yield Remark(target, f"is no stage before this one: {_shown(stage.loop.target)}")
            else:
                yield from _unknown(target, [stage.loop.target], "stage", first)
    bodies = loop_bodies(stages)
    crossing = [pair for pair in combinations(bodies, 2) if _crosses(bodies[pair[0]], bodies[pair[1]])]
    for one, other in crossing:
        reason = f"crosses the loop of {one!r}; let one of the two stages depend on the other"
        yield Remark(("stages", first[other], "loop"), reason)
    for circle in () if crossing else circles(waiting(stages, bodies)):
        way = " -> ".join(circle)
        yield Remark(
            ("stages", first[circle[0]], "depends_on"), f"waits for the end of a loop that waits for it: {way}"
        )


def _crosses(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one & other) and not (one <= other or other <= one)


def _near(name: str, known: Collection[str]) -> str:
    return near_miss(name, known).removesuffix(".")


def _shown(written: str) -> str:
    return repr(written if len(written) <= _LONGEST else f"{written[:_LONGEST]}...")
