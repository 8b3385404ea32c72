"""A bare loop over an `httpx2.AsyncClient`: the least that asking takes with this HTTP library.

As many workers as requests may be under way take the next row from one queue, send its body and
look for the word in the answer. Nothing is kept, counted, retried or bounded. Started by
`runner.py`.
"""

import asyncio
from collections.abc import Iterable

import httpx2
from work import REFERENCE, Task, body, measured, told

_HEADERS = {"Content-Type": "application/json"}


async def ask(client: httpx2.AsyncClient, url: str, numbers: Iterable[int]) -> int:
    """Ask rows one after the other; return how many answers held the word."""
    right = 0
    for number in numbers:
        response = await client.post(url, content=body(number), headers=_HEADERS)
        right += REFERENCE in response.json()["choices"][0]["message"]["content"]
    return right


async def main(task: Task) -> None:
    """Ask all rows of a task."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    url = f"{task.url}/chat/completions"
    async with httpx2.AsyncClient(limits=limits, timeout=None) as client:
        await ask(client, url, [0])
        queue = iter(task.numbers)
        with measured():
            workers = (ask(client, url, queue) for _ in range(task.concurrency))
            right = sum(await asyncio.gather(*workers))
    if right != task.requests:
        raise SystemExit(f"{right} of {task.requests} answers were right")


if __name__ == "__main__":
    asyncio.run(main(told()))
