"""Closed lists of English phrases that say little: what `filler` drops or shortens.

A phrase is a regular expression in which a blank matches any gap on one line, emphasis marks
included. Its first word is plain, or a group of plain words, by which it is looked up. No phrase
holds a negation, a limit, a number or a quoted literal: those are protected, and a match that
touches them is left alone.
"""

from dataclasses import dataclass
from typing import Literal

Place = Literal["start", "lead", "clause", "any"]

# A verb in its base form may follow, so that what is left is an imperative: not an auxiliary, not
# a participle's helper, and no "not", which alone would turn into "Not do it".
_VERB = (
    r"[\x20\t]+(?=[*_]{0,3}[A-Za-z])(?![*_]{0,3}(?:not|have|has|had|are|is|were|was|can|could"
    r"|will|would|may|might|should|do\s+so|the|a|an|you|it|be\s+able|know|see|expect|notice|understand)\b)"
)
_CLAUSE = r",?[\x20\t]+(?=[*_]{0,3}(?:[A-Za-z\"'(]|`(?!`)))"
_ADVERB = r"(?:(?:very|really|extremely|absolutely|also|always|particularly|especially) )?"
_VITAL = r"(?:important|crucial|essential|vital|imperative|critical)"
_TASK = r"(?:task|job|goal|role|objective|mission|purpose|responsibility|aim)"


@dataclass(frozen=True)
class Phrase:
    r"""A phrase and what it becomes.

    Attributes:
        pattern: What matches, as the module's docstring says.
        by: What takes its place; ``\1`` and so on stand for groups.
        place: Where it may stand. ``start``: it must open a sentence. ``lead``: it may also follow
            a comma or "and". ``clause``: it may also follow a comma after words such as "If …".
            ``any``: anywhere.
    """

    pattern: str
    by: str = ""
    place: Place = "any"


REMINDERS = tuple(
    Phrase(pattern, place="lead")
    for pattern in (
        rf"please (?:also )?(?:note|be aware|be advised|understand|remember|keep in mind"
        rf"|bear in mind) that{_CLAUSE}",
        rf"(?:note|remember) that{_CLAUSE}",
        rf"(?:keep|bear) in mind that{_CLAUSE}",
        rf"be (?:aware|advised|mindful) that{_CLAUSE}",
        rf"it (?:should|must) (?:also )?be (?:noted|mentioned|pointed out|stressed) that{_CLAUSE}",
        rf"it is (?:also )?(?:worth|important) (?:noting|mentioning|to note|to mention"
        rf"|to remember|to keep in mind) that{_CLAUSE}",
        rf"it goes without saying that{_CLAUSE}",
        rf"needless to say{_CLAUSE}",
        r"as (?:has )?(?:already |previously )?(?:been )?(?:mentioned|stated|noted|said|described"
        r"|explained|discussed)(?: (?:above|before|earlier|previously|already)){0,2}, ",
        r"as (?:a reminder|always|you know|you may know|you can see), ",
        r"once (?:again|more), ",
        r"(?:again|basically|essentially|obviously|naturally|honestly), ",
        r"of course, ",
        r"in fact, ",
    )
)
"""Announcements of a statement that stands without them."""

WISHES = tuple(
    Phrase(pattern, place="clause")
    for pattern in (
        rf"(?:i|we) (?:want|need|expect|require|would like|would love) you to{_VERB}",
        rf"(?:i|we) would (?:kindly )?like to (?:kindly )?ask you to{_VERB}",
        rf"i'd (?:like|love) you to{_VERB}",
        rf"(?:i|we) (?:am|are) asking you to{_VERB}",
        rf"your (?:main |primary |sole )?{_TASK} (?:here )?(?:is|will be) (?:basically )?to{_VERB}",
        rf"it is your {_TASK} to{_VERB}",
        rf"you (?:should|need to|have to|will need to|will have to|are required to|are expected to"
        rf"|are asked to|are supposed to){_VERB}",
        rf"it is {_ADVERB}{_VITAL} (?:for you )?to{_VERB}",
        rf"it is {_ADVERB}{_VITAL} that you{_VERB}",
    )
)
"""Declarative ways to ask for something; what is left is an imperative."""

ORDERS = tuple(
    Phrase(pattern, place="lead")
    for pattern in (
        rf"(?:make|be) sure (?:that you|you|to){_VERB}",
        rf"(?:remember|strive|endeavou?r) to{_VERB}",
        rf"(?:do|try) your (?:very )?best to{_VERB}",
        rf"make every effort to{_VERB}",
        rf"take (?:great )?care to{_VERB}",
        rf"be (?:so|as) kind (?:as )?to{_VERB}",
        rf"be careful to{_VERB}",
        rf"please kindly{_VERB}",
        rf"kindly please{_VERB}",
        r"simply (?!put)(?=[a-z])",
    )
)
"""Imperatives whose own imperative is enough."""

THANKS = tuple(
    Phrase(pattern, place="clause")
    for pattern in (
        r"thank you(?: (?:so|very) much)?(?: (?:in advance|once again|again))?"
        r"(?: for (?:your|all your|the|taking)\b[^.!?\n:;\"]{0,60})?[.!]",
        r"thanks(?: a lot| very much)?(?: in advance)?(?: for your\b[^.!?\n:;\"]{0,60})?[.!]",
    )
)
"""Whole sentences of thanks."""

WORDY = (
    # Conjunctions and prepositions.
    Phrase(r"in order to", "to"),
    Phrase(r"so as to", "to"),
    Phrase(r"in an effort to", "to"),
    Phrase(r"(?:due|owing) to the fact that", "because"),
    Phrase(r"(?:on account|in light|in view) of the fact that", "because"),
    Phrase(r"because of the fact that", "because"),
    Phrase(r"for the (?:simple )?reason that", "because"),
    Phrase(r"given the fact that", "since"),
    Phrase(r"(?:despite|regardless of) the fact that", "although"),
    Phrase(r"in spite of the fact that", "although"),
    Phrase(r"in the event that", "if"),
    Phrase(r"in the case (?:that|where)", "if"),
    Phrase(r"in (?:cases|situations|instances|circumstances) (?:where|in which)", "when"),
    Phrase(r"in a (?:case|situation) (?:where|in which)", "when"),
    Phrase(r"under (?:the )?circumstances (?:where|in which)", "when"),
    Phrase(r"until such time as", "until"),
    Phrase(r"(?:during|over) the course of", "during"),
    Phrase(r"(?:with|in) (?:regards?|respect|relation|reference) to (?=the|your|this|that|any|our)",
           "about "),
    Phrase(r"pertaining to", "about"),
    Phrase(r"on the basis of", "based on"),
    Phrase(r"by (?:means|virtue) of", "by"),
    Phrase(r"with the (?:help|aid) of", "with"),
    Phrase(r"in conjunction with", "with"),
    Phrase(r"in (?:close )?proximity to", "near"),
    Phrase(r"in the vicinity of", "near"),
    Phrase(r"prior to", "before"),
    Phrase(r"subsequent to", "after"),
    Phrase(r"in such a (?:way|manner) that(?! (?:is|are)\b)(?!')", "so that"),
    Phrase(r"the (?:way|manner) in which", "how"),
    Phrase(r"the (?:vast |great )?majority of", "most"),
    Phrase(r"a (?:large|great|significant) number of", "many"),
    Phrase(r"a (?:wide|broad|large) (?:range|variety|array) of", "many"),
    Phrase(r"(?:each|any) and (every|all)\b", r"\1"),
    Phrase(r"all of (the|these|those|this|your|our|their|its)\b", r"all \1"),
    Phrase(r"both of (the|these|those)\b", r"both \1"),
    Phrase(r"(inside|outside) of (the|a|an|this|your|each|any)\b", r"\1 \2"),
    # Time.
    Phrase(r"at (?:this|the present|the current) (?:point in time|moment in time|time)", "now"),
    Phrase(r"at a later (?:time|point|date|point in time)", "later"),
    Phrase(r"later on", "later"),
    Phrase(r"in the near future", "soon"),
    Phrase(r"from time to time", "sometimes"),
    Phrase(r"on a (regular|daily|weekly|monthly|yearly) basis", r"\1"),
    Phrase(r"in (?:most|the majority of) cases", "usually"),
    Phrase(r"in (?:some|certain) cases", "sometimes"),
    Phrase(r"in all other cases", "otherwise"),
    # Verbs.
    Phrase(r"(?:has|have) the (?:ability|capability|capacity) to", "can"),
    Phrase(r"(?:is|are) able to", "can"),
    Phrase(r"will be able to", "can"),
    Phrase(r"(?:is|are) going to(?= [a-z]+)(?! (?:the|a|an|be going)\b)", "will"),
    Phrase(r"make use of", "use"),
    Phrase(r"makes use of", "uses"),
    Phrase(r"making use of", "using"),
    Phrase(r"(?:utili[sz]e)", "use"),
    Phrase(r"(?:utili[sz]ing)", "using"),
    Phrase(r"(?:provide|give) (?:an answer|a response|a reply) to", "answer"),
    Phrase(r"(?:provide|give) an explanation (?:of|for)", "explain"),
    Phrase(r"(?:provide|give) a description of", "describe"),
    Phrase(r"(?:perform|conduct|carry out) an analysis of", "analyze"),
    Phrase(r"(?:provide|create|make|compile|generate) a list of", "list"),
    Phrase(r"provide (me|you|us|them|him|her) with", r"give \1"),
    Phrase(r"take (?:into account|into consideration) (?=the|any|all|that)", "consider "),
    Phrase(r"(?:take|have) a (?:close |closer )?look at", "look at"),
    Phrase(r"(?:make|take|come to) a decision", "decide"),
    Phrase(r"(?:is|are) in the process of", "is"),
    Phrase(r"happens to be", "is"),
    Phrase(r"happen to be", "are"),
    Phrase(r"may happen to", "may"),
    Phrase(r"whenever (?:this|it) is possible", "when possible"),
    Phrase(r"please find (below|attached|enclosed)", r"find \1"),
    Phrase(rf"it is {_ADVERB}{_VITAL} that (?=(?:the|a|an|all|your|every|each|any|this|it)\b)",
           "ensure ", "clause"),
    Phrase(r"make (?:absolutely )?sure (?:that )?(?=[a-z])(?!(?:to|of|not|and|or|is|are|about)\b)",
           "ensure "),
    Phrase(r"makes sure that", "ensures"),
    Phrase(r"making sure that", "ensuring"),
    Phrase(r"ensure that (?=(?:the|a|an|all|your|every|each|any|it|they|you)\b)", "ensure "),
    # Nouns and modifiers.
    Phrase(r"tone of voice", "tone"),
    Phrase(r"one single", "one"),
    Phrase(r"any (?:kind|sort|type) of", "any"),
    Phrase(r"(?:this|these|that) (?:kind|sort) of (?=thing)", "this "),
    Phrase(r"a total of (?=\d)", ""),
    Phrase(r"end result", "result"),
    Phrase(r"(?:in addition|additionally|furthermore|moreover),", "also,", "start"),
    Phrase(r"in addition to (?:that|this),", "also,", "start"),
    Phrase(r"first (?:of all|and foremost),", "first,", "start"),
    Phrase(r"(?:having said that|that being said|that said),", "however,", "start"),
    Phrase(r"and so on and so forth", "and so on"),
    Phrase(
        r"(?:that|which) (?:is|are|was|were|has been|have been) (contained|given|provided|included"
        r"|listed|described|shown|written|found|located|mentioned|stated|specified|related|based"
        r"|used|associated|delimited|enclosed|needed|required) (?=(?:in|at|by|to|from|on|for|with"
        r"|above|below|as|within|between|during)\b)",
        r"\1 ",
    ),
    Phrase(r"(?:that|which) (?:is|are) (available|needed|required)(?=[\s.,;:])", r"\1"),
)  # fmt: skip
"""Phrases with a shorter one that means the same."""

# "kindly" the adverb of a request, not "a kindly man".
KINDLY = Phrase(rf"kindly{_VERB}", place="lead")
PLEASE = Phrase(
    r"please,?[\x20\t]+(?=[*_]{0,3}[A-Za-z])(?!(?:and|or|but|find|with|to|is|are|was)\b)"
)

INTENSIFIERS = frozenset(
    {
        "very", "really", "extremely", "highly", "absolutely", "incredibly", "truly", "quite",
        "exceptionally", "tremendously", "remarkably", "basically", "essentially", "actually",
        "obviously",
    }
)  # fmt: skip
"""Adverbs that strengthen or hedge the next word; dropped where that leaves a sentence whole."""

KEEP_AFTER = frozenset(
    {
        "much", "many", "few", "little", "same", "first", "last", "end", "beginning", "best",
        "least", "most", "next", "own", "top", "bottom", "start", "well", "a", "an", "the", "no",
        "not", "never", "nothing", "none", "and", "or", "but", "is", "are", "nature", "thing",
        "moment", "heart", "to", "only",
    }
)  # fmt: skip
"""Words before which an intensifier carries meaning, or is the head of its phrase."""

KEEP_BEFORE = frozenset(
    {
        "not", "never", "no", "the", "this", "that", "how", "so", "too", "cannot", "nor", "neither",
        "hardly", "barely", "what", "say", "word", "words", "if", "whether", "than", "more", "less",
    }
)  # fmt: skip
"""Words after which an intensifier, or "please", carries meaning."""
