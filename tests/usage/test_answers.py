"""Texts of requests and answers: read only where they are asked for, from every format."""

import json

import pytest

from costopt.usage.opening import open_requests

TIME = "2026-11-02T10:00:00Z"
ASKED, SAID = "Which town?", "Ghent, \u2019t is."
MESSAGES = [{"role": "user", "content": ASKED}]
COUNTS = {"prompt_tokens": 5, "completion_tokens": 3}
RECORDS = {
    "openai-chat": {
        "timestamp": TIME, "request": {"messages": MESSAGES},
        "response": {"id": "a", "model": "m", "usage": COUNTS,
                     "choices": [{"message": {"role": "assistant", "content": SAID}}]},
    },
    "openai-responses": {
        "timestamp": TIME, "request": {"input": MESSAGES},
        "response": {
            "id": "a", "model": "m", "usage": {"input_tokens": 5, "output_tokens": 3},
            "output": [{"type": "reasoning", "summary": []},
                       {"type": "message", "content": [{"type": "output_text", "text": SAID}]}],
        },
    },
    "anthropic": {
        "timestamp": TIME, "request": {"messages": MESSAGES},
        "response": {"id": "a", "type": "message", "model": "m",
                     "content": [{"type": "text", "text": SAID}],
                     "usage": {"input_tokens": 5, "output_tokens": 3}},
    },
    "litellm": {
        "request_id": "a", "call_type": "acompletion", "spend": 0.1, "startTime": TIME,
        "model": "m", "custom_llm_provider": "openai", **COUNTS, "messages": MESSAGES,
        "response": {"choices": [{"message": {"role": "assistant", "content": SAID}}]},
    },
    "langfuse": {
        "id": "a", "traceId": "t", "type": "GENERATION", "startTime": TIME, "model": "m",
        "usageDetails": {"input": 5, "output": 3}, "input": MESSAGES,
        "output": {"role": "assistant", "content": SAID},
    },
    "langfuse-text": {
        "id": "a", "traceId": "t", "type": "GENERATION", "startTime": TIME, "model": "m",
        "usageDetails": {"input": 5, "output": 3}, "input": MESSAGES, "output": SAID,
    },
    "helicone": {
        "request_id": "a", "request_created_at": TIME, "response_status": 200, "delay_ms": 5,
        "provider": "OPENAI", "model": "m", **COUNTS, "request_body": {"messages": MESSAGES},
        "response_body": {"choices": [{"message": {"content": SAID}}]},
    },
    "otel": {"resourceSpans": [{"scopeSpans": [{"spans": [{
        "spanId": "a", "startTimeUnixNano": "1793613600000000000",
        "endTimeUnixNano": "1793613601000000000",
        "attributes": [
            {"key": "gen_ai.response.model", "value": {"stringValue": "m"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "5"}},
            {"key": "gen_ai.input.messages", "value": {"stringValue": json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": ASKED}]}])}},
            {"key": "gen_ai.output.messages", "value": {"stringValue": json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": SAID}]}])}},
        ]}]}]}]},
    "plain": {"timestamp": TIME, "model": "m", "input_tokens": 5, "text": ASKED, "answer": SAID},
}  # fmt: skip


def texts(tmp_path, record, *, text):
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(record) + "\n")
    with open_requests([str(path)], text=text) as found:
        return found.connection.execute("SELECT text, answer FROM requests").fetchall()


@pytest.mark.parametrize("name", RECORDS)
def test_texts_are_kept_where_they_are_asked_for(tmp_path, name):
    assert texts(tmp_path, RECORDS[name], text=True) == [(ASKED, SAID)]
    assert texts(tmp_path, RECORDS[name], text=False) == [(None, None)]


@pytest.mark.parametrize("said", ["42", "true", '{"town": "Ghent"}', "[1, 2]", '"Ghent"'])
def test_an_answer_that_is_json_is_kept_as_it_is(tmp_path, said):
    chat = json.loads(
        json.dumps(RECORDS["openai-chat"]).replace(json.dumps(SAID), json.dumps(said))
    )
    langfuse = {**RECORDS["langfuse-text"], "output": said}
    assert texts(tmp_path, chat, text=True) == [(ASKED, said)]
    assert texts(tmp_path, langfuse, text=True) == [(ASKED, said)]


def test_a_plain_table_keeps_them_too(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f'at,model,input_tokens,text,response_text\n{TIME},m,5,{ASKED},"{SAID}"\n')
    with open_requests([str(path)], text=True) as found:
        rows = found.connection.execute("SELECT text, answer FROM requests").fetchall()
    assert rows == [(ASKED, SAID)]


def test_parts_of_a_message_are_read_once(tmp_path):
    parts = [{"role": "user", "content": [{"type": "text", "text": ASKED}]}]
    record = {**RECORDS["anthropic"], "request": {"messages": parts}}
    assert texts(tmp_path, record, text=True) == [(ASKED, SAID)]
