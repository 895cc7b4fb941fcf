"""Tests that need no node: python -m unittest, in the folder above, with Django on the path."""

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["skein_django"],
    DATABASES={"default": {"ENGINE": "skein_django.db.backends.skein", "NAME": "db.sqlite3"}},
    LITEFS={"MOUNT_PATH": "/litefs", "DATA_PATH": "/data", "DATABASE_NAME": "db.sqlite3"},
    ROOT_URLCONF="skein_django.urls",
)
django.setup()
