"""Texts, whole and in pieces: no secret of any kind comes out, and nothing else is changed or kept waiting."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redact_seeds import FRAGMENTS, HARMLESS, IDS, SEEDS, pieces, texts

GUESSED = ("password", "secret", "bearer token", "credentials")
"""The kinds that only the end of a text makes sure."""


def streamed(redactor, parts):
    """What a stream lets go at each part, and at its end."""
    stream = redactor.stream()
    return [*map(stream.feed, parts), stream.flush()]


@pytest.mark.parametrize("seed", SEEDS, ids=IDS)
def test_a_secret_is_replaced_by_its_kind(redactor, seed):
    assert redactor.value(f"See {seed.text} there") == f"See {seed.shown} there"


@given(texts())
def test_no_secret_is_left_in_a_text(redactor, drawn):
    text, seeds = drawn
    shown = redactor.value(text)
    assert not [seed for seed in seeds if seed.body in shown]
    assert redactor.value(shown) == shown


@given(pieces(texts().map(lambda drawn: drawn[0])))
def test_what_comes_in_pieces_comes_out_as_the_whole_would(redactor, parts):
    assert "".join(streamed(redactor, parts)) == "".join(streamed(redactor, ["".join(parts)]))


@given(pieces(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)), st.booleans())
def test_so_does_what_may_or_may_not_be_a_secret(redactor, strict_redactor, parts, strict):
    chosen = strict_redactor if strict else redactor
    assert "".join(streamed(chosen, parts)) == "".join(streamed(chosen, ["".join(parts)]))


@pytest.mark.parametrize(
    "parts",
    [
        # One that is sure, inside of which another one begins and comes to nothing.
        ("xoxb-1234567890-glpat-abc_d", "e ."),
        ("a" * 300, "sk-a1B2c3D4e5F6a1B2c3D4 ", "x"),
    ],
)
def test_pieces_of_what_may_be_a_secret_come_out_as_the_whole_would(redactor, parts):
    assert "".join(streamed(redactor, parts)) == redactor.value("".join(parts))


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed.lead.endswith(("_", "-"))], ids=lambda seed: seed.lead)
def test_a_text_that_ends_in_the_beginning_of_a_secret_is_recorded_without_it(redactor, seed):
    assert redactor.value(f"cut: {seed.lead}{seed.body[:10]}") == f"cut: {seed.lead}[redacted: {seed.kind}]"


@example("hunter2hunter2sk-a1B2c3D4a1B2c3D4a1B2", False)  # noqa: FBT003 - as it is drawn
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join), st.booleans())
def test_what_was_redacted_stays_as_it_is(redactor, strict_redactor, text, strict):
    chosen = strict_redactor if strict else redactor
    shown = chosen.value({"text": text, "password": text})
    assert chosen.value(shown) == shown


@pytest.mark.parametrize("seed", SEEDS, ids=IDS)
def test_a_secret_that_comes_letter_by_letter_never_shows(redactor, seed):
    out = streamed(redactor, f"It is {seed.text} there.")
    assert "".join(out) == f"It is {seed.shown} there."


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(redactor, strict_redactor, text):
    for chosen in (redactor, strict_redactor):
        assert chosen.value(text) is text
        assert "".join(streamed(chosen, text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_is_let_go_as_soon_as_that_is_known(redactor, text):
    stream = redactor.stream()
    for letter in f"{text} `.":
        stream.feed(letter)
    assert not stream.holds


@given(st.text(alphabet="bcdefg ijklmnop.,\nQRST(){};0123456789é😀"))
def test_nothing_is_held_back_where_nothing_announces_a_secret(redactor, text):
    assert redactor.stream().feed(text) == text


def test_only_what_may_be_the_secret_is_held_back(redactor):
    stream = redactor.stream()
    assert stream.feed("export GITHUB_TOKEN=") == "export GITHUB_TOKEN="
    assert stream.feed("abc") == ""
    assert stream.feed("d ") == "abcd "
    assert stream.feed("ghp_abc") == "ghp_"
    assert stream.feed(".") == "abc."


def test_a_secret_without_an_end_takes_bounded_room(redactor):
    stream = redactor.stream()
    out = [stream.feed(piece) for piece in ["ghp_", *["a1B2" * 100] * 200]]
    assert len(stream._text) < 10_000
    assert "".join(out) + stream.feed(" end") == "ghp_[redacted: github token] end"


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed.kind not in GUESSED], ids=lambda seed: seed.lead)
def test_a_text_that_is_cut_off_shows_no_beginning_of_a_secret(redactor, seed):
    stream, part = redactor.stream(), min(20, len(seed.body) - 2)
    shown = stream.feed(seed.lead + seed.body[:part]) + stream.flush(cut=True)
    more = stream.feed(seed.body[part:] + seed.tail + " ") + stream.flush()
    assert seed.body[:8] not in shown
    assert seed.body[part:] not in more


@pytest.mark.parametrize("scheme", ["postgres", "https", "mongodb"])
def test_a_password_in_an_address_that_is_cut_off_is_not_shown(redactor, scheme):
    assert redactor.value(f"{scheme}://app:n0t-my-pa") == f"{scheme}://app:[redacted: password]"


def test_what_had_to_be_let_go_gives_the_rest_away(redactor):
    stream = redactor.stream()
    assert stream.feed("ghp_Zx8c") + stream.flush(cut=True) == "ghp_Zx8c"
    assert stream.feed("V5bN2mQ7wE4rT1yU6iO9pA3sD0fGh4J8 ok") == "[redacted: github token] ok"


@pytest.mark.parametrize(
    "fragment", [*FRAGMENTS, "TOKEN=a", "sk-a1", "eyJa.", "://a:b", "-----BEGIN PRIVATE KEY-----\nab:"]
)
def test_the_cost_grows_with_the_length_and_no_faster(strict_redactor, fragment):
    # In multiples of the same work on harmless text, since machines differ: what backtracks takes thousands.
    usual, odd = _cost(strict_redactor, "word 1 " * 9000), _cost(strict_redactor, fragment * (63_000 // len(fragment)))
    assert odd < 60 * usual + 0.5


def _cost(redactor, text):
    begun = time.process_time()
    redactor.value(text)
    return time.process_time() - begun
