import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.evals.evalset import load_eval_set


def load(path, variables=("question",), defaults=None, **options):
    return load_eval_set(
        path, variables=variables, defaults=defaults or {}, shown=path.name, **options
    )


def write(tmp_path, text, name="evals.jsonl"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def failure(path, **options):
    with pytest.raises(CostoptError) as caught:
        load(path, **options)
    return caught.value


def test_rows_become_samples_with_their_references(tmp_path):
    rows = [
        {"id": "a", "question": "?", "reference": "x", "cluster": 3, "metadata": {"k": 1}},
        {"question": ["list", 1], "reference": ["x", "y"]},
        {"inputs": {"question": "nested"}, "reference": {"sku": "A", "n": [1]}},
        {"id": 4, "question": "q", "reference": [{"a": 1}], "metric": "json_f1"},
        {"question": "none", "reference": None},
        {"question": "five", "reference": 5},
    ]
    path = write(tmp_path, "\n\n".join(json.dumps(row) for row in rows))
    loaded = load(path)
    assert [sample.id for sample in loaded.samples] == [
        "a",
        "row-3",
        "row-5",
        "4",
        "row-9",
        "row-11",
    ]
    assert [sample.references for sample in loaded.samples] == [
        ("x",),
        ("x", "y"),
        ({"sku": "A", "n": [1]},),
        ([{"a": 1}],),
        (),
        (5,),
    ]
    assert loaded.samples[0].cluster == "3"
    assert loaded.samples[0].metadata == {"k": 1}
    assert loaded.samples[1].inputs == {"question": ["list", 1]}
    assert loaded.samples[2].inputs == {"question": "nested"}
    assert loaded.samples[3].metric == "json_f1"
    assert loaded.metric is None
    assert loaded.path == "evals.jsonl"


def test_the_hash_is_of_the_file(tmp_path):
    import hashlib

    path = write(tmp_path, '{"question": "q"}\r\n')
    assert load(path).sha256 == hashlib.sha256(b'{"question": "q"}\r\n').hexdigest()


def test_a_limit_stops_before_later_rows(tmp_path):
    path = write(tmp_path, '{"question": "1"}\n{"question": "2"}\nbroken\n')
    assert len(load(path, limit=2).samples) == 2
    assert failure(path, limit=3).where.line == 3


def test_one_metric_for_all_rows_is_the_sets(tmp_path):
    path = write(tmp_path, '{"question": "1", "metric": "contains"}\n' * 1)
    assert load(path).metric == "contains"


def test_defaults_stand_in_and_null_counts_as_missing(tmp_path):
    path = write(tmp_path, '{"question": "q", "tone": null}\n')
    sample = load(path, variables=("question", "tone"), defaults={"tone": "dry"}).samples[0]
    assert sample.inputs == {"question": "q"}
    error = failure(path, variables=("question", "tone"))
    assert "{tone}" in error.what
    assert "null" in error.what


def test_a_variable_may_be_called_like_a_known_key(tmp_path):
    path = write(tmp_path, '{"id": "7", "reference": "r"}\n{"inputs": "i", "id": "8"}\n')
    sample = load(path, variables=("id",), limit=1).samples[0]
    assert (sample.id, sample.inputs) == ("7", {"id": "7"})
    only = write(tmp_path, '{"inputs": "plain text"}\n', "b.jsonl")
    assert load(only, variables=("inputs",)).samples[0].inputs == {"inputs": "plain text"}


GOOD = '{"question": "q"}\n'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD + "{broken\n", 2, "bad JSON"),
        (GOOD + '\n{"question": NaN}\n', 3, "NaN"),
        ('{"question": -Infinity}\n', 1, "Infinity"),
        ('{"question": 1e999}\n', 1, "too large"),
        ('{"question": "a", "question": "b"}\n', 1, "twice"),
        ('{"question": {"a": 1, "a": 2}}\n', 1, "twice"),
        (GOOD + '["a"]\n', 2, "a list, not an object"),
        (GOOD + "null\n", 2, "null, not an object"),
        (GOOD + '{"reference": "x"}\n', 2, "row 2 has no value for {question}"),
        (GOOD + '{"question": "x", "refrence": "y"}\n', 2, 'column "refrence" is in no template'),
        ('{"id": "a", "question": "1"}\n' * 2, 2, 'the id "a" of line 1'),
        ('{"question": "1"}\n{"id": "row-1", "question": "1"}\n', 2, '"row-1" of line 1'),
        ('{"question": "1", "inputs": {"question": "2"}}\n', 1, "twice"),
        ('{"question": "1", "inputs": {"other": "2"}}\n', 1, 'column "other"'),
        ('{"question": "1", "inputs": [1]}\n', 1, "inputs of a wrong kind"),
        ('{"question": "1", "metadata": "x"}\n', 1, "metadata of a wrong kind"),
        ('{"question": "1", "cluster": {}}\n', 1, "cluster of a wrong kind"),
        ('{"question": "1", "metric": "exact_mach"}\n', 1, "unknown metric"),
        ('{"question": "\\ud800"}\n', 1, "surrogate"),
        ("[" * 50_000 + "\n", 1, "bad JSON"),
        ('{"question": ' + "9" * 5000 + "}\n", 1, "bad JSON"),
        (GOOD.encode() + b'{"question": "\xff"}\n', 2, "not UTF-8"),
        (GOOD.encode() + b"\x00\x01\n", 2, "binary"),
        ("", None, "no rows"),
        ("\n \n", None, "no rows"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, text, line, says):
    error = failure(write(tmp_path, text))
    assert says in error.what
    assert (error.where.path, error.where.line) == ("evals.jsonl", line)


def test_hints_name_what_was_meant(tmp_path):
    assert "question" in failure(write(tmp_path, '{"qestion": "q"}\n')).hint
    assert "reference" in failure(write(tmp_path, '{"question": "q", "refrence": "y"}\n')).hint


def test_a_byte_order_mark_and_crlf_are_no_part_of_the_row(tmp_path):
    path = write(tmp_path, b"\xef\xbb\xbf" + b'{"question": "q"}\r\n{"question": "r"}')
    assert [sample.inputs["question"] for sample in load(path).samples] == ["q", "r"]


def test_a_line_beyond_the_cap_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("costopt.evals.rows.MOST_LINE_BYTES", 40)
    error = failure(write(tmp_path, GOOD + '{"question": "' + "x" * 50 + '"}\n'))
    assert error.where.line == 2


def test_a_file_beyond_the_cap_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("costopt.evals.rows.MOST_FILE_BYTES", 4)
    assert "larger" in failure(write(tmp_path, GOOD)).what


def test_missing_files_folders_and_unknown_formats_are_named(tmp_path):
    assert "no such" in failure(tmp_path / "none.jsonl").what
    (tmp_path / "folder.jsonl").mkdir()
    assert "no such" in failure(tmp_path / "folder.jsonl").what
    assert ".csv" in failure(write(tmp_path, "x", "evals.xlsx")).hint


def test_csv_rows_keep_quoted_line_breaks_and_say_where_they_begin(tmp_path):
    text = '\ufeffid,question,reference\n1,"a\nb","[""x"", ""y""]"\n2,plain,\n3\n'
    path = write(tmp_path, text, "evals.csv")
    samples = load(path, limit=2).samples
    assert samples[0].inputs == {"question": "a\nb"}
    assert [sample.references for sample in samples] == [("x", "y"), ()]
    error = failure(path)
    assert error.where.line == 5
    assert "1 cells, the header 3" in error.what


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("question,question\na,b\n", 1, "stands twice"),
        ("question,\na,b\n", 1, "no name"),
        ("id;question\n1;a\n", 1, "one column"),
        ("question\nok\n" + "x" * 131_073 + "\n", 3, "field larger"),
        ('question\n"open\n', 2, "bad CSV"),
        ("question\na\x00b\n", 2, "binary"),
        ("question,note\na,b\n", 2, 'column "note" is in no template'),
        ("question\n", None, "no rows"),
    ],
)
def test_a_bad_csv_is_named_with_its_line(tmp_path, text, line, says):
    error = failure(write(tmp_path, text, "evals.csv"))
    assert says in error.what
    assert error.where.line == line


def parquet(tmp_path, columns):
    import pyarrow as pa
    from pyarrow import parquet as pq

    path = tmp_path / "evals.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_rows_become_samples(tmp_path):
    import datetime

    path = parquet(
        tmp_path,
        {
            "question": [datetime.date(2026, 11, 1), None],
            "reference": [["a", "b"], ["c"]],
        },
    )
    loaded = load(path, defaults={"question": "today"})
    assert loaded.samples[0].inputs == {"question": "2026-11-01"}
    assert [sample.references for sample in loaded.samples] == [("a", "b"), ("c",)]
    assert [sample.id for sample in loaded.samples] == ["row-1", "row-2"]
    assert "row 2 has no value for {question}" in failure(path).what


def test_bad_parquet_is_one_error(tmp_path):
    assert "binary" in failure(parquet(tmp_path, {"question": [b"\x00"]})).what
    assert "Parquet" in failure(write(tmp_path, "not it", "evals.parquet")).what


def test_a_hub_set_is_refused_offline(tmp_path, monkeypatch):
    def hub(offline):
        return load_eval_set(
            "hf:owner/name", variables=(), defaults={}, shown="hf:owner/name", offline=offline
        )

    with pytest.raises(CostoptError, match="offline"):
        hub(True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CostoptError, match="offline"):
        hub(False)


def test_a_hub_set_may_have_more_columns_and_its_test_split_is_read(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    asked = []

    class Hub:
        @staticmethod
        def load_dataset(*args, **options):
            asked.append((args, options))
            rows = [{"question": "q", "reference": "r", "extra": 1}]
            return {"train": [], "test": rows} if options["split"] is None else rows

    from costopt.evals import evalset

    real = evalset._datasets()
    Hub.IterableDataset, Hub.iterable_dataset = real.IterableDataset, real.iterable_dataset
    monkeypatch.setattr(evalset, "_datasets", lambda: Hub)
    for source in ("hf:o/n", "hf:o/n:main:validation"):
        loaded = load_eval_set(source, variables=("question",), defaults={}, shown=source)
        assert loaded.samples[0].inputs == {"question": "q"}
    assert asked == [
        (("o/n", None), {"split": None, "streaming": True}),
        (("o/n", "main"), {"split": "validation", "streaming": True}),
    ]
    monkeypatch.setattr(Hub, "load_dataset", lambda *a, **k: 1 / 0)
    with pytest.raises(CostoptError, match="cannot read the data set"):
        load_eval_set("hf:o/n", variables=(), defaults={}, shown="hf:o/n")


def test_loading_leaves_no_file_and_no_torch_behind(tmp_path):
    path = write(tmp_path, GOOD)
    home = tmp_path / "home"
    code = (
        "import sys\n"
        "from costopt.evals.evalset import load_eval_set\n"
        "assert 'datasets' not in sys.modules\n"
        f"load_eval_set({str(path)!r}, variables=['question'], defaults={{}}, shown='x')\n"
        "assert 'datasets' in sys.modules\n"
        "assert 'torch' not in sys.modules and 'evaluate' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={"HF_HOME": str(home), "PATH": "/usr/bin"}
    )
    assert not home.exists() or not [item for item in home.rglob("*") if item.is_file()]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
keys = st.sampled_from(["id", "question", "reference", "cluster", "metadata", "inputs", "metric"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(keys, json_values, max_size=4), max_size=4), st.binary(max_size=20))
def test_any_file_gives_samples_or_one_error(tmp_path_factory, rows, noise):
    path = tmp_path_factory.mktemp("any") / "evals.jsonl"
    lines = [json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join([*lines, noise]))
    try:
        loaded = load(path)
    except CostoptError as error:
        assert error.where.path == "evals.jsonl"  # noqa: PT017
    else:
        assert all(sample.inputs["question"] is not None for sample in loaded.samples)
        assert len({sample.id for sample in loaded.samples}) == len(loaded.samples)
