"""What a runner raised, as the error of holdfast's that it was."""

from __future__ import annotations

import re

from transforms import errors
from transforms.errors import HoldfastError
from transforms.outcome import read_outcome

__all__ = ["understood", "with_code"]

_WHERE = re.compile(r" \[while running .*", re.DOTALL)
"""What Beam appends to the words of an exception."""
_RAISED = re.compile(r"transforms\.errors\.(\w+): (.*)")


def understood(error: Exception, staging: str) -> Exception:
    """The error of ours behind a runner's: by type, by record, or by its words."""
    if isinstance(error, HoldfastError):
        return type(error)(_WHERE.sub("", str(error)))
    outcome = read_outcome(staging)
    if outcome is not None:
        return with_code(outcome["exit_code"], outcome["message"])
    found = _RAISED.findall(str(error))
    if found:
        name, message = found[-1]
        kind = getattr(errors, name, HoldfastError)
        return kind(_WHERE.sub("", message.replace("\\n", " ")))
    if isinstance(error, OSError):
        return errors.StorageError(f"{error}")
    return error


def with_code(code: int, message: str) -> HoldfastError:
    """An error with an exit code."""
    kinds = (errors.UsageError, errors.VerificationError, errors.InfeasibleError)
    for kind in (*kinds, errors.DeadLettersError, errors.StorageError, errors.HeldError):
        if kind.exit_code == code:
            return kind(message)
    return HoldfastError(message)
