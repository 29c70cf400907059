"""Options of a run: one description of each field serves flags, help, config files, documentation and reports.

The stub next to this file lists the public names; each is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
