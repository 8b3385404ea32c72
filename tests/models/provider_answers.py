"""What providers answer, in the shapes that their documentation gives: one answer a family.

The numbers are made up. Each has input read from a cache, and where the provider counts such, input
written to one, and tokens of reasoning.
"""

import json
from typing import Any


def chat(usage: dict[str, Any], text: str = "Hello") -> bytes:
    """OpenAI's chat completions, which most others speak too."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**body, "choices": [choice], "usage": usage}).encode()


# OpenAI and most others: parts of the totals.
OPENAI = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 800, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 20,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
# OpenRouter: the same, with writes and what it cost.
OPENROUTER = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "cost": 0.0012,
    "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
# DeepSeek: hits and misses of the cache beside the total.
DEEPSEEK = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_cache_hit_tokens": 800,
    "prompt_cache_miss_tokens": 200,
    "completion_tokens_details": {"reasoning_tokens": 20},
}
# Moonshot: cached tokens at the top.
MOONSHOT = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "cached_tokens": 800,
}
# xAI: reasoning beside the completion, in the total.
XAI = {
    "prompt_tokens": 1000,
    "completion_tokens": 30,
    "total_tokens": 1050,
    "prompt_tokens_details": {"text_tokens": 1000, "cached_tokens": 800},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
# Groq: OpenAI's, with times.
GROQ = {
    "queue_time": 0.01,
    "prompt_time": 0.002,
    "completion_time": 0.03,
    "total_time": 0.032,
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 800},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
# Mistral: OpenAI's.
MISTRAL = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 800},
}


def anthropic(text: str = "Hello") -> bytes:
    """Anthropic: the input leaves out what was read from and written to the cache."""
    usage = {
        "input_tokens": 100,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 600,
        "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
        "service_tier": "standard",
    }
    body = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5"}
    content = [{"type": "text", "text": text}]
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    return json.dumps({**body, "content": content, **ending, "usage": usage}).encode()


def google(text: str = "Hello") -> bytes:
    """Gemini: thoughts beside the candidates, cached content in the prompt."""
    usage = {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 800,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 20,
        "totalTokenCount": 1050,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1000}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 800}],
    }
    content = {"role": "model", "parts": [{"text": text}]}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    body = {"candidates": [candidate], "usageMetadata": usage}
    return json.dumps({**body, "modelVersion": "gemini-2.5-flash", "responseId": "r1"}).encode()


def bedrock(text: str = "Hello") -> bytes:
    """Bedrock's Converse: the input leaves out what was read from and written to the cache."""
    usage = {
        "inputTokens": 100,
        "outputTokens": 50,
        "totalTokens": 1050,
        "cacheReadInputTokens": 600,
        "cacheWriteInputTokens": 300,
    }
    output = {"message": {"role": "assistant", "content": [{"text": text}]}}
    body = {"output": output, "stopReason": "end_turn", "metrics": {"latencyMs": 100}}
    return json.dumps({**body, "usage": usage}).encode()
