"""The scripts as one protocol, against a model of its rules."""
