"""Errors of the node as answers that clients understand, in the words of the proxy.

A handler that failed may have done other things before, so only an unknown outcome is told of the
request as a whole.
"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from skein_django.errors import (
    NOT_PRIMARY_MESSAGE,
    FencedError,
    NoPrimaryError,
    NotPrimaryError,
    OutcomeUnknownError,
)
from skein_django.node import Primary

_RETRY_AFTER_S = 1


class SkeinErrorMiddleware:
    """503 for a write that this node does not take, 502 for an outcome that nobody knows."""

    def __init__(self, get_response) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest):
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> JsonResponse | None:
        if isinstance(error, NotPrimaryError):
            body = {"error": NOT_PRIMARY_MESSAGE, "code": error.code, **_primary(error.primary)}
            return JsonResponse(body, status=503, headers={"Retry-After": _RETRY_AFTER_S})
        if isinstance(error, (NoPrimaryError, FencedError)):
            body = {"error": str(error), "code": error.code}
            return JsonResponse(body, status=503, headers={"Retry-After": _RETRY_AFTER_S})
        if isinstance(error, OutcomeUnknownError):
            body = {"error": str(error), "code": error.code}
            return JsonResponse(body, status=502, headers={"Skein-Outcome": "unknown"})
        return None


def _primary(primary: Primary | None) -> dict:
    if primary is None:
        return {}
    url = primary.proxy_url or primary.url
    return {"primary": {"name": primary.name, **({} if url is None else {"url": url})}}
