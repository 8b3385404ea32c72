"""Result logs of other tools: names of columns, formats, and errors with a place."""

import json
from pathlib import Path

import pytest

from costopt.core.errors import CostoptError
from costopt.evals.result_log import read_result_log


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", lines({"Sample ID": 7, "Expected": "yes", "output": "Yes.", "correct": True,
                           "usage": {"prompt_tokens": 12, "completion_tokens": 2}})),
        ("a.csv", "question-id,gold,response,passed,tokens_in,tokens_out\n7,yes,Yes.,true,12,2\n"),
        ("a.json", json.dumps({"meta": 1, "results": [
            {"id": "7", "reference": "yes", "answer": "Yes.", "score": 1, "input_tokens": 12,
             "output_tokens": 2}]})),
        ("b.json", json.dumps([{"id": "7", "ideal": "yes", "sampled": ["Yes."], "em": "1.0",
                                "input_tokens": 12, "output_tokens": 2}])),
    ],
)  # fmt: skip
def test_common_names(name: str, text: str, tmp_path: Path) -> None:
    row = read_result_log(written(tmp_path, name, text)).rows["7"]
    assert (row.references, row.answer, row.score) == (("yes",), "Yes.", 1.0)
    assert (row.input_tokens, row.output_tokens) == (12.0, 2.0)


def test_named_columns_go_first(tmp_path: Path) -> None:
    file = written(tmp_path, "a.jsonl", lines({"id": 1, "n": "x", "output": "a", "r": {"t": "b"}}))
    log = read_result_log(file, {"id": "n", "answer": "r.t"})
    assert log.rows["x"].answer == "b"
    assert log.columns["answer"] == "r.t"


def test_a_chat_is_one_text(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]
    file = written(tmp_path, "a.jsonl", lines({"id": 1, "prompt": chat}))
    assert read_result_log(file).rows["1"].input == "Be kind.\n\nHi"


def test_unknown_is_not_zero(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "id,answer,score,input_tokens\n1,a,,\n2,b,0,3\n")
    one, two = read_result_log(file).rows.values()
    assert (one.score, one.input_tokens, one.references) == (None, None, ())
    assert (two.score, two.input_tokens) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("name", "text", "columns", "what", "line"),
    [
        ("a.jsonl", "", {}, "the log has no rows", None),
        ("a.jsonl", lines({"id": 1}) + "{", {}, "bad JSON", 2),
        ("a.jsonl", lines({"x": 1}), {}, "the log has no column of ids", None),
        ("a.jsonl", lines({"id": 1}, {"id": 1}), {}, 'row 2 has the id "1" of line 1', 2),
        ("a.jsonl", lines({"id": 1}, {"answer": "a"}), {}, "row 2 has no id", 2),
        ("a.jsonl", lines({"id": [1]}), {}, "row 1 has id of a wrong kind", 1),
        ("a.jsonl", lines({"id": 1, "score": "good"}), {}, "row 1 has score of a wrong kind", 1),
        ("a.jsonl", '{"id": 1, "score": 1e999}', {}, "bad JSON", 1),
        ("a.csv", "id,score\n1,nan\n", {}, "row 1 has score of a wrong kind", 2),
        ("a.jsonl", lines({"id": 1, "input_tokens": -3}), {}, "row 1 has a negative number", 1),
        ("a.jsonl", lines({"id": 1}), {"answer": "x"}, 'no row has the column "x"', None),
        ("a.jsonl", lines({"id": 1}), {"anwser": "x"}, 'a log has no part "anwser"', None),
        ("a.json", "{", {}, "broken JSON", None),
        ("a.json", "[NaN]", {}, "broken JSON", None),
        ("a.json", '{"a": 1}', {}, "the JSON holds no rows", None),
        ("a.json", "[1]", {}, "row 1 is no object", None),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    name: str, text: str, columns: dict[str, str], what: str, line: int | None, tmp_path: Path
) -> None:
    with pytest.raises(CostoptError) as raised:
        read_result_log(written(tmp_path, name, text), columns, shown=name)
    assert raised.value.what.startswith(what)
    if line is not None:
        assert raised.value.where is not None
        assert raised.value.where.line == line


def test_two_runs_in_one_event_log_are_refused(tmp_path: Path) -> None:
    event = {"sample_id": "a", "type": "match", "data": {"correct": True}}
    with pytest.raises(CostoptError, match="two events"):
        read_result_log(written(tmp_path, "a.jsonl", lines(event, event)))
