"""CO501: nothing says how long an answer may be."""

import re
from collections.abc import Iterator

from ...compressors.example_units import example_units
from ...core.documents import Node
from .base import Case, Hit, Rule, first_visible, per_1k, usd

_KEYS = re.compile(
    r"max_?(?:output|completion|new|gen(?:eration)?)?_?tokens|max_?length|num_predict"
    r"|max_?tokens_?to_?sample",
    re.IGNORECASE,
)
_COUNT = (
    r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty"
    r"|thirty|fifty|hundred)"
)
_UNITS = (
    r"(?:words?|sentences?|lines?|paragraphs?|bullets?|bullet[- ]points?|points?|characters?"
    r"|chars?|tokens?|pages?|items?|phrases?|questions?|ideas?|suggestions?|options?|examples?"
    r"|titles?|steps?|tweets?|keywords?|tags?|labels?|categor(?:y|ies)|numbers?|letters?|digits?"
    r"|sections?|entries|reasons?|tips?|names?|emojis?|haikus?|limericks?)"
)
_LENGTH = re.compile(
    rf"\b{_COUNT}(?:[ -]+(?:to|or|and|[-–]|{_COUNT})){{0,4}}(?:[ -][\w-]+){{0,3}}?[ -]{_UNITS}\b"
    rf"|\b(?:an?|single|few|couple of|half an?|per)(?: [\w-]+)?[ -]{_UNITS}\b"
    r"|\b(?:brief(?:ly)?|concise(?:ly)?|succinct(?:ly)?|terse(?:ly)?|shorter|short|shortest"
    r"|to the point|compact|minimal|one-?liners?|tl;?dr|laconic|crisp|snappy|length|word ?count"
    r"|too long|lengthy|verbose|wordy|long-winded|elaborate further|limit(?:ed)? (?:your|the|to))\b"
    r"|\b(?:answer|respond|reply|return|output|write|give|provide|say|print|produce|generate)\b"
    r"[^.\n]{0,40}\b(?:only|just|solely|exclusively)\b"
    r"|\b(?:only|just)\b[^.\n]{0,12}\b(?:answer|respond|reply|return|output|write|give|provide|say"
    r"|print|produce|generate|the|with)\b|\b(?:no|any)thing (?:but|else|except|other)\b"
    r"|\b(?:answers?|responses?|output|reply|replies)\b[^.\n]{0,25}\bonly\b|\bnumber of\b[^.\n]"
    r"{0,30}\b(?:within|under|below|to)\b"
    r"|\bno (?:other|additional|extra|further) (?:text|words?|output|explanation|comment)"
    r"|\b(?:do not|don't|never|without|no|avoid)\b[^.\n]{0,40}"
    r"\b(?:explain\w*|explanations?|preamble|comments?|commentary|reasoning|anything else"
    r"|introduction|filler|extra)\b"
    r"|\b(?:yes|true)\b\W{1,6}(?:or|/|and)?\W{0,6}\b(?:no|false)\b|[\"'“]yes[\"'”]"
    r"|\b(?:classify|classification|categori[sz]e|label|score|rate|rating|grade|multiple[- ]choice"
    r"|choose (?:one|the|from|between)|pick (?:one|the|a)|one of the following)\b"
    r"|\bjson\b|\bxml\b|\bschema\b|\bfunction call|\btool call|\bformat:"
    # German, French, Spanish, Italian, Portuguese: the words that say it most often.
    r"|\b(?:kurz\w*|knapp\w*|höchstens|maximal|wörter|sätze\w*|nur|bref|brève\w*|concis\w*|mots"
    r"|phrases|seulement|uniquement|breve\w*|concis[oa]\w*|palabras|oraciones|solo|sólo|parole"
    r"|frasi|soltanto|palavras|frases|apenas|curt[oa]s?)\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    r"photo-?realis\w+|photograph\w*|cinematic|(?:hyper|ultra)-?realis\w+|framing|\bshot\b|\b[48]k\b|negative_?prompt|aspect_?"
    r" ?ratio|\bbokeh\b|depth[ _]of[ _]field|\blens\b|close-up|\bcamera\b|lighting|extra limbs"
    r"|watermark|illustration|poster|\bimages?\b|\bpixel|render(?:ed|ing)?\b",
    re.IGNORECASE,
)
_ASKS_PICTURE = re.compile(
    r"\b(?:generate|create|draw|make|produce|design)\s(?:me\s)?(?:an?|the)\s(?:[\w-]+\s){0,3}"
    r"(?:image|picture|photo|illustration|poster|logo|painting|portrait|video|icon|mockup)\b",
    re.IGNORECASE,
)
_PICTURE_WORDS = 3
"""From so many different ones on, it is a picture that is asked for."""
_MOSTLY_LATIN = 0.8
_PER = 100


def _find(case: Case) -> Iterator[Hit]:
    if not case.is_prose:
        return
    template = case.template
    if template.settings.response_schema is not None or template.settings.stop:
        return
    if _limited(case) or example_units(template):
        return
    if any(_LENGTH.search(message.content) for message in template.messages):
        return
    if _is_picture(template.text):
        return
    if any(m.role == "assistant" for m in template.messages) or not _readable(template.text):
        return
    first = first_visible(template.messages[0].content)
    each = per_1k(_PER, case.main.output)
    told = (
        f": each {_PER} tokens more in an answer are {usd(each)} per 1,000 requests" if each else ""
    )
    if each and case.calls_per_month:
        told += f", {usd(each * case.calls_per_month / 1000)} a month"
    yield Hit(
        message="no output limit: neither a maximum of output tokens in this file nor a sentence "
        f"on how long the answer may be{told}",
        at=(0, first, first),
    )


def _is_picture(text: str) -> bool:
    """Whether it is a picture that is asked for, which has no length in tokens."""
    words = {found.lower() for found in _PICTURE.findall(text)}
    return len(words) >= _PICTURE_WORDS or _ASKS_PICTURE.search(text) is not None


def _limited(case: Case) -> bool:
    """Whether the file sets a maximum, under the name that costopt reads or another tool's."""
    parsed = case.parsed
    document = parsed.document
    if document is not None:
        place = parsed.places.get("max_output_tokens")
        return (place is not None and document.root.get(*place) is not None) or _names(
            document.root
        )
    raw = parsed.template.source.raw
    slots = sorted((slot.start, slot.end) for slot in parsed.slots)
    starts, ends = [0, *(end for _, end in slots)], [*(start for start, _ in slots), len(raw)]
    return any(_KEYS.search(raw, a, b) for a, b in zip(starts, ends, strict=True) if a < b)


def _names(node: Node) -> bool:
    return any(
        _KEYS.fullmatch(str(key)) or _names(child) for key, child in node.fields.items()
    ) or any(map(_names, node.items))


def _readable(text: str) -> bool:
    """Whether the text is in letters in which its sentences on length could be seen."""
    letters = [character for character in text[:20_000] if character.isalpha()]
    return sum(c < "\u0250" for c in letters) >= _MOSTLY_LATIN * len(letters)


RULE = Rule(
    code="CO501",
    name="no-output-limit",
    summary="nothing says how long an answer may be",
    find=_find,
    why="Output tokens cost several times what input tokens cost, and a model that is told "
    "nothing writes at length. The rule looks for `max_output_tokens` (or the name that the "
    "file's own format has for it) and for words on the answer's length or form: a count of "
    'words, sentences or items, "concise", "only", JSON, a choice of labels, examples of '
    "answers. One of them is enough.",
    before="Explain to a customer why the delivery in the ticket is late.\n\n{{ ticket }}\n",
    after="---\nsettings: {max_output_tokens: 120}\n---\n"
    "Explain to a customer in at most 60 words why the delivery in the ticket is late.\n\n"
    "{{ ticket }}\n",
    ignore="Where the calling code sets the maximum, or long answers are what the prompt is for.",
    money="None by itself, since what the answers need is not known: the message says what each "
    "100 tokens of them cost.",
)
