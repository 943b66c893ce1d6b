"""How many dead letters are too many."""

from __future__ import annotations

import dataclasses

from transforms.errors import DeadLettersError, InputError

__all__ = ["DeadPolicy"]


@dataclasses.dataclass(frozen=True)
class DeadPolicy:
    """When a job has read too little of its input to go on.

    Attributes:
        most: Greatest share of records, and of input bytes, that may be unreadable.
        input_bytes: Size of all input files.
        letters: Folder of the dead letters, for messages.
    """

    most: float
    input_bytes: int
    letters: str

    def check(self, documents: int, dead: int, unreadable_bytes: int) -> None:
        """Refuses a reading that lost too much, or found nothing.

        Args:
            documents: Documents read.
            dead: Dead letters.
            unreadable_bytes: Size of the files, and parts of files, that one dead letter
                each stands for.

        Raises:
            DeadLettersError: Too much was unreadable.
            InputError: There is no document.
        """
        fraction = max(dead / max(1, documents + dead), unreadable_bytes / max(1, self.input_bytes))
        if fraction > self.most:
            raise DeadLettersError(
                f"{dead} of {documents + dead} records and {unreadable_bytes} of "
                f"{self.input_bytes} input bytes are unreadable: {fraction:.2%}, more than "
                f"max_dead_fraction={self.most}; see {self.letters}, then mend the input or raise "
                "--max-dead-fraction"
            )
        if not documents:
            raise InputError("the input holds no document; check --input and the field mapping")
