"""Django's SQLite backend on a mount of Skein.

    DATABASES = {
        "default": {
            "ENGINE": "skein_django.db.backends.skein",
            "NAME": "db.sqlite3",
            "OPTIONS": {"litefs_mount_path": "/litefs", "transaction_mode": "IMMEDIATE"},
        }
    }

It adds three things to Django's own: NAME is a file in the mount, which has to be there; write
transactions begin with IMMEDIATE unless told otherwise; and what SQLite says of a node that takes
no writes becomes an error that says so.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base as sqlite
from django.db.utils import OperationalError

from skein_django.conf import load_settings
from skein_django.errors import (
    FencedError,
    NodeUnreachableError,
    NoPrimaryError,
    NotPrimaryError,
    OutcomeUnknownError,
    SkeinError,
)
from skein_django.node import node_state

DEFAULT_TRANSACTION_MODE = "IMMEDIATE"

_PRIMARY_CODE_MASK = 0xFF
# Of a handle whose node takes no writes, or is not what it was when the database was opened.
_NODE_CODES = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR})
# Statements that change nothing whatever follows, and those that do not commit.
_READS = frozenset({"SELECT", "VALUES", "EXPLAIN", "PRAGMA"})
_OPENINGS = frozenset({"BEGIN", "SAVEPOINT", "ROLLBACK"})


class CursorWrapper(sqlite.SQLiteCursorWrapper):
    """A cursor whose refusals are told in terms of the node."""

    def __init__(self, connection: sqlite3.Connection, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self._wrapper = wrapper

    def execute(self, query, params=None):
        with self._wrapper.translated(query):
            return super().execute(query, params)

    def executemany(self, query, param_list):
        with self._wrapper.translated(query):
            return super().executemany(query, param_list)


class DatabaseWrapper(sqlite.DatabaseWrapper):
    display_name = "SQLite on Skein"

    # The handle is of a role, or of a daemon, that may be over.
    _is_stale = False

    def get_connection_params(self):
        settings = load_settings()
        self.settings_dict["NAME"] = self.settings_dict["NAME"] or settings.database_name
        params = super().get_connection_params()
        mount_path = params.pop("litefs_mount_path", settings.mount_path)
        if "transaction_mode" not in self.settings_dict["OPTIONS"]:
            self.transaction_mode = DEFAULT_TRANSACTION_MODE
        if settings.enabled and not self.is_in_memory_db():
            params["database"] = _path_on_mount(str(mount_path), str(params["database"]))
        return params

    def get_new_connection(self, conn_params):
        self._is_stale = False
        return super().get_new_connection(conn_params)

    def create_cursor(self, name=None):
        return self.connection.cursor(factory=self._create_cursor)

    def _create_cursor(self, connection: sqlite3.Connection) -> CursorWrapper:
        return CursorWrapper(connection, self)

    def _commit(self):
        with self.translated("COMMIT"):
            return super()._commit()

    def is_usable(self):
        return not self._is_stale and super().is_usable()

    @contextmanager
    def translated(self, query: str):
        """What is raised inside of it comes out as an error of skein_django, where it is one."""
        try:
            yield
        except (sqlite3.OperationalError, OperationalError) as error:
            translation = self._translation(error, query)
            if translation is None:
                raise
            raise translation from error

    def _translation(self, error: Exception, query: str) -> SkeinError | None:
        cause = error if isinstance(error, sqlite3.Error) else error.__cause__
        code = getattr(cause, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK
        if code not in _NODE_CODES:
            return None
        # The next request opens the database anew.
        self._is_stale = True
        self.errors_occurred = True
        word = query.split(maxsplit=1)[0].upper() if query.strip() else ""
        if word in _READS:
            return None
        # In a transaction only COMMIT commits; outside, every statement does.
        may_have_committed = word == "COMMIT" or not (self.in_atomic_block or word in _OPENINGS)
        if code == sqlite3.SQLITE_IOERR and may_have_committed:
            return OutcomeUnknownError()
        return _refusal()


def _refusal() -> SkeinError | None:
    """Why this node takes no writes; None: it does, as far as it says."""
    state = node_state()
    match state.role:
        case "replica":
            return NotPrimaryError(state.primary)
        case "no-primary":
            return NoPrimaryError()
        case "fenced":
            return FencedError()
        case _:
            return None


def _path_on_mount(mount_path: str, name: str) -> str:
    path = os.path.normpath(os.path.join(mount_path, name))
    if os.path.dirname(path) != os.path.normpath(mount_path):
        raise ImproperlyConfigured(f"NAME {name!r} is no file in {mount_path}")
    # The folder below it would take a database that no other node ever sees.
    if not os.path.ismount(mount_path):
        raise NodeUnreachableError(f"Nothing is mounted at {mount_path}")
    return path
