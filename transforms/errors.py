"""One family of exceptions; every message names the place, the value and the way out."""

from __future__ import annotations

from transforms.redact import redact


class HoldfastError(Exception):
    """Base of every error that holdfast raises on purpose.

    Messages name paths and URLs; what gives access in them is hidden here, for all.

    Attributes:
        exit_code: What the command line returns when the error reaches it.
    """

    exit_code: int = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(redact(message))


class UsageError(HoldfastError):
    """A flag, a configuration value or a path is wrong; nothing was run."""


class InputError(HoldfastError):
    """An input cannot be read as what it claims to be, or changed while it was read."""


class VerificationError(HoldfastError):
    """What was published, or is about to be, breaks a promise."""

    exit_code = 1


class LedgerError(VerificationError):
    """Documents read do not equal documents kept plus documents dropped."""


class InfeasibleError(HoldfastError):
    """No output can meet the floors and caps; the message carries the arithmetic."""

    exit_code = 3


class DeadLettersError(HoldfastError):
    """More of the input was unreadable than `max_dead_fraction` allows."""

    exit_code = 4


class StorageError(HoldfastError):
    """Storage refused, vanished or ran full."""

    exit_code = 5


class HeldError(HoldfastError):
    """Another run is at work in this place; the message says which, and since when."""

    exit_code = 6
