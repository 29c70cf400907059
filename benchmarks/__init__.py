"""How fast ganzoo is, against loops written plainly: see README.md."""
