"""Inside gdb: the hook's walk along a path must end where gdb's own evaluation ends.

Prints `same EXPRESSION`, or what differs; what neither can read is `unreadable EXPRESSION`.
"""

import gdb
from dbgmate_gdb import asks, member_path

PATHS = """
fd
*(libxl__ev_fd*)for_libxl
((libxl__ev_fd*)for_libxl)->fd
(*(struct libxl__ev_fd *)for_libxl).entry.le_prev
&((libxl__ev_fd*)for_libxl)->fd
ctx->polled[1]
ctx->polled[0].events
ctx[0].polled[0].revents
ctx->state
ctx->state.ready
ctx->state.bytes[3]
ctx->state.version
*ctx
nowhere
ev->func
*ev->entry.le_prev
&fd
(short)fd
(unsigned long)ev
datacopier_writable
a_is_on_its_way
*nowhere
nowhere[5]
nosuch
ctx->nosuch
(nosuch*)for_libxl
fd.x
"""


def shown(read):
    try:
        return read()
    except Exception as error:
        return error


gdb.execute("frame function libxl_osevent_occurred_fd", to_string=True)
frame = gdb.selected_frame()
for text in PATHS.split("\n"):
    if text:
        walked = shown(lambda: asks.shown(asks.walk(member_path.parse(text), frame), text))
        evaluated = shown(lambda: gdb.parse_and_eval(text).format_string(raw=True))
        if isinstance(walked, Exception) and isinstance(evaluated, Exception):
            print(f"unreadable {text}")
        elif walked == evaluated:
            print(f"same {text}")
        else:
            print(f"{text}: {walked!r}, but gdb says {evaluated!r}")
