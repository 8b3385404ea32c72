import sys
from dataclasses import replace

import pytest

from costopt.core.errors import CostoptError
from costopt.core.formats import dump, load_file, read_file


@pytest.fixture
def config(tmp_path):
    def config(text, **files):
        for name, content in files.items():
            path = tmp_path / "cfg" / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        path = tmp_path / "cfg" / "promptfooconfig.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return config


def test_prompts_inline_in_files_and_as_chat(config):
    path = config(
        "prompts:\n  - 'In {{a}}'\n  - file://p.txt\n  - {id: file://chat.json, label: chat}\n"
        '  - \'[{"role": "user", "content": "J {{a}}"}]\'\n',
        p_txt="One\n---\nTwo {{a}}\n",
        chat_json='[{"role": "system", "content": "S"}, {"role": "user", "content": "{{a}}"}]',
    )
    templates = load_file(path, shown="cfg/promptfooconfig.yaml")
    assert [t.name for t in templates] == ["cfg-1", "cfg-2", "cfg-3", "chat", "cfg-5"]
    assert [t.text for t in templates] == ["In {{a}}", "One", "Two {{a}}", "S\n\n{{a}}", "J {{a}}"]
    assert [t.source.path for t in templates][1:4] == ["cfg/p.txt", "cfg/p.txt", "cfg/chat.json"]
    assert [t.chat for t in templates] == [False, False, False, True, True]
    for template in templates:
        assert dump(template) == template.source.raw
    second = replace(templates[2], messages=(replace(templates[2].messages[0], content="2 {{a}}"),))
    assert dump(second) == "One\n---\n2 {{a}}\n"
    inline = replace(templates[4], messages=(replace(templates[4].messages[0], content="x"),))
    with pytest.raises(CostoptError, match="cannot be written back"):
        dump(inline)


def test_tests_become_samples(config):
    path = config(
        "prompts: ['{{a}} {{b}}']\n"
        "defaultTest:\n  vars: {b: 0}\n"
        "tests:\n"
        "  - {description: d, vars: {a: Yes}, assert: [{type: equals, value: Yarr}]}\n"
        "  - {vars: {a: [1, 2]}, assert: [{type: icontains-any, value: [x, y]}]}\n"
        "  - {vars: {a: j}, assert: [{type: equals, value: {k: 1}}]}\n"
        "  - {vars: {a: r}, assert: [{$ref: '#/assertionTemplates/t'}]}\n"
        "  - {vars: {a: file://long.txt}, assert: [{type: contains-all, value: 'one'}]}\n"
        "  - file://more.csv\n"
        "  - file://rows.jsonl\n"
        "assertionTemplates: {t: {type: contains, value: arr}}\n",
        long_txt="long text",
        more_csv='a,b,__expected\n"x, y",2,contains: z\n',
        rows_jsonl='{"vars": {"a": 9}, "assert": [{"type": "equals", "value": 5}]}\n',
    )
    reading = read_file(path)
    assert reading.notes == ()
    samples = reading.parsed[0].template.inline_samples
    assert [(dict(s.inputs), s.metric, s.references) for s in samples] == [
        ({"b": 0, "a": "Yes"}, "exact_match", ("Yarr",)),
        ({"b": 0, "a": 1}, "contains", ("x", "y")),
        ({"b": 0, "a": 2}, "contains", ("x", "y")),
        ({"b": 0, "a": "j"}, "json_f1", ({"k": 1},)),
        ({"b": 0, "a": "r"}, "contains", ("arr",)),
        ({"b": 0, "a": "long text"}, "contains", ("one",)),
        ({"b": "2", "a": "x, y"}, "contains", ("z",)),
        ({"b": 0, "a": 9}, "exact_match", ("5",)),
    ]
    assert len({s.id for s in samples}) == len(samples)
    assert reading.parsed[0].template.defaults == {"b": 0}


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("{vars: {a: 1}, assert: [{type: javascript, value: 'true'}]}", "runs code"),
        ("{vars: {a: 1}, assert: [{type: python, value: 'True'}]}", "runs code"),
        ("{vars: {a: 1}, assert: [{type: equals, value: 'file://x.py'}]}", "runs code"),
        ("{vars: {a: 1}, assert: [{type: llm-rubric, value: x}]}", "asks a model"),
        ("{vars: {a: 1}, assert: [{type: not-contains, value: x}]}", "has no metric"),
        ("{vars: {a: 1}, options: {transform: output.x}}", "runs code"),
        ("{vars: {a: 'file://x.js'}}", "never run"),
        ("'file://gen.py'", "never run"),
        ("'file://tests.py:make'", "never run"),
        ("{vars: {a: 'file://../../secret.txt'}}", "leaves the folder"),
        ("{vars: {a: 'file:///etc/passwd'}}", "absolute path"),
        ("{vars: {a: [1, 2], b: [1, 2]}, vars2: 1, assert: 3}", None),
    ],
)
def test_what_runs_code_or_leaves_the_folder_is_named_with_its_line(test, reason, config):
    reading = read_file(config(f"prompts: ['{{{{a}}}}']\ntests:\n  - {test}\n"), shown="c.yaml")
    assert len(reading.parsed) == 1
    reasons = [(note.path, note.line, note.reason) for note in reading.notes]
    if reason is None:
        assert reasons == []
    else:
        assert [(path, line) for path, line, _ in reasons] == [("c.yaml", 3)]
        assert reason in reasons[0][2]


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("file://p.js", "never run"),
        ("file://p.py:make", "never run"),
        ("exec:./run.sh", "never run"),
        ("python:p.py", "never run"),
        ("file://../x.txt", "leaves the folder"),
        ("file:///etc/hostname", "absolute path"),
        ("file://none.txt", "no such file"),
        ("C:/x.txt", "no such file|absolute path"),
    ],
)
def test_a_configuration_without_a_readable_prompt_is_an_error(prompt, reason, config):
    if prompt.startswith("C:"):
        prompt = "file://" + prompt
    with pytest.raises(CostoptError, match=reason) as caught:
        load_file(config(f"description: x\nprompts:\n  - '{prompt}'\n"), shown="c.yaml")
    assert str(caught.value.where).startswith("c.yaml:3")


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_links_out_of_the_folder_are_not_followed(config, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    path = config("prompts: ['file://link.txt']\n")
    (path.parent / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(CostoptError, match="link that leaves the folder"):
        load_file(path)
    assert load_file(path, root=tmp_path)[0].text == "secret"


def test_broken_tables_are_named(config):
    path = config("prompts: ['{{a}}']\ntests: file://t.csv\n", t_csv="a,b\n1\n")
    (note,) = read_file(path, shown="x/c.yaml").notes
    assert (note.path, note.line) == ("x/t.csv", 2)


def test_tests_without_a_usable_assertion_are_left_out_where_others_have_one(config):
    text = (
        "prompts: ['{{a}}']\ntests:\n- {vars: {a: 1}}\n"
        "- {vars: {a: 2}, assert: [{type: contains, value: x}]}\n"
    )
    reading = read_file(config(text))
    assert [s.inputs["a"] for s in reading.parsed[0].template.inline_samples] == [2]
    assert [note.reason for note in reading.notes] == ["1 tests without a usable assertion"]
