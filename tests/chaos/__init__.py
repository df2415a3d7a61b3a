"""Random workflows on real workers, while workers and the server are killed, paused and cut off.

``python -m tests.chaos`` is a program of its own; pytest runs a short round of it.
"""
