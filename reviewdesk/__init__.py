"""A terminal desk for the people who answer the public for an e-shop."""

__version__ = "0.1.0"
