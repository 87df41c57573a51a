"""Every promise of the kit has an id that stays, so that a waiver, a mutant and a page can name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])

_ATTRIBUTE = "kiro_promise"


@dataclass(frozen=True, slots=True)
class Promise:
    """What a test of a contract holds a provider to.

    `id` is stable, such as `store.lease.one-owner`; a `core` one cannot be waived; `sentence` is the docstring of the
    `test` (the name of the method), in one line; `contract` is the name of the class that has it.
    """

    id: str
    core: bool
    sentence: str
    test: str
    contract: str = ""


def promise(id: str, *, core: bool = False) -> Callable[[Test], Test]:  # noqa: A002 - what it is called in print
    """Mark a test as a promise; its docstring says what is promised, and why it matters.

    Raises:
        TypeError: the test has no docstring.

    """

    def marked(test: Test) -> Test:
        if not test.__doc__:
            message = f"The promise {id} has no sentence: give {test.__name__} a docstring."
            raise TypeError(message)
        sentence = " ".join(cleandoc(test.__doc__).split())
        setattr(test, _ATTRIBUTE, Promise(id, core, sentence, test.__name__))
        return test

    return marked


def promise_of(test: object) -> Promise | None:
    """The promise that a test holds a provider to, None where it is no test of a contract."""
    found = getattr(test, _ATTRIBUTE, None)
    return found if isinstance(found, Promise) else None


def promises_of(contract: type) -> Iterator[Promise]:
    """What a class promises, in the order in which it is written."""
    for part in contract.__mro__:
        for member in vars(part).values():
            if found := promise_of(member):
                yield Promise(found.id, found.core, found.sentence, found.test, contract.__name__)
