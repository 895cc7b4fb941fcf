"""The settings of the node: the dictionary ``LITEFS``, or ``SKEIN``, of a Django project.

Invariant: what ``load_settings()`` returns is accepted by the daemon; of what is wrong it names
every setting, with what is accepted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

KNOWN_KEYS = (
    "MOUNT_PATH",
    "DATA_PATH",
    "DATABASE_NAME",
    "LEADER_ELECTION",
    "PRIMARY_HOSTNAME",
    "PROXY_ADDR",
    "ENABLED",
    "RETENTION",
)

_DICT_NAMES = ("SKEIN", "LITEFS")
_ADDRESS = re.compile(r"(?:(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]*):)?(\d{1,5})")
_PORT_MAX = 65_535
_NODE_NAME = re.compile(r"[\x21-\x7e]{1,255}")
_DURATION = re.compile(r"0|(?:\d+(?:\.\d+)?(?:ms|[dhms]))+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Files beside a database, which are none themselves.
_COMPANION = re.compile(r"-(?:journal|wal|shm|pos|lock)$")


@dataclass(frozen=True)
class SkeinSettings:
    """Settings that can be; paths are absolute. Without Skein only ``enabled`` means anything."""

    enabled: bool
    mount_path: str
    data_path: str
    database_name: str | None
    leader_election: str
    primary_hostname: str | None
    proxy_addr: str | None
    retention: str | None


class SettingsError(ImproperlyConfigured):
    """Settings that cannot be; ``problems`` has a sentence for each."""

    code = "SETTINGS_INVALID"

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def load_settings() -> SkeinSettings:
    """Reads the project's dictionary. Raises SettingsError with all that is wrong."""
    given = [name for name in _DICT_NAMES if getattr(django_settings, name, None) is not None]
    if not given:
        # Never taken for "not enabled": every node would be a database of its own.
        raise SettingsError(["There is neither SKEIN nor LITEFS: say one, or ENABLED: False in it"])
    if len(given) > 1:
        raise SettingsError(["There are both SKEIN and LITEFS: say one of them"])
    return read_settings(given[0], getattr(django_settings, given[0]))


def read_settings(name: str, values: object) -> SkeinSettings:
    """The settings of a dictionary that is called ``name``. Raises SettingsError."""
    if not isinstance(values, Mapping):
        raise SettingsError([f"{name}: expected a dictionary with {', '.join(KNOWN_KEYS)}"])
    reader = _Reader(name, values)
    enabled = reader.flag("ENABLED", default=True)
    mount_path = reader.path("MOUNT_PATH", is_needed=enabled)
    data_path = reader.path("DATA_PATH")
    result = SkeinSettings(
        enabled=enabled,
        mount_path=mount_path or "",
        data_path=data_path or _beside(mount_path or "/"),
        database_name=reader.text("DATABASE_NAME", _whats_wrong_with_database),
        leader_election=reader.text("LEADER_ELECTION", _whats_wrong_with_election) or "static",
        primary_hostname=reader.text("PRIMARY_HOSTNAME", _whats_wrong_with_node_name),
        proxy_addr=reader.text("PROXY_ADDR", _whats_wrong_with_address),
        retention=reader.text("RETENTION", _whats_wrong_with_retention),
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return result


def _beside(mount_path: str) -> str:
    folder, name = os.path.split(mount_path.rstrip("/"))
    return os.path.join(folder, f".{name}")


class _Reader:
    def __init__(self, name: str, values: Mapping[object, object]) -> None:
        self._name = name
        self._values = values
        known = ", ".join(KNOWN_KEYS)
        self.problems = [
            f"{name}[{key!r}]: there is no such setting; accepted: {known}"
            for key in values
            if key not in KNOWN_KEYS
        ]

    def flag(self, key: str, default: bool) -> bool:
        value = self._values.get(key, default)
        if isinstance(value, bool):
            return value
        self._fail(key, f"{value!r} is neither True nor False")
        return default

    def path(self, key: str, is_needed: bool = False) -> str | None:
        value = self._values.get(key)
        # A pathlib.Path, as Django's own settings have it.
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if value is None:
            if is_needed:
                self._fail(key, "which folder? Name it, like /litefs")
            return None
        if not isinstance(value, str) or not os.path.isabs(value) or "\0" in value:
            self._fail(key, f"{value!r} is no absolute path; accepted: a folder, like /litefs")
            return None
        if ".." in value.split("/"):
            self._fail(key, f"{value!r} goes up by '..'; accepted: a folder, like /litefs")
            return None
        return os.path.normpath(value)

    def text(self, key: str, whats_wrong) -> str | None:
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self._fail(key, f"{value!r} is no text")
            return None
        fault = whats_wrong(value)
        if fault is None:
            return value
        self._fail(key, f"{value!r} {fault}")
        return None

    def _fail(self, key: str, message: str) -> None:
        self.problems.append(f"{self._name}[{key!r}]: {message}")


def _whats_wrong_with_database(value: str) -> str | None:
    is_name = value.strip() != "" and "/" not in value and not value.startswith(".")
    if is_name and _CONTROL.search(value) is None and _COMPANION.search(value) is None:
        return None
    return "is no name of a database; accepted: a file in the mount, like db.sqlite3"


def _whats_wrong_with_election(value: str) -> str | None:
    if value == "static":
        return None
    known = "accepted: static, with the primary named by PRIMARY_HOSTNAME"
    fault = "does not exist yet" if value == "raft" else "is no leader election"
    return f"{fault}; {known}"


def _whats_wrong_with_node_name(value: str) -> str | None:
    if _NODE_NAME.fullmatch(value):
        return None
    return "is no name of a node; accepted: 1 to 255 ASCII letters, digits, signs"


def _whats_wrong_with_address(value: str) -> str | None:
    match = _ADDRESS.fullmatch(value)
    if match is not None and int(match[1]) <= _PORT_MAX:
        return None
    return "is no address; accepted: 127.0.0.1:8081, or :8081 for all interfaces"


def _whats_wrong_with_retention(value: str) -> str | None:
    if _DURATION.fullmatch(value):
        return None
    return "is no duration; accepted: 90s, 10m, 24h, 0"
