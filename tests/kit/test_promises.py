"""The promises of the kit are a list that others rely on: each has an id, a sentence and a place in the guide."""

import re
from collections import Counter

import pytest

from kiro_core.testing import promises
from kiro_core.testing.promising import promise


def test_every_promise_has_an_id_of_its_own_and_a_sentence():
    counted = Counter(one.id for one in promises())
    assert [name for name, count in counted.items() if count > 1] == []
    for one in promises():
        assert re.fullmatch(r"(agents|store|launcher|wire|face|middleware)(\.[a-z0-9-]+)+", one.id), one.id
        assert one.sentence.endswith("."), one.id


def test_a_test_without_a_sentence_is_no_promise():
    with pytest.raises(TypeError, match=r"store\.mute has no sentence"):

        @promise("store.mute")
        def test_mute():
            pass
