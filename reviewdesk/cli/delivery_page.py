"""The picture and the table of docs/delivery.md, made from `reviewdesk.desk.delivery`.

`python -m reviewdesk.cli.delivery_page docs/delivery.md` puts them between the marks in the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reviewdesk.desk.delivery import MEANINGS, TRANSITIONS
from reviewdesk.model import DeliveryState

BEGIN, END = "<!-- made by reviewdesk.cli.delivery_page -->\n", "<!-- until here -->\n"
_FIRST = (DeliveryState.QUEUED, DeliveryState.HANDED_OFF)


def made() -> str:
    """Gives the picture (Mermaid) and the table of states: what each means, and what may follow and why."""
    arrows = [f"    [*] --> {state.value}" for state in _FIRST]
    arrows += [
        f"    {was.value} --> {to.value}: {why}"
        for was, following in TRANSITIONS.items()
        for to, why in following.items()
    ]
    rows = [f"| **{state.words}** | {meaning} | {_following(state)} |" for state, meaning in MEANINGS.items()]
    return "\n".join(
        [
            "```mermaid",
            "stateDiagram-v2",
            *arrows,
            "```",
            "",
            "| state | what it means to you | what may follow, and why |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def renewed(page: str) -> str:
    """Gives the page with what is made put between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{made()}\n{END}{after}"


def _following(state: DeliveryState) -> str:
    return "; ".join(f"{to.words} ({why})" for to, why in TRANSITIONS[state].items()) or "nothing"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
