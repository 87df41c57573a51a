"""The baseline `raw`: what passing bytes on costs at least, by two threads that read and write and look at nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

_CHUNK = 65536


def pump(source: int, sink: int) -> None:
    """Copy until the source ends or nobody reads."""
    try:
        while data := os.read(source, _CHUNK):
            view = memoryview(data)
            while view:
                view = view[os.write(sink, view) :]
    except BrokenPipeError:
        pass
    os.close(sink)


def main() -> None:
    """Start the agent of the command line, and stand between it and our stdin and stdout."""
    agent = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    if agent.stdin is None or agent.stdout is None:
        raise SystemExit("The agent has no pipes.")
    threading.Thread(target=pump, args=(0, agent.stdin.fileno()), daemon=True).start()
    pump(agent.stdout.fileno(), 1)
    os._exit(agent.wait())


if __name__ == "__main__":
    main()
