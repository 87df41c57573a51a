"""Says in words which values a key takes, from the JSON schema that `kiro-core check --schema` prints."""

_WORDS = {"string": "text", "boolean": "`true` or `false`", "integer": "whole number", "number": "number"}


def words(schema, definitions, *, several=False):
    """The type of one property; what has none in the schema is a backend: a name, or a table with it as `use`."""
    schema = _known(schema, definitions)
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return _either([f'`"{value}"`' for value in values])
    match schema.get("type"):
        case "array":
            return f"{'lists' if several else 'list'} of {words(schema['items'], definitions, several=True)}"
        case "object":
            held = schema.get("additionalProperties") or {}
            return f"{'tables' if several else 'table'} of {words(held, definitions, several=True)}"
        case None:
            return "names, or tables with the name as `use`" if several else "a name, or a table with it as `use`"
        case "string" if several:
            return "texts"
        case kind:
            return f"{_WORDS[kind]}{_bounds(schema)}"


def table(head, rows):
    """A Markdown table."""
    return "".join([_row(head), "|---" * len(head), "|\n", *map(_row, rows)])


def _row(cells):
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |\n".replace("|  |", "| |")


def _known(schema, definitions):
    """What a property is, where it is written elsewhere or may also be missing."""
    options = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    schema = options[0] if len(options) == 1 else schema
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _either(values):
    *first, last = values
    return f"{', '.join(first)} or {last}" if first else last


def _bounds(schema):
    least, above, most = schema.get("minimum"), schema.get("exclusiveMinimum"), schema.get("maximum")
    if least is not None:
        return f", {least:g} or more" if most is None else f", {least:g} to {most:g}"
    return "" if above is None else f" above {above:g}"
