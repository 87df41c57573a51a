"""The address at which an agent finds its model: a server on the loopback, which also stops all that goes elsewhere."""

import json
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from real.model import chat, contents, messages, responses
from real.model.script import decide

_DIALECTS = (chat, responses, messages, contents)
_MOST_REQUESTS = 50
_BEAT_S = 0.2


class Endpoint:
    """A context manager: from entering until leaving it serves at `url`.

    `asked` has the body of each request that was answered, `refused` what was tried besides, `failures`
    what went wrong here.
    """

    def __init__(self):
        self.asked, self.refused, self.failures = [], [], []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.endpoint = self
        self._serving = threading.Thread(target=self._server.serve_forever, args=(_BEAT_S,))

    @property
    def url(self):
        """Without a path or a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._serving.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        self.endpoint.failures.append(sys.exception())


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        with suppress(ConnectionError):  # an agent that ends lets its connections go
            super().handle()

    def do_POST(self):
        endpoint = self.server.endpoint
        body = self._body()
        path = urlsplit(self.path).path
        dialect = next((d for d in _DIALECTS if path.endswith(d.ENDS_WITH)), None)
        if dialect is None or len(endpoint.asked) >= _MOST_REQUESTS:
            self._refuse()
            return
        endpoint.asked.append(body)
        request = json.loads(body)
        answer = decide(*dialect.read(request))
        if request.get("stream") or "stream" in path:
            self._stream(dialect.stream(answer), hangs=answer.hangs)
        else:
            self._send(HTTPStatus.OK, dialect.whole(answer))

    def _refuse(self):
        """Nothing else is here, and nobody gets to another place through here as a proxy."""
        self.server.endpoint.refused.append(f"{self.command} {self.path}")
        self._send(
            HTTPStatus.NOT_FOUND, {"error": {"type": "not_found_error", "message": "There is only a model here."}}
        )

    do_GET = do_HEAD = do_CONNECT = _refuse  # noqa: N815 - the names are http.server's

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, events, *, hangs):
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for event in events:
                self.wfile.write(event)
            while hangs and not self.server.endpoint.closing.wait(_BEAT_S):
                self.wfile.write(b": still here\n\n")
        except ConnectionError:
            return  # the agent has cancelled its turn

    def log_message(self, *_):
        """Stay silent: the test's own output is read."""
