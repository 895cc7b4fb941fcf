"""What ``manage.py check`` finds wrong, all of it at once.

    skein.E001   a setting of LITEFS or SKEIN
    skein.E002   a database that is not where the settings say
    skein.E003   the daemon of this node is not there (before migrations, and with --database)

A server that runs no checks is refused the same by the backend, when it opens the database.
"""

from __future__ import annotations

import os

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error
from django.db.backends.sqlite3.base import DatabaseWrapper as SqliteWrapper

from skein_django.conf import SettingsError, SkeinSettings, load_settings
from skein_django.errors import NodeUnreachableError
from skein_django.node import ask_node

ENGINE = "skein_django.db.backends.skein"


def check_settings(app_configs, **kwargs) -> list[CheckMessage]:
    try:
        load_settings()
    except SettingsError as error:
        return [Error(problem, id="skein.E001") for problem in error.problems]
    return []


def check_databases(app_configs, **kwargs) -> list[CheckMessage]:
    settings = _maybe_settings()
    if settings is None or not settings.enabled:
        return []
    problems = [
        f"DATABASES[{alias!r}]: {problem}"
        for alias, database in django_settings.DATABASES.items()
        if database.get("ENGINE") == ENGINE
        for problem in _problems_of(database, settings)
    ]
    return [Error(problem, id="skein.E002") for problem in problems]


def check_node(app_configs, databases=None, **kwargs) -> list[CheckMessage]:
    settings = _maybe_settings()
    if not databases or settings is None or not settings.enabled:
        return []
    try:
        ask_node(settings)
    except NodeUnreachableError as error:
        return [Error(str(error), hint=error.hint, id="skein.E003")]
    return []


def _maybe_settings() -> SkeinSettings | None:
    try:
        return load_settings()
    except SettingsError:
        return None


def _problems_of(database: dict, settings: SkeinSettings) -> list[str]:
    options = database.get("OPTIONS") or {}
    problems = []
    mount_path = os.fspath(options.get("litefs_mount_path", settings.mount_path))
    if os.path.normpath(mount_path) != settings.mount_path:
        problems.append(
            f"litefs_mount_path {mount_path!r} is not MOUNT_PATH; accepted: {settings.mount_path}"
        )
    mode = options.get("transaction_mode", "IMMEDIATE")
    # None is Django's own word for "as SQLite does it".
    if mode is not None and str(mode).upper() not in SqliteWrapper.transaction_modes:
        accepted = ", ".join(sorted(SqliteWrapper.transaction_modes))
        problems.append(f"transaction_mode {mode!r} does not exist; accepted: {accepted}")
    name = str(database.get("NAME") or settings.database_name or "")
    if name == "":
        problems.append("which database? accepted: NAME, or DATABASE_NAME, a file in the mount")
    elif settings.database_name not in (None, os.path.basename(name)):
        problems.append(f"NAME {name!r} is not DATABASE_NAME; accepted: {settings.database_name}")
    return problems
