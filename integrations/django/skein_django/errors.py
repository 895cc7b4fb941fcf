"""What the backend refuses, and what it cannot know.

The names, codes and texts are those of the TypeScript client. Each error says what became of the
work, so that a caller knows whether it may try again:

    not-executed   nothing was changed: it may be sent elsewhere, or later
    failed         SQLite executed it and refused: trying again gives the same
    unknown        it may have been committed: look before trying again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.utils import OperationalError

if TYPE_CHECKING:
    from skein_django.node import Primary

NOT_PRIMARY_MESSAGE = "Write operation attempted on replica node"


class SkeinError(OperationalError):
    """The base of all: ``code`` never changes, ``hint`` says what helps."""

    code = "SKEIN"
    outcome = "not-executed"
    hint: str | None = None


class NotPrimaryError(SkeinError):
    """A write was asked of a replica. ``primary`` is where it can be executed."""

    code = "NOT_PRIMARY"
    hint = "Send it to the primary, or through the proxy of this node, which does"

    def __init__(self, primary: Primary | None = None) -> None:
        self.primary = primary
        where = "" if primary is None else f" (primary: {primary})"
        super().__init__(f"{NOT_PRIMARY_MESSAGE}{where}")


class NoPrimaryError(SkeinError):
    """A write was asked of a node that knows of no primary."""

    code = "NO_PRIMARY"
    hint = "Try again when there is one: skein status says what this node sees"

    def __init__(self) -> None:
        super().__init__("Write operation attempted while no primary is known")


class FencedError(SkeinError):
    """A write was asked of a node where nobody may write now."""

    code = "FENCED"
    hint = "It is not clear who may write: skein status says why"

    def __init__(self) -> None:
        super().__init__("Write operation attempted on a fenced node")


class OutcomeUnknownError(SkeinError):
    """A commit was asked for, and its answer was lost: it is there as a whole, or not at all."""

    code = "OUTCOME_UNKNOWN"
    outcome = "unknown"
    hint = "Look whether it is there before trying again"

    def __init__(self) -> None:
        super().__init__("The outcome of the commit is unknown")


class NodeUnreachableError(SkeinError):
    """The daemon of this node is not there, or its mount is not."""

    code = "NODE_UNREACHABLE"
    hint = "Start skein mount, and the application as its command"


def outcome_of(error: BaseException) -> str:
    """What became of a call that raised ``error``; others may have wrapped it."""
    current: BaseException | None = error
    while current is not None:
        if isinstance(current, SkeinError):
            return current.outcome
        current = current.__cause__
    return "failed"
