"""Caches of a finite size, replayed request by request: least recently used goes first."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence


def answered(
    rows: Iterable[tuple[int, int, int, bool]], *, ttl_us: int | None, size: int | None
) -> Iterator[int]:
    """Yield the numbers of the requests that a cache of whole answers would have served.

    An answer may be served until ``ttl_us`` after it was stored, and is then asked for anew. Until
    that happens it keeps its place. Using it makes it the last to go. A failed request stores
    nothing.

    Args:
        rows: In order of time: the request's number, its key, its time in microseconds, and
            whether it succeeded.
        ttl_us: How long an answer may be served, in microseconds; ``None``: for ever.
        size: How many answers there is room for; ``None``: any number.

    Example:
        >>> log = [(1, 7, 0, True), (2, 7, 5, True), (3, 7, 20, True)]
        >>> list(answered(log, ttl_us=10, size=None)), list(answered(log, ttl_us=None, size=1))
        ([2], [2, 3])
    """
    stored: OrderedDict[int, int] = OrderedDict()
    for number, key, at, ok in rows:
        since = stored.get(key)
        if since is not None and (ttl_us is None or at - since <= ttl_us):
            stored.move_to_end(key)
            yield number
        elif ok:
            stored[key] = at
            stored.move_to_end(key)
            if size is not None and len(stored) > size:
                stored.popitem(last=False)


def matched(
    rows: Iterable[tuple[int, int, int | None, Sequence[int]]], *, size: int
) -> Iterator[tuple[int, int]]:
    """Yield for each request how many blocks of its prompt's beginning a cache holds.

    A block stays until the time to live that its last user gave it is over, or until the room is
    needed: the least recently used goes first, of one request's blocks the last one.

    Args:
        rows: In order of time: the request's number, its time in microseconds, the time to live in
            microseconds (``None``: for ever), and the hashes of its blocks, each including all
            before it.
        size: How many blocks there is room for.

    Example:
        >>> list(matched([(1, 0, None, [1, 2]), (2, 1, None, [1, 3]), (3, 2, None, [1, 2])],
        ...              size=2))
        [(1, 0), (2, 1), (3, 1)]
    """
    held: OrderedDict[int, tuple[int, int | None]] = OrderedDict()
    for number, at, ttl_us, blocks in rows:
        found = 0
        for block in blocks:
            last = held.get(block)
            if last is None or (last[1] is not None and at - last[0] > last[1]):
                break
            found += 1
        yield number, found
        for block in reversed(blocks):
            held[block] = (at, ttl_us)
            held.move_to_end(block)
        while len(held) > size:
            held.popitem(last=False)
