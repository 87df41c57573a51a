"""Every message of ours, whatever happens in a long day of sessions, is what the SDK's models say it is."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("acp")

from far_end import FarEnd
from programs import REHEARSAL
from sdk_day import ANSWERS, have_a_day, have_another_day
from sdk_shapes import judge

TAP = [sys.executable, "-P", str(Path(__file__).with_name("tap.py"))]
NOTHING = {}
EVERYTHING = {
    "fs": {"readTextFile": True, "writeTextFile": True},
    "terminal": True,
    "auth": {"terminal": True},
    "elicitation": {"form": {}, "url": {}},
    "session": {"configOptions": {"boolean": {}}, "notices": {}, "compaction": {}},
}
KINDS = [
    ("--with", "image,list,delete,directories,mcp-http,logout,more-options", "--modes", "ask,code"),
    ("--with", "modes,models,late-updates,odd-ids", "--without", "resume,embedded,model-option,close,usage"),
    *(("--like", like) for like in ("kiro", "claude", "codex", "gemini")),
]
TOLD = {
    *("initialize result", "authenticate error", "session/new result", "session/list result"),
    *("session/load result", "session/resume result", "session/close result", "session/delete result"),
    *("session/prompt result", "session/prompt error", "session/update", "session/set_config_option result"),
    *("_example.dev/ask", "_example.dev/tell", "nothing error"),
}
ASKED = {
    *("initialize", "session/new", "session/prompt", "session/cancel", "_example.dev/ask result", "no/such error"),
    *("fs/read_text_file result", "fs/write_text_file result", "terminal/create result", "terminal/output result"),
}


class Editor(FarEnd):
    """It keeps what it has written, byte for byte."""

    def __init__(self, *arguments, **more):
        self.written = []
        super().__init__(*arguments, **more)

    def write(self, data):
        self.written.append(data)
        super().write(data)

    def judged(self, folder):
        """The kinds of all messages that it was told; each has its shape."""
        received, sent = folder / "received", folder / "sent"
        received.write_bytes(b"".join(line + b"\n" for line in self.lines))
        sent.write_bytes(b"".join(self.written))
        return judge(received, sent)


@pytest.fixture
def start(place):
    """`start(options)`: a far end; what passes between us and an agent is kept by a tap."""
    opened = []

    def start(options):
        memory = ("--memory", str(place.root / "memory"))
        place.settings.write_text("")
        place.engine("day", *TAP, str(place.agent_wire), *REHEARSAL, *memory, *options)
        far = Editor(place, "--engine", "day", environment={})
        far.answers.update(ANSWERS)
        opened.append(far)
        return far

    yield start
    for far in opened:
        far.destroy()


@pytest.mark.parametrize("offers", [NOTHING, EVERYTHING], ids=["to a plain client", "to one that offers everything"])
@pytest.mark.parametrize("options", KINDS, ids=["able", "old", "kiro", "claude", "codex", "gemini"])
def test_all_that_we_say_in_a_day_has_the_shape_that_it_should(place, start, options, offers):
    far = start(options)
    far.greet(**offers)
    session = have_a_day(far, str(place.home))
    assert far.hang_up() == 0
    told = set(far.judged(place.root))
    far = start(options)
    far.greet(**offers)
    have_another_day(far, session)
    assert far.hang_up() == 0
    told |= set(far.judged(place.root))
    asked = {name for run in place.agent_wire.iterdir() for name in judge(run / "stdin", run / "stdout")}
    assert told >= TOLD
    assert asked >= ASKED
