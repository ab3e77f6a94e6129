"""The faults are played in the same street as the journeys."""

from tests.flows.conftest import street

__all__ = ["street"]
