"""dbgmate inside gdb: `source /path/to/clients/gdb/dbgmate.py` registers `offsets-of` and `triage`.

The same answers for scripts: `python import dbgmate_gdb; dbgmate_gdb.offsets_of("struct foo")`.
"""

import os
import sys

_FOLDER = os.path.dirname(os.path.realpath(__file__))
if _FOLDER not in sys.path:
    sys.path.insert(0, _FOLDER)

from dbgmate_gdb import commands

commands.register()
