"""`kiro-core acp`, whose log is broken and mended from outside: by orders over the socket that `CRASH_ORDERS` names."""

import json
import os
import socket
import sys
import threading
from functools import partial
from pathlib import Path

from crashing.faults import BrokenLog


def main():
    """Run the command as its own program would."""
    orders = socket.socket(fileno=int(os.environ.pop("CRASH_ORDERS")))
    log = BrokenLog()
    # What was written before the log broke can still be flushed, as on a full disk: only writing fails.
    for name in ("fdatasync", "fsync"):
        if flush := getattr(os, name, None):
            setattr(os, name, partial(_flushed, log, flush))
    threading.Thread(target=_obey, args=(orders, log), daemon=True).start()
    sys.argv[0] = str(Path(sys.executable).with_name("kiro-core"))
    from kiro_core.cli import main as command

    sys.exit(command())


def _flushed(log, flush, fd):
    flush(log.own(fd))


def _obey(orders, log):
    while order := orders.recv(4096):
        verb, *arguments = json.loads(order)
        getattr(log, verb)(*arguments)
        orders.send(b"done")


if __name__ == "__main__":
    main()
