"""XML from strangers, read safely: no entities, no document type, no network, and no text that silences the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reviewdesk.errors import BadAnswer
from reviewdesk.text import REPLACEMENT

if TYPE_CHECKING:
    from lxml.etree import _Element

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# What XML 1.0 does not allow (https://www.w3.org/TR/xml/#charsets).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(body: bytes, root: str) -> _Element:
    """Gives the root element of a document that fits into memory.

    Characters that XML does not allow, and bytes that do not decode, become U+FFFD.

    Args:
        root: the name that the root element must have.

    Raises:
        BadAnswer: it is no well-formed XML, has another root, or declares a document type.
    """
    from lxml import etree

    declared = _DECLARED.match(body)
    try:
        text = body.decode(declared[1].decode() if declared else "utf-8-sig", "replace")
    except (LookupError, UnicodeError):  # some codecs know no replacement, such as that of host names
        text = body.decode("utf-8", "replace")
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        found = etree.fromstring(_NOT_XML.sub(REPLACEMENT, _DECLARATION.sub("", text)).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise BadAnswer(f"The answer is no XML that can be read ({error}).") from None
    if found.getroottree().docinfo.doctype:
        raise BadAnswer("The answer declares a document type (DTD), which is refused.")
    if found.tag != root:
        raise BadAnswer(f"The answer is <{found.tag}> where <{root}> should be.")
    return found
