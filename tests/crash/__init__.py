"""A crash at every command, not here and there."""
