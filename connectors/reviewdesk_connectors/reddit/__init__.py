"""Reddit, through PRAW: comments and posts in chosen communities, posts with a brand's name, the account's inbox.

`connector` is the plugin, `settings` its `[[source]]` table, `polling` one poll and `position` its cursor, `payloads`
the shapes of Reddit's answers, `checkup` what the doctor says. `session` holds one thread for each account and waits in
the event loop for what `allowance` tells; `client` is PRAW itself, and the only module that imports it, since that
takes a quarter of a second. `sandbox` is the emulated Reddit.
"""
