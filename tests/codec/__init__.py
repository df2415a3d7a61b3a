"""The codec: what comes back, what is refused, what is corrupt."""
