"""What Django's own test client and test runner do is as on any other machine."""

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import TestCase, TransactionTestCase

from board.models import Message


class BoardTest(TestCase):
    def test_a_message_is_made_and_listed(self) -> None:
        made = self.client.post("/messages/", {"content": "hello"}, "application/json")
        self.assertEqual((made.status_code, made.json()["number"]), (201, 1))
        self.assertEqual(self.client.get("/messages/").json()["messages"], ["hello"])

    def test_each_test_begins_with_an_empty_database(self) -> None:
        self.assertEqual(Message.objects.count(), 0)

    def test_the_admin_asks_who_it_is(self) -> None:
        get_user_model().objects.create_superuser("admin", password="secret")
        self.assertEqual(self.client.get("/admin/").status_code, 302)
        self.assertTrue(self.client.login(username="admin", password="secret"))
        self.assertEqual(self.client.get("/admin/board/message/").status_code, 200)


class DatabaseTest(TransactionTestCase):
    def test_tests_have_a_database_of_their_own(self) -> None:
        Message.objects.create(content="never seen by anybody else")
        self.assertTrue(connection.is_in_memory_db())
