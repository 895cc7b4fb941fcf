from django.contrib import admin

from board.models import Message


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ["content", "node_name", "created_at"]
    search_fields = ["content"]
