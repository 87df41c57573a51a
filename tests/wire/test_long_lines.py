"""One line of 64 MiB passes each way, byte for byte, and costs at most four times its length in memory."""

from hashlib import sha256
from pathlib import Path

import pytest
from programs import REHEARSAL, scripted

LENGTH = 64 * 1024 * 1024
AT_MOST = 4 * LENGTH + 16 * 1024 * 1024
BEGINNING = 'é \U0001f600 " '
UNESCAPED = """
message = {'jsonrpc': '2.0', 'method': 'session/update', 'params': {'sessionId': 's', 'update': {
    'sessionUpdate': 'agent_message_chunk', 'content': {'type': 'text', 'text': 'é \U0001f600 " ' + 'x' * (64 << 20)}}}}
sys.stdout.buffer.write(json.dumps(message, ensure_ascii=False).encode() + b'\\n')
sys.stdout.buffer.flush()
"""
DIGEST = """
import hashlib
text = asked['params']['prompt'][0]['text']
answers['session/prompt']['_meta'] = {'length': len(text), 'digest': hashlib.sha256(text.encode()).hexdigest()}
"""


@pytest.fixture
def begin(place):
    """`begin(command)`: a far end, a session, and a function that gives the memory which it has taken since."""

    def begin(command):
        far = place.start(engines={"long": command})
        session = far.begin()
        status = Path(f"/proc/{far.process.pid}/status")
        if not status.exists():
            pytest.skip("this system does not tell how much memory a program had")

        def peak():
            [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
            return int(line.split()[1]) * 1024

        before = peak()
        return far, session, lambda: peak() - before

    return begin


def test_a_long_line_of_an_agent_reaches_its_client(begin):
    far, session, taken = begin(REHEARSAL)
    assert far.prompt(session, f"/big {LENGTH}")["result"]["stopReason"] == "end_turn"
    assert far.text(session) == "x" * LENGTH
    assert taken() <= AT_MOST, taken()


def test_a_long_line_that_is_not_all_ascii_reaches_the_client_too(begin):
    far, session, taken = begin(scripted(prompt=UNESCAPED))
    assert far.prompt(session, "hello")["result"]["stopReason"] == "end_turn"
    assert far.text(session) == BEGINNING + "x" * LENGTH
    assert taken() <= AT_MOST, taken()


def test_a_long_line_of_a_client_reaches_its_agent(begin):
    far, session, taken = begin(scripted(prompt=DIGEST))
    text = "y" * LENGTH
    told = far.prompt(session, text)["result"]["_meta"]
    assert told == {"length": LENGTH, "digest": sha256(text.encode()).hexdigest()}
    assert taken() <= AT_MOST, taken()
