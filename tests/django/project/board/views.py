import json

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from board.models import Message, executing_node


@csrf_exempt
def messages(request: HttpRequest) -> JsonResponse:
    """GET lists them; POST makes one, in a transaction that reads first."""
    if request.method == "POST":
        with transaction.atomic():
            number = Message.objects.count() + 1
            message = Message.objects.create(content=json.loads(request.body)["content"])
        body = {"number": number, "content": message.content, "node_name": message.node_name}
        return JsonResponse(body, status=201)
    # A transaction that only reads: with IMMEDIATE it is no write on a replica.
    with transaction.atomic():
        contents = list(Message.objects.values_list("content", flat=True))
    return JsonResponse({"answered_by": executing_node(), "messages": contents})
