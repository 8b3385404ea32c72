"""Blocks of a prompt's beginning, told by its text where the log has no hashes of blocks.

A block is a piece of so many characters, and is known by all pieces up to its end. How many tokens
it stands for is estimated: as many as the request's input has a character.
"""

CHARACTERS = 512
"""Of a block: some 128 tokens, which is the step in which OpenAI's cache goes."""
MOST = 64
"""Blocks of a text: what follows is taken as never found in a cache."""

_TOLD = "(coalesce(len(prefix_blocks), 0) = 0 AND length(text) > 0)"
_PIECES = (
    f"list_transform(range(0, least(length(text) // {CHARACTERS}, {MOST})), "
    f"lambda i: hash(substr(text, i * {CHARACTERS} + 1, {CHARACTERS})))"
)
_CHAINED = "list_transform(range(1, len(h) + 1), lambda i: hash(h[1:i]))"

COLUMNS = (
    f"CASE WHEN {_TOLD} THEN list_transform([{_PIECES}], lambda h: {_CHAINED})[1] "
    "ELSE prefix_blocks END AS blocks, "
    f"CASE WHEN {_TOLD} THEN CAST(least(input_tokens * {CHARACTERS} // length(text), {CHARACTERS}) "
    "AS INTEGER) ELSE block_tokens END AS block_tokens, "
    f"{_TOLD} AS by_text"
)
"""SQL for ``blocks``, ``block_tokens`` and ``by_text`` (whether they are told by the text), out of
the columns of ``requests``."""
