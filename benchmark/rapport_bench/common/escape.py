"""Names that others chose, made safe for the formats they are printed in."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MARKDOWN = re.compile(r"([\\`*_\[\]#|~@$])")
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """Text without line breaks, control characters and marks that turn the direction of writing."""
    return xml_text(_TURNING.sub("", _BREAKS.sub(" ", text)))


def xml_text(text: str) -> str:
    """Text that XML 1.0 can hold; the characters that it cannot become U+FFFD.

    Markup is escaped by the XML writer.
    """
    return _NOT_XML.sub("\ufffd", text)


def markdown_text(text: str) -> str:
    r"""Text that stays text in a Markdown table: no markup, HTML, mention, link or column.

    Example:
        >>> markdown_text("<b>a|b</b>")
        '&lt;b&gt;a\\|b&lt;/b&gt;'
    """
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A bare address becomes a link without any markup around it.
    plain = plain.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")
    return _MARKDOWN.sub(r"\\\1", plain)


def csv_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before ``= + - @`` at the start.

    Quoting commas and quotes is left to the CSV writer.
    """
    plain = one_line(text)
    return f"'{plain}" if plain.lstrip()[:1] in ("=", "+", "-", "@") else plain
