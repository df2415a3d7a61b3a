"""Programs that look for input that breaks a reader, guided by what it runs through."""
