"""The desk's own colours, dark and light. Textual's themes work as well, those for terminals of 16 colours too."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="reviewdesk-dark",
    primary="#4f8cc9",
    secondary="#7fb0a8",
    accent="#6cb6ff",
    foreground="#d8dee6",
    background="#12161c",
    surface="#161b22",
    panel="#222a35",
    success="#7cc47f",
    warning="#e0af4f",
    error="#f0716b",
    variables={
        "faint": "#8793a3",
        "scrollbar": "#2c3746",
        "scrollbar-background": "#161b22",
        "scrollbar-corner-color": "#161b22",
    },
    dark=True,
)
LIGHT = Theme(
    name="reviewdesk-light",
    primary="#2f6fae",
    secondary="#2f7d72",
    accent="#0b62c4",
    foreground="#1f2630",
    background="#f2f4f7",
    surface="#fbfcfd",
    panel="#e2e7ee",
    success="#2c7a33",
    warning="#9a6200",
    error="#bf2b23",
    variables={
        "faint": "#66707d",
        "scrollbar": "#c3ccd8",
        "scrollbar-background": "#fbfcfd",
        "scrollbar-corner-color": "#fbfcfd",
    },
    dark=False,
)
OWN = (DARK, LIGHT)
"""The themes to register; the first one is the default."""

VARIABLES = {"faint": "#8a8f98"}
"""What the desk's styles need besides Textual's own variables, for themes that do not have it."""
