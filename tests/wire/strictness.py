"""What a message of ours has to be: strict JSON in a line, and JSON-RPC 2.0 without an exception."""

import json
import re

LENIENT = "LENIENT"
"""What stands in every line of a peer that no strict parser takes: such a line passes as it came."""

_IDS = (str, int, float, type(None))
_BEGINNING = re.compile(rb'\{"jsonrpc": ?"2\.0", ?"id": ?')
_DECODER = json.JSONDecoder(parse_int=str)
_LONE = re.compile("[\ud800-\udfff]")


def checked(line):
    """Decode a line of ours.

    Raises:
        AssertionError: it is not exactly what JSON-RPC 2.0 and ACP ask for.

    """
    message = strict(line)
    assert isinstance(message, dict), line
    assert message.get("jsonrpc") == "2.0", line
    assert type(message.get("id")) in _IDS, line
    if "method" in message:
        assert isinstance(message["method"], str), line
        assert not {"result", "error"} & set(message), line
        assert isinstance(message.get("params", {}), dict), line
    else:
        assert "id" in message, line
        assert len({"result", "error"} & set(message)) == 1, line
        assert "params" not in message, line
    if "error" in message:
        error = message["error"]
        assert isinstance(error["code"], int), line
        assert isinstance(error["message"], str), line
        assert error["message"].strip(), line
        assert set(error) <= {"code", "message", "data"}, line
    return message


def strict(line):
    """Decode JSON text as a parser without mercy does.

    Raises:
        AssertionError: a key is doubled, a number is none, a surrogate is alone, or it is no JSON in UTF-8.

    """
    assert b"\r" not in line, line
    try:
        value = json.loads(
            line.decode(),
            object_pairs_hook=_unique,
            parse_constant=_refused,
            parse_int=lambda digits: int(digits) if len(digits) < 4000 else 0,
        )
    except ValueError as error:
        raise AssertionError(f"{error}: {line[:500]!r}") from error
    assert not _LONE.search(json.dumps(value, ensure_ascii=False)), line
    return value


def _unique(pairs):
    assert len({key for key, _ in pairs}) == len(pairs), f"a doubled key: {pairs}"
    return dict(pairs)


def _refused(constant):
    raise AssertionError(f"{constant} is no JSON")


def answer_id(line):
    """The JSON text of the id of an answer of ours, byte by byte; None when it is a request or a notification."""
    if b'"method"' in line[:200] and checked(line).get("method") is not None:
        return None
    beginning = _BEGINNING.match(line)
    assert beginning, line
    text = line[beginning.end() :].decode("latin-1")  # so that a byte is a character
    _, end = _DECODER.raw_decode(text)
    return text[:end].encode("latin-1")
