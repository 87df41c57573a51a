"""What hosts watch: the list of sessions and what happens in each; nothing else tells of its changes."""

from __future__ import annotations

from functools import partial

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

from kiro_mcp.server.resources import AGENTS, BELOW, CONFIG, unknown
from kiro_mcp.server.serving import Context
from kiro_mcp.server.subscribing import SESSIONS
from kiro_mcp.service import Service
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.hosts import Host


async def subscribe(ctx: Context, params: SubscribeRequestParams) -> EmptyResult:
    """Answer `resources/subscribe` of the handshake era: changes come as `notifications/resources/updated`."""
    serving = ctx.lifespan_context
    connection = serving.connections.of(ctx)
    _check(serving.service, connection.host, params.uri)
    connection.subscriber.uris.add(params.uri)
    if not connection.subscriber.running:
        connection.subscriber.running = True
        seen = partial(_seen, serving.service, connection.host)
        serving.tasks.start_soon(connection.subscriber.run, ctx.session, serving.changes, seen)
    return EmptyResult()


async def unsubscribe(ctx: Context, params: UnsubscribeRequestParams) -> EmptyResult:
    """Answer `resources/unsubscribe`."""
    ctx.lifespan_context.connections.of(ctx).subscriber.uris.discard(params.uri)
    return EmptyResult()


async def listen(ctx: Context, params: SubscriptionsListenRequestParams) -> SubscriptionsListenResult:
    """Answer `subscriptions/listen` of 2026-07-28; what it acknowledges is what there can be news of."""
    serving = ctx.lifespan_context
    host = serving.connections.of(ctx).host
    wanted = params.notifications
    news = [uri for uri in wanted.resource_subscriptions or () if _has_news(serving.service, host, uri)]
    fixed = {"tools_list_changed": None, "prompts_list_changed": None}
    honoured = wanted.model_copy(update={**fixed, "resource_subscriptions": news or None})
    return await serving.listen(ctx, params.model_copy(update={"notifications": honoured}))


def _seen(service: Service, host: Host) -> set[str]:
    """The resources of the open sessions that a host sees."""
    return {BELOW + one.id for one in service.sessions.listed(host)}


def _has_news(service: Service, host: Host, uri: str) -> bool:
    try:
        _check(service, host, uri)
    except MCPError:
        return False
    return True


def _check(service: Service, host: Host, uri: str) -> None:
    """Whether there can be news of it: a session's only while it is open."""
    if uri.startswith(BELOW):
        try:
            service.sessions.find(host, uri.removeprefix(BELOW))
        except ToolFailure as failure:
            raise unknown(uri, failure) from failure
    elif uri in (AGENTS, CONFIG):
        raise MCPError(INVALID_PARAMS, f"Nobody is told of changes of {uri}: read it again.", {"uri": uri})
    elif uri != SESSIONS:
        raise unknown(uri)
