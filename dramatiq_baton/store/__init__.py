"""Where workflows live: Redis or Valkey. Nothing above this package knows a key or a command."""
