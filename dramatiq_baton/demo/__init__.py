"""A complete example: workflows that write a research brief on installed packages."""
