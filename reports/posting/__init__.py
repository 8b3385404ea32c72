"""Posts a check as a comment on a pull request: the only part of `reports` that opens a connection.

Nothing here renders anything: the text comes from the caller.
"""
