"""What can be set: each option does what the documentation says, and what cannot work is refused in a sentence."""

import re
import time
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from kiro_core import Registry, load_settings
from kiro_redact.builtin import BUILTIN
from kiro_redact.options import RedactOptions
from kiro_redact.redactor import Redactor

PAGE = (Path(__file__).parents[2] / "docs" / "redact.md").read_text()
RANDOM = "Zx8cV5bN2mQ7wE4rT1yU6iO9pA3s"
JWT = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{RANDOM}"


def redactor(environment=(), **options):
    return Redactor(RedactOptions(**options), dict(environment))


def test_the_settings_of_the_documentation_do_what_they_say():
    settings = load_settings(tomllib.loads(re.search("```toml\n(.*?)```", PAGE, re.DOTALL)[1]))
    (chosen,) = settings.middlewares
    options = Registry().middlewares.get(chosen.use).provider.validated(chosen.options)
    shown = Redactor(options, {"VAULT_ADDRESS": "vault-at-home"})
    said = f"vault-at-home acme_live_0123456789abcdef {RANDOM}"
    assert shown.value(said) == "[redacted: environment] acme_live_[redacted: acme key] [redacted: random text]"
    assert "[redacted: jwt]" not in shown.value(JWT)


def test_the_documentation_names_every_kind():
    told = PAGE.split("## Where")[0]
    named = {kind.name for kind in BUILTIN} | {"environment", "random text"}
    assert {name for name in named if f"`{name}`" not in told} == set()


def test_a_mask_of_ones_own():
    assert redactor(mask="[***]").value("password=hunter2hunter2") == "password=[***]"
    assert redactor(mask="[no {kind} here]").value("password=hunter2hunter2") == "password=[no secret here]"


def test_a_pattern_of_ones_own_is_found_in_pieces_too():
    own = redactor(patterns={"acme key": {"begins": "acme_", "of": "a-f0-9", "least": 6}})
    assert own.value("acme_00ff00, acme_00ff, acme_zzzzzz") == "acme_[redacted: acme key], acme_00ff, acme_zzzzzz"
    stream = own.stream()
    assert "".join([*map(stream.feed, "acme_00ff00."), stream.flush()]) == "acme_[redacted: acme key]."


def test_a_kind_that_is_allowed_is_not_looked_for():
    assert redactor(allow=["github token"]).value("ghp_" + "a1B2" * 9) == "ghp_" + "a1B2" * 9


def test_variables_are_named_by_globs_in_any_case():
    environment = {"a_token": "one-two-three", "CI_KEY": "four-five-six", "PLAIN": "seven-eight"}
    said = "one-two-three four-five-six seven-eight"
    assert redactor(environment).value(said) == "[redacted: environment] four-five-six seven-eight"
    assert redactor(environment, env=["*_KEY", "PL?IN"]).value(said) == (
        "one-two-three [redacted: environment] [redacted: environment]"
    )
    assert redactor(environment, env=[]).value(said) == said


def test_what_is_short_or_a_path_is_no_value(tmp_path):
    environment = {"A_TOKEN": "short", "B_TOKEN": str(tmp_path), "C_TOKEN": "", "D_TOKEN": "/not/there"}
    said = f"short {tmp_path} /not/there"
    assert redactor(environment).value(said) == f"short {tmp_path} [redacted: environment]"


def test_values_are_found_as_they_are_written_elsewhere():
    shown = redactor({"A_TOKEN": 'p&s "word"/é'})
    for written in ('p&s "word"/é', r"p&s \"word\"/é", "p%26s%20%22word%22%2F%C3%A9"):
        assert shown.value(f"<{written}>") == "<[redacted: environment]>"


@pytest.mark.parametrize("word", ["redacted", "environment", "password", "[redacted", "google token"])
def test_a_word_of_the_masks_is_no_value(word):
    shown = redactor({"REDIS_PASSWORD": word, "MY_TOKEN": "one-two-three"})
    once = shown.value(f"{word} one-two-three")
    assert once == f"{word} [redacted: environment]"
    assert shown.value(once) == once
    stream = shown.stream()
    assert stream.feed(f"[redacted: environment] {word} ") + stream.flush() == f"[redacted: environment] {word} "


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        # What stands across the end of a mask, and what is the name in front of a text under a key.
        ({"A_TOKEN": "t]abcdefgh", "B_TOKEN": "hunter2hunter2"}, {}),
        ({"A_TOKEN": "PASSWORD="}, {}),
        ({}, {"patterns": {"x": {"begins": "e[red", "of": "a-z", "least": 3}}}),
        ({"A_TOKEN": "e[redacted: environment", "B_TOKEN": "hunter2hunter2"}, {}),
    ],
)
def test_masks_are_no_text_to_be_searched(environment, options):
    shown = redactor(environment, **options)
    said = ["hunter2hunter2abcdefgh", "e" * 9 + "[redacted: environment]abcdefgh"]
    once = shown.value({"password": said[0], "x": said})
    assert once["password"].startswith("[redacted: ")
    assert shown.value(once) == once


def test_the_values_of_long_variables_cost_little():
    key = "\n".join(["-----BEGIN", *["a1B2c3D4" * 8] * 50])
    begun = time.process_time()
    plain = _streamed(redactor())
    usual = time.process_time() - begun
    begun = time.process_time()
    assert _streamed(redactor({"A_SECRET": key})) == plain
    assert time.process_time() - begun < 5 * usual + 0.3


def _streamed(chosen):
    stream = chosen.stream()
    return "".join([*map(stream.feed, ["ghp_", *["a"] * 3000, *["word "] * 2000]), stream.flush()])


@pytest.mark.parametrize("at", [1, 7, 8, 9, 20, 3000])
def test_what_may_be_the_beginning_of_a_value_is_held_back(at):
    value = "-----BEGIN\n" + "a1B2c3D4\n" * 400 + "end"
    stream = redactor({"A_SECRET": value}).stream()
    assert stream.feed(f"x {value[:at]}") == "x "
    assert stream.feed(value[at:]) == "[redacted: environment]"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mask": "no brackets"}, "pattern"),
        ({"mask": "[TOKEN=abcdefgh]"}, "pattern"),
        ({"patterns": {"x": {"begins": "a"}}}, "pattern"),
        ({"patterns": {"x": {"begins": "acme_", "of": "[^a]"}}}, "name characters and ranges such as `A-Za-z0-9_-`"),
        ({"patterns": {"x": {"begins": "acme_", "of": "z-a"}}}, "name characters and ranges such as `A-Za-z0-9_-`"),
        ({"patterns": {"x": "(a+)+"}}, "dictionary"),
        ({"mask": "[authorization: redacted-by-policy]"}, "a mask would be taken for a secret: 'credentials'"),
        ({"patterns": {"x": {"begins": "[red", "of": "a-z", "least": 3}}}, "a mask would be taken for a secret: 'x'"),
        ({"allow": ["jtw"]}, "no kind is called 'jtw'; there are: api key, aws key"),
        ({"entropy": 9}, "less than or equal to 6"),
        ({"verbose": True}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused(options, sentence):
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        RedactOptions(**options)
