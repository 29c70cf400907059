"""Callbacks that every run has: what is logged, sampled, measured, saved and watched between iterations."""
