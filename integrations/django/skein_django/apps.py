"""The application: registers the checks that run before a server or a migration does."""

from django.apps import AppConfig
from django.core import checks


class SkeinConfig(AppConfig):
    name = "skein_django"
    verbose_name = "Skein"

    def ready(self) -> None:
        from skein_django.checks import check_databases, check_node, check_settings

        checks.register(check_settings)
        checks.register(check_databases)
        checks.register(check_node, checks.Tags.database)
