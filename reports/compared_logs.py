"""What two result logs say of each other, as sections of a page."""

from collections.abc import Iterator, Sequence

from ..evals.compared_logs import LogComparison
from ..evals.mean_bounds import Mean
from ..evals.readings import Quality, Reading
from ..evals.realised import Money, Saving, TokenMeans
from .numbers import UNKNOWN, count, mean, percent, signed, usd
from .sections import Header, Name, Section, Words, words

_IDS = 3


def log_sections(found: LogComparison) -> tuple[Section, ...]:
    """Return the sections: rows, quality, tokens and money, and what it comes to."""
    return (
        Section(lines=tuple(_rows(found))),
        *quality_sections(found.quality),
        *money_sections(found.money),
        outcome(found.worse, found.notes),
    )


def outcome(worse: Sequence[str], notes: Sequence[str]) -> Section:
    """Return the section with the verdict for a gate, and what else is to be known."""
    said = [words("worse: ", Name(why)) for why in worse] or [words("not shown to be worse")]
    return Section(lines=(*said, *(words("note: ", Name(note)) for note in notes)))


def _rows(found: LogComparison) -> Iterator[Words]:
    yield words(f"{count(found.paired)} rows in both, paired by their ids")
    for name, only in (("base", found.only_base), ("head", found.only_head)):
        if only:
            shown: list[str] = []
            for id_ in only[:_IDS]:
                shown += [", " if shown else ": ", Name(id_[:60])]
            more = f" and {count(len(only) - _IDS)} more" if len(only) > _IDS else ""
            yield words(f"{count(len(only))} only in {name}", *shown, more)


def quality_sections(quality: Quality | None) -> tuple[Section, ...]:
    """Return the scores and what their difference supports; nothing where none is measured."""
    if quality is None:
        return ()
    readings = (quality.reading, *quality.audits)
    headers = (
        Header(text="Score", right=False),
        Header(text="n", rank=4),
        Header(text="Base [low, high]"),
        Header(text="Head [low, high]"),
        Header(text="Change [low, high]"),
    )
    return (
        Section(
            heading=words("Quality"),
            headers=headers,
            rows=tuple(_reading(one) for one in readings),
            lines=(*_said(quality), *filter(None, map(_discordant, readings))),
        ),
    )


def _reading(one: Reading) -> tuple[str, ...]:
    points = one.scale != "unbounded"
    change = UNKNOWN
    if one.difference is not None:
        low, high = one.difference.low, one.difference.high
        middle = one.head.mean - one.base.mean
        change = f"{_number(middle, points, sign=True)} {_interval(low, high, points, sign=True)}"
    return (
        one.name,
        count(one.base.n),
        _mean(one.base, points),
        _mean(one.head, points),
        change,
    )


def _discordant(one: Reading) -> Words:
    """Say which rows changed sides, and how often chance alone would do that."""
    if one.lost is None:
        return ()
    test = "" if one.p is None else f": McNemar p {p_value(one.p)}"
    return words(f"{one.name}: {count(one.lost)} rows lost, {count(one.gained)} gained{test}")


def p_value(p: float) -> str:
    """Return a p-value with two digits.

    Example:
        >>> p_value(0.60724), p_value(3.03e-6), p_value(1.0)
        ('0.61', '3e-06', '1')
    """
    return f"{p:.1g}" if p < 0.001 else f"{p:.2g}"


def _mean(one: Mean, points: bool) -> str:
    bounds = "" if one.low is None or one.high is None else _interval(one.low, one.high, points)
    return f"{_number(one.mean, points)} {bounds}".rstrip()


def _interval(low: float, high: float, points: bool, *, sign: bool = False) -> str:
    return f"[{_number(low, points, sign=sign)}, {_number(high, points, sign=sign)}]"


def _number(value: float, points: bool, *, sign: bool = False) -> str:
    """Return a score in points of a hundred, or as it is where it has no range."""
    text = f"{100 * value:.1f}" if points else f"{value:.3g}"
    plus = "+" if sign and value > 0 and text.strip("0.") else ""
    return signed(plus + text)


def _said(quality: Quality) -> Iterator[Words]:
    """Say the verdict, and what became of the answers' form."""
    reading, points = quality.reading, quality.reading.scale != "unbounded"
    unit = " points" if points else ""
    line = f"{quality.verdict}, at a margin of {_number(quality.margin, points)}{unit}"
    if quality.samples_needed is not None:
        line += f"; about {count(quality.samples_needed)} rows in all would decide"
    yield words(line)
    form = quality.form
    if form is not None:
        yield words(
            f"answers that begin with a letter {form.letters}: {count(form.base)} of "
            f"{count(form.n)}, now {count(form.head)}"
        )
    letter = next((one for one in quality.audits if one.name == "first letter"), None)
    if letter is not None:
        yield from _form_or_knowledge(reading, letter)


def _form_or_knowledge(reading: Reading, letter: Reading) -> Iterator[Words]:
    """Say how much of a loss is the form of the answers."""
    lost = reading.base.mean - reading.head.mean
    known = letter.base.mean - letter.head.mean
    if lost <= 0 or known >= lost:
        return
    form = min(lost, lost - known)
    rest = f"and {_number(known, True)} are lost however" if known > 0 else "and none is lost where"
    yield words(
        f"of the {_number(lost, True)} points lost, {_number(form, True)} are lost form, {rest} "
        "the first letter that stands alone is read (a rough reading)"
    )


def money_sections(money: Money) -> tuple[Section, ...]:
    """Return tokens, and what was really saved beside what input alone would claim."""
    tokens = [("Input tokens", money.input), ("Output tokens", money.output)]
    lines: list[Words] = []
    sources = {name: one for name, one in tokens if one is not None}
    for name, one in sources.items():
        lines.append(words(f"{name.lower()} a row: ", *_source(one)))
    lines += [words("no price is known for ", Name(name)) for name in money.unpriced]
    lines += [words(note) for note in money.notes]
    headers = (
        Header(text="Tokens", right=False),
        Header(text="Base"),
        Header(text="Head"),
        Header(text="Change"),
    )
    rows = tuple(_tokens(name, one) for name, one in sources.items())
    found = [Section(heading=words("Tokens a row"), headers=headers, rows=rows, lines=tuple(lines))]
    if money.savings:
        found.append(_saved(money))
    return tuple(found)


def _source(one: TokenMeans) -> Words:
    return ("estimated, " if one.estimated else "", Name(one.source))


def _tokens(name: str, one: TokenMeans) -> tuple[str, ...]:
    return name, mean(one.base), mean(one.head), change(one.change)


def change(fraction: float | None) -> str:
    """Return a change as a percentage with its sign.

    Example:
        >>> change(0.124), change(-0.5), change(None)
        ('+12.4 %', '−50.0 %', '—')
    """
    plus = "+" if fraction is not None and round(fraction, 3) > 0 else ""
    return plus + percent(fraction)


def _saved(money: Money) -> Section:
    headers = (
        Header(text="Realised saving", right=False),
        Header(text="Saved [low, high]"),
        Header(text="Base $/1k", rank=1),
        Header(text="Head $/1k", rank=1),
    )
    lines: list[Words] = []
    if money.claimed is not None:
        lines.append(words(f"counting input alone would claim {percent(money.claimed)}"))
    shorter = money.claimed is not None and money.claimed > 0
    for one in money.savings:
        if shorter and one.saving < 0 and money.input is not None:
            lines.append(
                words(f"input {change(money.input.change)}, cost {change(-one.saving)} at ",
                      Name(one.pricing))
            )  # fmt: skip
    return Section(
        heading=words("Money"),
        headers=headers,
        rows=tuple(_saving(one) for one in money.savings),
        lines=tuple(lines),
    )


def _saving(one: Saving) -> tuple[str, ...]:
    bounds = ""
    if one.low is not None and one.high is not None:
        bounds = f" [{percent(one.low)}, {percent(one.high)}]"
    label = f"{one.pricing} (estimated)" if one.estimated else one.pricing
    return (
        Name(label),
        percent(one.saving) + bounds,
        "" if one.base_usd is None else usd(one.base_usd),
        "" if one.head_usd is None else usd(one.head_usd),
    )
