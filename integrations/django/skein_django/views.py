"""Health as balancers ask for it. Paths, keys and meanings are those of the TypeScript plugins.

health            200, and how the node is
health/live       200 while the process answers
health/ready      200 while the node may be sent requests: the primary, or a replica that follows
                  closely; and the database has the tables that this code needs
health/primary    200 on the primary alone: where a balancer sends writes
"""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from skein_django.conf import load_settings
from skein_django.node import NodeState, node_state

# As the proxy: a replica that has not heard that it has everything for so long is behind.
MAX_LAG_MS = 10_000

_has_all_migrations = False


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    state = node_state()
    database = load_settings().database_name
    position = state.positions.get(database or "")
    return JsonResponse(
        {
            "node": state.name,
            "role": state.role,
            **_primary_of(state),
            "epoch": state.epoch,
            "lag_ms": state.lag_ms,
            "database": database,
            **({} if position is None else {"txid": f"{position[1]:016x}"}),
            "is_ready": _why_not_ready(state) is None,
            "can_accept_writes": state.is_primary,
        }
    )


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"is_live": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    state = node_state()
    reason = _why_not_ready(state)
    if reason is None:
        return JsonResponse({"is_ready": True, "role": state.role})
    body = {"is_ready": False, "role": state.role, "reason": reason}
    return JsonResponse(body, status=503)


@never_cache
@require_safe
def primary(request: HttpRequest) -> JsonResponse:
    state = node_state()
    body = {"is_primary": state.is_primary, **_primary_of(state)}
    return JsonResponse(body, status=200 if state.is_primary else 503)


def _primary_of(state: NodeState) -> dict[str, str]:
    if state.is_primary:
        return {"primary": state.name}
    return {} if state.primary is None else {"primary": state.primary.name}


def _why_not_ready(state: NodeState) -> str | None:
    if state.role == "no-primary":
        return "No primary is known"
    if state.role == "fenced":
        return "It is not clear who may write"
    if state.lag_ms > MAX_LAG_MS:
        return f"It is {state.lag_ms} ms behind"
    try:
        return None if _is_migrated() else "The database waits for migrations"
    except DatabaseError as error:
        return f"The database cannot be read: {error}"


def _is_migrated() -> bool:
    # What was applied stays; looking through all migrations takes a while.
    global _has_all_migrations
    if not _has_all_migrations:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        _has_all_migrations = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _has_all_migrations
