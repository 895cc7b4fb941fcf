import os

from django.db import models


def executing_node() -> str:
    """The node whose process executes the write."""
    return os.environ.get("NODE_NAME", "")


class Message(models.Model):
    content = models.TextField()
    node_name = models.CharField(max_length=255, default=executing_node, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.content
