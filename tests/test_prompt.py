"""What can be done without waiting is done so only where nobody has changed what it stands for."""

from kiro_core.frames import Frame
from kiro_core.prompt import prompt_verb
from kiro_core.rpc import Peer, RemoteClient
from kiro_core.testing import RecordingClient


class Silent:
    """A stream that takes everything at once."""

    def __init__(self):
        self.sent = []

    async def receive(self, max_bytes=65536):
        raise AssertionError

    async def send(self, item):
        self.sent.append(item)

    def offer(self, item):
        self.sent.append(item)
        return True


class Nobody:
    """A handler of nothing."""

    async def request(self, frame):
        raise AssertionError

    async def notify(self, frames):
        raise AssertionError


class Masking(RemoteClient):
    async def notify(self, frames):
        await super().notify([Frame.of("masked") for _ in frames])


class Wrapping:
    def __init__(self, wrapped):
        self._wrapped = wrapped

    async def send(self, item):
        await self._wrapped.send(item)

    def __getattr__(self, name):
        return getattr(self._wrapped, name)


def test_who_has_both_verbs_is_asked_at_once():
    stream = Silent()
    client = RemoteClient(Peer(stream, Nobody()))
    assert prompt_verb(client, "offer", "notify")([Frame.of("said")])
    assert stream.sent == [b'{"jsonrpc":"2.0","method":"said"}\n']
    assert prompt_verb(stream, "offer", "send")


def test_who_overrides_or_wraps_the_verb_that_may_wait_is_not_passed_by():
    assert prompt_verb(Masking(Peer(Silent(), Nobody())), "offer", "notify") is None
    assert prompt_verb(Wrapping(Silent()), "offer", "send") is None
    assert prompt_verb(RecordingClient(), "offer", "notify") is None
    assert not Peer(Wrapping(Silent()), Nobody()).offer([Frame.of("said")])
