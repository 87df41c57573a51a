"""Adds the fixtures to a server, which stays what it is: a handler answers for a fixture, or asks the one before it."""

import mcp_types as types

from official import asking, content, prompts, resources, rounds, wire


def add_fixtures(server):
    """Extend the product's server, in place."""
    tools = {**content.TOOLS, **asking.TOOLS, **rounds.TOOLS, **wire.TOOLS}
    _list(server, "tools/list", "tools", [fixture.told for fixture in tools.values()])
    _answer(server, "tools/call", _answers(tools), lambda params: params.name)
    _check_headers(server, {name: fixture.told.input_schema for name, fixture in tools.items()})
    asked = {**prompts.PROMPTS, **rounds.PROMPTS}
    _list(server, "prompts/list", "prompts", [fixture.told for fixture in asked.values()])
    _answer(
        server, "prompts/get", {name: fixture.answer for name, fixture in asked.items()}, lambda params: params.name
    )
    _list(server, "resources/list", "resources", resources.RESOURCES)
    _list(server, "resources/templates/list", "resource_templates", [resources.TEMPLATE])
    _answer(server, "resources/read", resources.READERS, resources.reader_of)
    for method in ("resources/subscribe", "resources/unsubscribe"):
        _answer(server, method, {resources.WATCHED: _empty}, lambda params: params.uri)
    _announce_changes(server)
    server.add_request_handler("completion/complete", types.CompleteRequestParams, prompts.complete)
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, _empty)


def _answers(fixtures):
    return {name: fixture.answer for name, fixture in fixtures.items()}


def _list(server, method, field, more):
    """Let a listing end with more."""
    there = server.get_request_handler(method)

    async def listed(context, params):
        result = await there.handler(context, params)
        if result.next_cursor is not None:
            return result
        return result.model_copy(update={field: [*getattr(result, field), *more]})

    server.add_request_handler(method, there.params_type, listed)


def _answer(server, method, fixtures, name_of):
    """Let fixtures answer to their names, and the server itself to all others."""
    there = server.get_request_handler(method)

    async def answered(context, params):
        return await fixtures.get(name_of(params), there.handler)(context, params)

    server.add_request_handler(method, there.params_type, answered)


def _check_headers(server, schemas):
    """Have the headers of calls of the fixtures checked too."""
    there = server.get_tool_input_schema
    if there is not None:
        server.get_tool_input_schema = lambda name: schemas.get(name) or there(name)


def _announce_changes(server):
    """With the fixtures the lists of tools and prompts change, of which the server has nothing to tell by itself."""
    announced = super(type(server), server).get_capabilities
    server.get_capabilities = announced

    async def listen(context, params):
        return await context.lifespan_context.listen(context, params)

    server.add_request_handler("subscriptions/listen", types.SubscriptionsListenRequestParams, listen)


async def _empty(context, params):
    return types.EmptyResult()
