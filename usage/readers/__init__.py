"""How requests are read out of each log format: one file a format."""

from collections.abc import Mapping

from . import anthropic, helicone, langfuse, litellm, openai, otel, plain
from .spec import JsonFormat

JSON_FORMATS: Mapping[str, JsonFormat] = {
    found.name: found
    for found in (
        otel.FORMAT,
        litellm.FORMAT,
        langfuse.FORMAT,
        helicone.FORMAT,
        anthropic.FORMAT,
        openai.FORMAT,
    )
}
"""Formats of nested JSON, in the order in which a log is tried for them."""

NAMES: tuple[str, ...] = (*JSON_FORMATS, plain.NAME)
"""What ``--log-format`` takes."""
