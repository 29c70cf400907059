"""The contract: all that the author of a plugin inherits from or is given."""
