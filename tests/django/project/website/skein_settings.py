"""The same project with skein_django."""

import os

from website.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "skein_django"]  # noqa: F405
MIDDLEWARE = [*MIDDLEWARE, "skein_django.middleware.SkeinErrorMiddleware"]  # noqa: F405
ROOT_URLCONF = "website.skein_urls"

LITEFS = {
    "MOUNT_PATH": os.path.dirname(os.environ["DATABASE_PATH"]),
    "DATA_PATH": os.environ["DATA_PATH"],
    "DATABASE_NAME": os.path.basename(os.environ["DATABASE_PATH"]),
    "LEADER_ELECTION": "static",
    "PRIMARY_HOSTNAME": "node1",
    "PROXY_ADDR": ":8081",
    "ENABLED": True,
    "RETENTION": "1h",
}

DATABASES = {
    "default": {
        "ENGINE": "skein_django.db.backends.skein",
        "NAME": LITEFS["DATABASE_NAME"],
        # Kept from one request to the next: the backend notices when a node is not what it was.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "litefs_mount_path": LITEFS["MOUNT_PATH"],
            "transaction_mode": "IMMEDIATE",
        },
    }
}
