"""Fixtures and hooks that all tests share."""

from shared import *  # noqa: F403 - pytest finds fixtures and hooks by their names here
