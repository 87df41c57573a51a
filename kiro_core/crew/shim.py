"""Carries bytes between an agent and the desk of its session, since what agents start for MCP has to be a program.

Each session may have one for as long as it lasts, so it imports next to nothing: `python -I -S shim.py SOCKET`, with
the session's token in its environment. Nothing of the package can be imported here.
"""

import _socket  # what `socket` adds to it takes another megabyte in each of these processes
import os
import select
import sys

TOKEN = "KIRO_CREW_TOKEN"  # noqa: S105 - the name of a variable
_ASKING = b'{"jsonrpc":"2.0","id":0,"method":"_kiro_core/crew","params":{"token":"%b"}}\n'
_CHUNK = 65536
_ANSWER_S = 10.0
_LAST_WORDS_MS = 10_000
_PATH_BYTES = 107 if sys.platform == "linux" else 103
_GONE = select.POLLERR | select.POLLHUP


class Way:
    """One direction, with what was read and could not be written yet; `ended` tells that no more will come."""

    def __init__(self, source: int, target: int, rest: bytes = b"") -> None:
        """Move bytes from one descriptor to another, both of which do not block."""
        self.ended: bool = False
        self.rest: bytes = rest
        self._source = source
        self._target = target

    def waits_for(self) -> tuple[int, int]:
        """The descriptor that this direction waits for, and the event."""
        return (self._target, select.POLLOUT) if self.rest else (self._source, select.POLLIN)

    def move(self) -> None:
        """Go on as far as that is possible without waiting."""
        try:
            if not self.rest and not self.ended:
                self.rest = os.read(self._source, _CHUNK)
                self.ended = not self.rest
            if self.rest:
                self.rest = self.rest[os.write(self._target, self.rest) :]
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.ended = True

    @property
    def done(self) -> bool:
        """Whether all that there was has been written."""
        return self.ended and not self.rest


def main(path: str, token: str) -> str:
    """Carry bytes until the agent or the desk has ended; the sentence that says what is wrong, if anything is."""
    desk = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        desk.connect(_address(path))
        desk.settimeout(_ANSWER_S)
        desk.send(_ASKING % os.fsencode(token))
        answer = b""
        while b"\n" not in answer:
            chunk = desk.recv(_CHUNK)
            if not chunk:
                return "The desk of this session has closed the connection."
            answer += chunk
    except OSError as error:
        return f"The desk of this session cannot be reached at {path}: {error.strerror or error}."
    answer, _, rest = answer.partition(b"\n")
    if b'"result"' not in answer:
        return "The desk takes no connection for this session: it has ended, or has too many of them."
    desk.settimeout(0)
    return _carry(desk, Way(0, desk.fileno()), Way(desk.fileno(), 1, rest))


def _carry(desk: "_socket.socket", there: Way, back: Way) -> str:
    for descriptor in (0, 1):
        os.set_blocking(descriptor, False)
    hung_up = False
    try:
        while not back.done:
            if there.done and not hung_up:
                desk.shutdown(_socket.SHUT_WR)
                hung_up = True
            if not _ready(back if there.done else there, back, _LAST_WORDS_MS if hung_up else None):
                return ""
            there.move()
            back.move()
    except BrokenPipeError:
        pass
    return "" if hung_up else "The desk of this session has hung up."


def _ready(there: Way, back: Way, patience_ms: int | None) -> bool:
    """Wait until there is something to do; False when the agent has gone, or nothing came any more."""
    wanted = {1: 0}  # always asked about, so that an agent that is gone is noticed
    for descriptor, event in (there.waits_for(), back.waits_for()):
        wanted[descriptor] = wanted.get(descriptor, 0) | event
    poll = select.poll()
    for descriptor, events in wanted.items():
        poll.register(descriptor, events)
    ready = dict(poll.poll(patience_ms))
    return bool(ready) and not ready.get(1, 0) & _GONE


def _address(path: str) -> str:
    """A name for that path which is not too long for a socket."""
    if len(os.fsencode(path)) <= _PATH_BYTES:
        return path
    folder, name = os.path.split(path)
    return f"/proc/self/fd/{os.open(folder, os.O_RDONLY | os.O_CLOEXEC)}/{name}"


if __name__ == "__main__":
    try:
        _complaint = main(sys.argv[1], os.environ.pop(TOKEN, ""))
    except KeyboardInterrupt:
        sys.exit(130)
    if _complaint:
        sys.exit(_complaint)
