"""How the command tells a script what became of it, from where exit codes are decided."""

from doc_types import table

from kiro_core import errors
from kiro_core.cli.failing import EXIT_CODES, FAILED, exit_code


def exit_codes_part():
    """Each exit code, what it says, and the errors that lead to it."""
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.KiroError)]
    leading = {code: [] for code in EXIT_CODES}
    for error in classes:
        if error is not errors.KiroError:
            leading[exit_code(error)].append(f"`{error.code}`")
    leading[FAILED] = ["every other"]
    return table(
        ("exit code", "what it says", "errors"),
        [(f"`{code}`", told, ", ".join(leading[code])) for code, told in EXIT_CODES.items()],
    )
