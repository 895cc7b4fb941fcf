import unittest
from unittest import mock

from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings

ENGINE = "skein_django.db.backends.skein"


def found(**kwargs) -> list[tuple[str, str]]:
    return [(each.id, each.msg) for each in run_checks(**kwargs) if each.id.startswith("skein.")]


class ChecksTest(unittest.TestCase):
    def test_nothing_is_found_where_nothing_is_wrong(self) -> None:
        self.assertEqual(found(), [])

    def test_every_setting_is_an_error_of_its_own(self) -> None:
        with override_settings(LITEFS={"MOUNT_PATH": "x", "RETENTION": "y"}):
            self.assertEqual([id for id, _ in found()], ["skein.E001", "skein.E001"])

    def test_databases_are_where_the_settings_say(self) -> None:
        database = {
            "ENGINE": ENGINE,
            "NAME": "other.db",
            "OPTIONS": {"litefs_mount_path": "/elsewhere", "transaction_mode": "LATER"},
        }
        with mock.patch.object(settings, "DATABASES", {"default": database}):
            messages = [message for id, message in found() if id == "skein.E002"]
        self.assertEqual(
            messages,
            [
                "DATABASES['default']: litefs_mount_path '/elsewhere' is not MOUNT_PATH; "
                "accepted: /litefs",
                "DATABASES['default']: transaction_mode 'LATER' does not exist; "
                "accepted: DEFERRED, EXCLUSIVE, IMMEDIATE",
                "DATABASES['default']: NAME 'other.db' is not DATABASE_NAME; accepted: db.sqlite3",
            ],
        )

    def test_before_a_migration_the_node_has_to_be_there(self) -> None:
        nowhere = {"MOUNT_PATH": "/litefs", "DATA_PATH": "/nowhere"}
        with override_settings(LITEFS=nowhere):
            self.assertEqual(found(), [])
            (id, message), *others = found(databases=["default"])
        self.assertEqual((id, others), ("skein.E003", []))
        self.assertIn("Cannot ask the node of /nowhere", message)
