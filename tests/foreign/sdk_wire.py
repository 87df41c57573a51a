"""Copies what passes on a connection of the SDK, byte for byte: its own models lose what they do not know."""

import json
from contextlib import contextmanager


@contextmanager
def tapped(reader, writer, folder):
    """Copy the lines that the SDK reads to the file `received` of a folder, and what it writes to `sent`."""
    # Unbuffered: whoever holds the connection may die in the middle of a turn.
    with (folder / "received").open("ab", buffering=0) as received, (folder / "sent").open("ab", buffering=0) as sent:
        readuntil, write = reader.readuntil, writer.write

        async def read(separator=b"\n"):
            line = await readuntil(separator)
            received.write(line)
            return line

        def send(data):
            sent.write(data)
            return write(data)

        reader.readuntil, writer.write = read, send
        try:
            yield
        finally:
            reader.readuntil, writer.write = readuntil, write


def lines(path):
    """The lines of such a file."""
    return path.read_bytes().splitlines(keepends=True)


def messages(path):
    """The same, decoded, without what is no message."""
    decoded = [_decoded(line) for line in lines(path)]
    return [message for message in decoded if isinstance(message, dict)]


def _decoded(line):
    try:
        return json.loads(line)
    except ValueError:
        return None
