import pathlib
import unittest

from django.test import override_settings

from skein_django.conf import SettingsError, load_settings, read_settings


def problems_of(values) -> list[str]:
    try:
        read_settings("LITEFS", values)
    except SettingsError as error:
        return error.problems
    return []


class ReadSettingsTest(unittest.TestCase):
    def test_takes_what_projects_for_litefs_say(self) -> None:
        settings = read_settings(
            "LITEFS",
            {
                "MOUNT_PATH": pathlib.Path("/litefs"),
                "DATA_PATH": "/data/",
                "DATABASE_NAME": "db.sqlite3",
                "LEADER_ELECTION": "static",
                "PRIMARY_HOSTNAME": "node1",
                "PROXY_ADDR": ":8081",
                "ENABLED": True,
                "RETENTION": "1h",
            },
        )
        self.assertEqual(settings.mount_path, "/litefs")
        self.assertEqual(settings.data_path, "/data")
        self.assertEqual(settings.primary_hostname, "node1")
        self.assertTrue(settings.enabled)

    def test_the_data_folder_is_beside_the_mount_as_the_daemon_has_it(self) -> None:
        self.assertEqual(read_settings("SKEIN", {"MOUNT_PATH": "/srv/app"}).data_path, "/srv/.app")

    def test_names_everything_that_is_wrong_with_what_is_accepted(self) -> None:
        problems = problems_of(
            {
                "MOUNT_PATH": "litefs",
                "DATA_PATH": "/data/../etc",
                "DATABASE_NAME": "a/b",
                "LEADER_ELECTION": "raft",
                "PRIMARY_HOSTNAME": " node1",
                "PROXY_ADDR": "8081x",
                "ENABLED": "yes",
                "RETENTION": "an hour",
                "RETENTOIN": "1h",
            }
        )
        self.assertEqual(len(problems), 9)
        for expected in (
            "LITEFS['RETENTOIN']: there is no such setting; accepted: MOUNT_PATH, ",
            "LITEFS['ENABLED']: 'yes' is neither True nor False",
            "LITEFS['MOUNT_PATH']: 'litefs' is no absolute path; accepted: a folder, like /litefs",
            "LITEFS['DATA_PATH']: '/data/../etc' goes up by '..'",
            "LITEFS['DATABASE_NAME']: 'a/b' is no name of a database; accepted: ",
            "LITEFS['LEADER_ELECTION']: 'raft' does not exist yet; accepted: static",
            "LITEFS['PRIMARY_HOSTNAME']: ' node1' is no name of a node; accepted: ",
            "LITEFS['PROXY_ADDR']: '8081x' is no address; accepted: ",
            "LITEFS['RETENTION']: 'an hour' is no duration; accepted: 90s, ",
        ):
            with self.subTest(expected):
                self.assertTrue(any(each.startswith(expected) for each in problems), problems)

    def test_without_skein_no_folder_is_needed(self) -> None:
        self.assertEqual(problems_of({"ENABLED": False}), [])
        self.assertEqual(len(problems_of({})), 1)

    def test_a_project_without_settings_is_never_taken_for_one_without_skein(self) -> None:
        with override_settings(LITEFS=None), self.assertRaises(SettingsError):
            load_settings()
        with override_settings(SKEIN={"ENABLED": False}), self.assertRaises(SettingsError):
            load_settings()
        with override_settings(LITEFS=None, SKEIN={"ENABLED": False}):
            self.assertFalse(load_settings().enabled)
