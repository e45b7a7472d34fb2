"""English sentences made ready for the patterns of `acts.en_rules`.

`prepare` lowers case, spells contractions out, and sets every clause between commas and single
spaces, `, you are tired , get some sleep ,`, without its opening connective. Quotations become 〇,
what the client or others are reported to say becomes "reported 〇", and a condition that a comma ends
becomes "if 〇". A leading # marks an item of an enumeration, a trailing ? a question mark.
"""

from __future__ import annotations

import re

from rapport_tasks.dialogues.sentences import MASK, mask_quotations

_QUOTED = re.compile(f"{MASK}+")
_QUESTION_END = re.compile(r"\?[^\w]{0,20}\Z")
_ITEM = re.compile(
    r"\A\W{0,20}?(?:\d{1,2}[.)]\s|[-*•]\s|(?:first|firstly|secondly|thirdly|finally)\b)"
)
_ITEM_MARK = re.compile(r"\A, (?:\d{1,2} , |\d{1,2} (?=[a-z]))")
_PAUSE = re.compile(r"[^\w'〇\s%/-]+|_+|(?<=\s)-+(?=\s)|-{2,}")
_SPACES = re.compile(r"\s+")

_IRREGULAR = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "let's": "let us",
    "dont": "do not",
    "cant": "can not",
    "wont": "will not",
    "didnt": "did not",
    "doesnt": "does not",
    "isnt": "is not",
    "shouldnt": "should not",
    "wouldnt": "would not",
    "couldnt": "could not",
    "havent": "have not",
    "youre": "you are",
    "youve": "you have",
    "youll": "you will",
    "ive": "i have",
    "im": "i am",
    "thats": "that is",
    "u": "you",
    "ur": "your",
    "wanna": "want to",
    "gonna": "going to",
    "gotta": "have to",
    "i'd": "i would",
}
_ENDINGS = {
    "n't": " not",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'m": " am",
    "'d": " would",
}
_CONTRACTION = re.compile(
    r"\b(?:can't|cannot|won't|let's|(?:do|ca|wo|did|does|is|should|would|could|have)nt|you(?:re|ve|ll)|ive|im|"
    r"thats|wanna|gonna|gotta|i'd|ur?)(?![\w'])"
    r"|(?<=[a-z])(?:n't|'re|'ve|'ll|'m|'d)\b|\b(?:it|that|what|there|he|she|how|who|here)('s)\b"
)
_CONNECTIVE = re.compile(
    r"(?<=, )(?:(?:so|well|okay|ok|alright|all right|and|but|also|then|yeah|yes|yep|oh|um|uh|hmm|mm-hmm|"
    r"mhm|mmm|right|now|first|firstly|second|secondly|third|thirdly|finally|next|lastly|however|"
    r"additionally|moreover|furthermore|instead|therefore|i guess|i think|i mean|you know|of course|"
    r"absolutely|actually|honestly|sometimes|because|for example|for instance|in the meantime|"
    r"at the same time|even so|still|again|anyway|plus|or|like|"
    r"just to summarize|remember that|remember(?! to\b)|know that|keep in mind that) (?:, )?)+"
)
_CONDITION = re.compile(
    r"(?<=, )(?:if|when|whenever|once|unless|until|even if|next time|while) [^,]{1,120}? (?=, )"
)
_FILLER = re.compile(
    r"\b(?:u[hm]+|er+m?|hmm+)\b(?: ,)?|(?<!do )(?<!did )\byou know(?! (?:what|how|that|why|who|where|when|if|"
    r"it|him|her|them|the|yourself)\b)(?: ,)?|\bi mean\b(?: ,)?"
)
_STUTTER = re.compile(r"\b([a-z']+(?: [a-z']+)?)(?: \1)+\b")
_ITS = re.compile(
    r"(?<=, )its (?=(?:(?:so|very|really|totally|completely|just|pretty|quite|not|ok|okay|been) )|hard|"
    r"normal|natural|tough|understandable|fine|great|good|important|worth|best|better|a |the )"
)
_RUN_ON = re.compile(
    r"(?<=[a-z]) (?=(?:and|but|so|because|okay|ok|well|then|or|yeah|right|alright) (?:then |also |maybe |just )*"
    r"(?:i|you|we|he|she|it|they|that|this|there|what|how|let|try|go|do|have|are|is|can|if|when|one|part|"
    r"on)\b)"
)
_RUN_ON_WORDS = 14
_WILLING = re.compile(
    r"\bif (?:you|that|it) (?:would |are |is |feel |do )*(?:like|want|wish|comfortable|willing|okay|ok|all "
    r"right|prefer|ready|open|interested|not mind|helpful|feels right)\b"
)
_CLIENT_SAID = re.compile(
    r"(?<!can )(?<!could )(?<!would )\byou (?:just |also |have |had |already |were |are |kind of ){0,3}"
    r"(?:said|say (?=you|that|it|i)|saying|mentioned|told me(?= [a-z])|"
    r"described|talked about|stated|shared)\b(?! anything)[^,]{0,160}"
)
_OTHERS_SAID = re.compile(
    r"\b(?:he|she|they|people|everyone|everybody|someone|doctors?|friends?|mom|mother|dad|father|husband|"
    r"wife|partner|parents|family|boss|teacher|the (?:law|court|rules|school|doctor)|it) (?:always |keeps? |just |also |really |all )?"
    r"(?:says?|said|saying|tells?|told|telling|thinks?|thought|insists?|wants?|wanted) (?:that )?"
    r"(?:you |that ){0,2}you (?:should|need|have to|must|ought|to)[^,]{0,120}|\btold you to\b[^,]{0,120}"
)


def prepare(sentence: str) -> tuple[str, set[str]]:
    """Rewrite a sentence for the patterns.

    Returns:
        The rewritten sentence, and those attributes that the rewriting hides from patterns:
        ``quoted`` and ``permission``.
    """
    text = mask_quotations(sentence)
    hidden = {"quoted"} if MASK in text else set()
    text = _QUOTED.sub(" 〇 ", text).lower().replace("’", "'").replace("‘", "'")
    question = _QUESTION_END.search(text[-40:]) is not None
    item = _ITEM.match(text) is not None
    text = _CONTRACTION.sub(_spell_out, text)
    text = _SPACES.sub(" ", _PAUSE.sub(" , ", text)).strip(" ,")
    text = ", " + _transcribed(text).strip(" ,") + " ,"
    text = _ITS.sub("it is ", _CONNECTIVE.sub("", _ITEM_MARK.sub(", ", text)))
    if _WILLING.search(text):
        hidden.add("permission")
    text = _CONDITION.sub("if 〇 ", text)
    text = _OTHERS_SAID.sub("reported 〇 ", text)
    text = _CLIENT_SAID.sub("you reported 〇 ", text)
    if "reported 〇" in text:
        hidden.add("quoted")
    return ("#" if item else "") + text + (" ?" if question else ""), hidden


def _transcribed(text: str) -> str:
    """Without fillers and stutters; speech set down without punctuation gets its clauses back."""
    text = _SPACES.sub(" ", _STUTTER.sub(r"\1", _FILLER.sub(" ", text)))
    if text.count(" ") >= _RUN_ON_WORDS * (1 + text.count(" , ")):
        text = _RUN_ON.sub(" , ", text)
    return text


def _spell_out(match: re.Match[str]) -> str:
    short = match.group()
    if match.group(1):
        return short[:-2] + " is"
    return _IRREGULAR.get(short) or _ENDINGS[short]
