"""Contract with plugins: everything that their authors inherit from or receive."""
