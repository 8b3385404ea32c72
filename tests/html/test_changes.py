"""The word-level diff: both texts can be read out of it, whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from costopt.core.types import Message
from costopt.reports.html.changes import changes, folded, pieces

WORDS = st.lists(
    st.sampled_from(
        ["be", "kind", "very", " ", "  ", "\n", "\n\n", ".", ",", "é", "日本", "{{ x }}"]
    )
).map("".join)


@given(before=WORDS, after=WORDS)
def test_both_texts_are_in_the_pieces(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(one.text for one in found if one.kind != "new") == before
    assert "".join(one.text for one in found if one.kind != "gone") == after


@given(text=WORDS)
def test_the_same_text_has_no_change(text: str) -> None:
    assert [one.kind for one in pieces(text, text)] in ([], ["same"])
    assert changes([Message("user", text)], [Message("user", text)]) == ()


def test_long_unchanged_stretches_are_folded() -> None:
    lines = "".join(f"line {at}\n" for at in range(30))
    found = list(folded(pieces(f"a\n{lines}b\n", f"A\n{lines}B\n")))
    fold = next(one for one in found if one.kind == "fold")
    shown = "".join(one.text for one in found if one.kind == "same")
    assert fold.text == "26 lines unchanged"
    assert shown.startswith("\nline 0\nline 1\n")
    assert shown.endswith("line 28\nline 29\n\n")


def test_words_that_only_spaces_part_are_one_change() -> None:
    found = [(one.kind, one.text) for one in pieces("Your task is to sum up", "Just add up")]
    assert found == [("gone", "Your task is to sum"), ("new", "Just add"), ("same", " up")]


def test_changed_spaces_and_line_ends_can_be_seen() -> None:
    found = list(folded(pieces("a  \n\n\nb", "a\nb")))
    assert [one.text for one in found if one.kind == "gone"] == ["··↵\n↵\n"]
    assert all(one.blank for one in found if one.kind == "gone")


def test_a_message_more_and_another_role() -> None:
    before = [Message("system", "Be brief."), Message("user", "Hi")]
    found = changes(before, [Message("user", "Be brief.")])
    assert [one.role for one in found] == ["system → user", "user"]


def test_huge_texts_are_compared_line_by_line() -> None:
    before = "".join(f"word{at} and {at % 7}\n" for at in range(6000))
    after = before.replace("word0 ", "first ").replace("word77 ", "other ").replace("5999", "last")
    found = [(one.kind, one.text) for one in pieces(before, after)]
    assert ("gone", "word77 and 0\n") in found


def test_huge_texts_of_which_little_changed_are_compared_word_by_word() -> None:
    before = "".join(f"word{at} and {at % 7}\n" for at in range(6000))
    found = [(one.kind, one.text) for one in pieces(before, before.replace("word77 ", "other "))]
    assert found[1:3] == [("gone", "word77"), ("new", "other")]


def test_too_many_lines_are_not_compared_at_all() -> None:
    before, after = "a\n" + "\n" * 300_000 + "b", "c\n" + "\nx\n" * 150_000 + "d"
    assert [(one.kind, one.text) for one in pieces(before, after)] == [
        ("gone", before), ("new", after),
    ]  # fmt: skip
