"""The use cases of the desk, one module each; the state machines among them are pure."""
