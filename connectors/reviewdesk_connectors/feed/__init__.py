"""Any feed of texts about the shop: RSS, Atom, JSON Feed, and review exports described by a mapping.

A feed has no API: it is one document at a URL or in a file (or several behind paging links), and nothing can be
written to it. So replies are handed off to the platform's own page. The rooms:

    settings.py      the keys of a feed's `[[source]]` table, and every mistake in them at once
    document.py      one fetched document: its bytes, its headers, its characters
    formats.py       items out of XML, JSON, JSON lines and CSV, and the selectors that look into an item
    syndication.py   items out of RSS, Atom and JSON Feed
    mapping.py       from an item to mentions: the targets and the closed list of transforms
    values.py        what the transforms do to one value: numbers, ratings, yes and no, languages
    dates.py         dates as the world writes them
    patterns.py      regular expressions that cannot run away
    fetching.py      how it is asked for: address, credential, validators, and quiet when it wants quiet
    paging.py        where the next page is
    progress.py      what the cursor holds
    connector.py     the plugin: poll, import, hand-off, check
    sandbox.py       the emulated portal that publishes such feeds

The formats' rules and traps are those of RFC 4287, the RSS Advisory Board's specification, JSON Feed 1.1, RFC 5005
and RFC 9110.
"""
