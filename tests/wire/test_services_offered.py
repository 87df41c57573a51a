"""A client is asked for what it offered and for nothing else, whatever its agents ask for."""

import json

import pytest
from programs import scripted

SERVICES = {
    "fs/read_text_file": {"path": "/x"},
    "fs/write_text_file": {"path": "/x", "content": ""},
    "terminal/create": {"command": "true"},
    "terminal/output": {"terminalId": "t"},
    "terminal/wait_for_exit": {"terminalId": "t"},
    "terminal/kill": {"terminalId": "t"},
    "terminal/release": {"terminalId": "t"},
    "elicitation/create": {"mode": "form", "message": "?", "requestedSchema": {"type": "object", "properties": {}}},
}
ALL_OF_THEM = "".join(
    f"say(id={number}, method={method!r}, params={ {'sessionId': 's', **params}!r}); tell(sys.stdin.readline()); "
    for number, (method, params) in enumerate(SERVICES.items())
)


@pytest.mark.parametrize(
    "offers", [{}, {"fs": None, "terminal": False, "elicitation": None}, {"fs": {}, "elicitation": {}}]
)
def test_no_service_is_asked_of_a_client_that_does_not_offer_it(place, offers):
    far = place.start(engines={"scripted": scripted(prompt=ALL_OF_THEM)})
    session = far.begin(**offers)
    far.prompt(session, "hello")
    asked = {message["method"] for message in far.messages if "method" in message and "id" in message}
    assert asked <= {"session/request_permission"}
    answers = [json.loads(line) for line in far.text(session).splitlines()]
    assert [answer["id"] for answer in answers] == list(range(len(SERVICES)))


def test_of_two_services_only_the_one_that_is_offered_is_asked_for(place):
    far = place.start(engines={"scripted": scripted(prompt=ALL_OF_THEM)})
    far.answers["fs/read_text_file"] = {"content": "x"}
    far.prompt(far.begin(fs={"readTextFile": True, "writeTextFile": False}), "hello")
    asked = {message["method"] for message in far.messages if "method" in message and "id" in message}
    assert "fs/read_text_file" in asked
    assert asked <= {"session/request_permission", "fs/read_text_file"}
