"""Templates, what makes them personal, and the checks before sending."""
