"""`python -m reviewdesk`."""

from reviewdesk.cli import main

main()
