"""The connectors that come in the box; each is a plugin like any third party's."""
