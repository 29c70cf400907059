"""Helpers below everything else: files, random generators, the machine, registries."""
