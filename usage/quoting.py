"""Writing names and texts into SQL so that they stay what they are."""


def text(value: str) -> str:
    """Return a text as SQL.

    Example:
        >>> text("it's")
        "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """Return the name of a column as SQL.

    Example:
        >>> name('at')
        '"at"'
    """
    return '"' + value.replace('"', '""') + '"'
