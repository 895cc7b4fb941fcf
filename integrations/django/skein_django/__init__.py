"""Django on a replicated SQLite database that Skein mounts.

What a project imports is here; nothing of it needs the app registry.
"""

from skein_django.errors import (
    FencedError,
    NodeUnreachableError,
    NoPrimaryError,
    NotPrimaryError,
    OutcomeUnknownError,
    SkeinError,
    outcome_of,
)
from skein_django.node import NodeState, Primary, is_primary, node_state

__all__ = [
    "FencedError",
    "NoPrimaryError",
    "NodeState",
    "NodeUnreachableError",
    "NotPrimaryError",
    "OutcomeUnknownError",
    "Primary",
    "SkeinError",
    "is_primary",
    "node_state",
    "outcome_of",
]
