"""Low-level helpers: files, random generators, the machine, registries."""
