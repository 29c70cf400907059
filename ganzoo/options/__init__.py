"""Options of a run: one description of each field serves flags, help, config files, documentation and reports."""
