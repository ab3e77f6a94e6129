"""Facebook Pages by the Graph API: posts, comments, visitors' and tagged posts, recommendations, and replies to them.

`connector` is the plugin; `settings` its table; `payloads` the API's types; `mentions` turns them into mentions;
`graph` speaks HTTP, with `errors` (the API's codes as a table) and `usage` (its limits); `polling` and `lists` read
what is new and `state` remembers it; `inspection` is the doctor's part; `saved` reads files; `sandbox` is the emulated
platform and `sandbox_page` the Page in it.
"""
