"""The command line: pictures that are right and cheap, text that does no harm, commands."""
