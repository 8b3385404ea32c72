"""A request in pydantic-ai's terms, and the text of its answer. Imported where one is made."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic_ai import messages as ai
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from ..core.protocols import TargetError
from ..core.types import GenerationSettings, Message, Request
from .chat import called

_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")


def messages_of(request: Request) -> list[ai.ModelMessage]:
    """Return the conversation; the order stays.

    Raises:
        TargetError: a message has a role that cannot be sent.
    """
    spoken: list[ai.ModelMessage] = []
    for message in request.messages:
        if message.role == "assistant":
            spoken.append(ai.ModelResponse(parts=[ai.TextPart(message.content)]))
            continue
        part = _part(message)
        last = spoken[-1] if spoken else None
        if isinstance(last, ai.ModelRequest):
            # Several APIs take the two sides in turns only.
            spoken[-1] = ai.ModelRequest(parts=[*last.parts, part])
        else:
            spoken.append(ai.ModelRequest(parts=[part]))
    return spoken


def settings_of(
    settings: GenerationSettings, capabilities: frozenset[str], timeout_s: float
) -> ModelSettings:
    """Return how the answer is drawn; what the target cannot do is left out.

    Raises:
        TargetError: the effort has no such level.
    """
    wanted = ModelSettings(
        max_tokens=settings.max_output_tokens,
        temperature=settings.temperature,
        timeout=timeout_s,
        max_retries=0,
    )
    if settings.stop:
        wanted["stop_sequences"] = list(settings.stop)
    if settings.seed is not None and "seed" in capabilities:
        wanted["seed"] = settings.seed
    if settings.effort is not None and "effort" in capabilities:
        wanted["thinking"] = _thinking(settings.effort)
    return wanted


def parameters_of(settings: GenerationSettings) -> ModelRequestParameters:
    """Return the tools and the response schema.

    Raises:
        TargetError: a tool is no function with a name.
    """
    tools = [_tool(tool) for tool in settings.tools]
    if settings.response_schema is None:
        return ModelRequestParameters(function_tools=tools)
    schema = OutputObjectDefinition(json_schema=dict(settings.response_schema), name="answer")
    return ModelRequestParameters(function_tools=tools, output_mode="native", output_object=schema)


def answer_text(response: ai.ModelResponse) -> str:
    """Return the answer's text, and its tool calls as JSON; thoughts are left out."""
    said = "".join(part.content for part in response.parts if isinstance(part, ai.TextPart))
    calls = [
        {"name": part.tool_name, "arguments": part.args_as_json_str()}
        for part in response.parts
        if isinstance(part, ai.ToolCallPart)
    ]
    return called(calls, said)


def _part(message: Message) -> ai.ModelRequestPart:
    if message.role in ("system", "developer"):
        return ai.SystemPromptPart(message.content)
    if message.role == "user":
        return ai.UserPromptPart(message.content)
    raise TargetError(f'messages of role "{message.role}" cannot be sent', kind="rejected")


def _thinking(effort: str) -> Any:  # noqa: ANN401 - a literal of the library's
    if effort == "none":
        return False
    if effort not in _EFFORTS:
        raise TargetError(f'there is no reasoning effort "{effort:.20}"', kind="rejected")
    return effort


def _tool(tool: Mapping[str, Any]) -> ToolDefinition:
    """Return a tool that is written as OpenAI has it: ``{"type": "function", "function": {…}}``."""
    found = tool.get("function", tool)
    if not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
        raise TargetError("a tool is no function with a name", kind="rejected")
    function = cast(Mapping[str, Any], found)
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return ToolDefinition(
        name=function["name"],
        description=function.get("description"),
        parameters_json_schema=dict(schema),
        strict=function.get("strict"),
    )
