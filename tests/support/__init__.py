"""What the tests stand on: real servers, real workers, and actors that do as they are told."""
