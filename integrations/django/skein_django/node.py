"""What the daemon of this node says of it: ``GET /v1/state`` on ``app.sock`` in the data folder.

It is asked each time. A worker may be forked after the import, so nothing here has a thread or a
connection that lives on; and an answer is never older than the question. Nothing is ever concluded
from a file that is missing: a daemon that cannot be asked is a node where nobody may write.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from skein_django.conf import SkeinSettings, load_settings
from skein_django.errors import NodeUnreachableError

_SOCKET_NAME = "app.sock"
# The daemon answers from memory; under load that takes milliseconds.
_TIMEOUT_S = 5.0
# sun_path of struct sockaddr_un, without the zero at the end: unix(7).
_SOCKET_PATH_BYTES_MAX = 107
_ROLES = frozenset({"primary", "replica", "no-primary", "fenced"})
# What reading an answer of another shape raises.
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
# For how long one does not know, where nobody can be asked: as LiteFS says it.
_NEVER_MS = 2_147_483_647


@dataclass(frozen=True)
class Primary:
    """Whom a replica follows: its name, and where its API and its proxy are."""

    name: str
    url: str | None = None
    proxy_url: str | None = None

    def __str__(self) -> str:
        where = self.proxy_url or self.url
        return self.name if where is None else f"{self.name} at {where}"


@dataclass(frozen=True)
class NodeState:
    """One moment of a node."""

    name: str
    role: str
    epoch: int
    lag_ms: int
    primary: Primary | None = None
    # By database: term of the primary, number of the last transaction.
    positions: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_primary(self) -> bool:
        return self.role == "primary"


def is_primary() -> bool:
    """Whether this node accepts writes now, as its daemon says."""
    return node_state().is_primary


def node_state() -> NodeState:
    """The state of this node. A daemon that cannot be asked: the role is ``no-primary``."""
    settings = load_settings()
    if not settings.enabled:
        return NodeState(name=socket.gethostname(), role="primary", epoch=0, lag_ms=0)
    try:
        return ask_node(settings)
    except NodeUnreachableError:
        return NodeState(
            name=socket.gethostname(), role="no-primary", epoch=0, lag_ms=_NEVER_MS
        )


def ask_node(settings: SkeinSettings) -> NodeState:
    """Raises NodeUnreachableError when the daemon does not answer."""
    try:
        return _parse(_get(os.path.join(settings.data_path, _SOCKET_NAME), "/v1/state"))
    except (OSError, http.client.HTTPException, *_MALFORMED) as error:
        message = f"Cannot ask the node of {settings.data_path}: {error}"
        raise NodeUnreachableError(message) from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        folder, name = os.path.split(self._path)
        if len(os.fsencode(self._path)) <= _SOCKET_PATH_BYTES_MAX:
            self.sock.connect(self._path)
            return
        # By way of the folder's descriptor any path fits. It need only be passed through.
        fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock.connect(f"/proc/self/fd/{fd}/{name}")
        finally:
            os.close(fd)


def _get(socket_path: str, path: str) -> dict:
    connection = _UnixConnection(socket_path)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise ValueError(f"it answers {response.status}")
        return json.loads(body)
    finally:
        connection.close()


def _parse(told: dict) -> NodeState:
    role = told["role"]
    if role not in _ROLES:
        raise ValueError(f"{role!r} is no role")
    primary = told.get("primary")
    return NodeState(
        name=told["name"],
        role=role,
        epoch=told["epoch"],
        lag_ms=told["lagMs"],
        primary=None
        if primary is None
        else Primary(primary["name"], primary.get("url"), primary.get("proxyUrl")),
        positions={
            database: (position["epoch"], int(position["txid"], 16))
            for database, position in told["positions"].items()
            if position is not None
        },
    )
