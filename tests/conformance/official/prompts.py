"""Prompts of every kind, and completion of their arguments."""

import mcp_types as types

from official.content import IMAGE
from official.fixture import Fixture, words


def _prompt(name, messages, *arguments):
    listed = [types.PromptArgument(name=argument, required=True) for argument in arguments]
    told = types.Prompt(name=name, description=f"{name} of the suite.", arguments=listed)

    async def answer(context, params):
        content = messages(params.arguments or {})
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=each) for each in content])

    return {name: Fixture(told, answer)}


def _embedded(given):
    uri = given["resourceUri"]
    text = types.TextResourceContents(uri=uri, mime_type="text/plain", text="Embedded resource content for testing.")
    return [
        types.EmbeddedResource(type="resource", resource=text),
        words("Please process the embedded resource above."),
    ]


async def complete(context, params):
    """Complete nothing: the suite wants to see that it may ask."""
    return types.CompleteResult(completion=types.Completion(values=[], total=0, has_more=False))


PROMPTS = {
    **_prompt("test_simple_prompt", lambda given: [words("This is a simple prompt for testing.")]),
    **_prompt(
        "test_prompt_with_arguments",
        lambda given: [words(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")],
        "arg1",
        "arg2",
    ),
    **_prompt("test_prompt_with_embedded_resource", _embedded, "resourceUri"),
    **_prompt("test_prompt_with_image", lambda given: [IMAGE, words("Please analyze the image above.")]),
}
