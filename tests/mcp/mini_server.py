"""A small MCP server on stdin and stdout; its arguments are what it does wrong."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TOOLS = [
    {"name": "echo", "description": "Say it again.\nAll of it.", "inputSchema": {"type": "object"}},
    {"name": "fail", "inputSchema": {"type": "object"}},
]


def say(**message):
    write(json.dumps({"jsonrpc": "2.0", **message}))


def write(line, stream=sys.stdout):
    stream.write(line + "\n")
    stream.flush()


def result(method, params):
    if method == "initialize":
        about = {"name": "mini", "version": "1.2"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": about}
    if method == "tools/list":
        page = int(params.get("cursor", 0)) if params else 0
        more = {"nextCursor": str(page + 1)} if page + 1 < len(TOOLS) or "endless" in sys.argv else {}
        return {"tools": TOOLS[page : page + 1], **more}
    if method == "tools/call":
        said = {**params["arguments"], "env": os.environ.get("MINI"), "cwd": str(Path.cwd())}
        content = [{"type": "text", "text": json.dumps(said, sort_keys=True)}]
        return {"content": content, **({"isError": True} if params["name"] == "fail" else {})}
    return None


def main():
    if "exit" in sys.argv:
        sys.exit("There is no key.")
    if "child" in sys.argv:
        child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
        write(f"child {child.pid}", sys.stderr)
    for line in sys.stdin:
        asked = json.loads(line)
        if "silent" in sys.argv:
            time.sleep(600)
        if "noisy" in sys.argv:
            write("I am about to answer.")
        if "id" not in asked:
            continue
        answer = result(asked["method"], asked.get("params"))
        if answer is None or f"refuse={asked['method']}" in sys.argv:
            say(id=asked["id"], error={"code": -32601, "message": "Not here."})
        else:
            say(id=asked["id"], result=answer)


main()
