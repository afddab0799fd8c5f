"""A server of tools written with the official SDK (package mcp): stdio, or streamable HTTP on a port."""

import sys

from mcp.server.fastmcp import Context, FastMCP, Image
from mcp.types import ToolAnnotations

json_answers = "json" in sys.argv
server = FastMCP("shelf", host="127.0.0.1", port=int(sys.argv[2]) if len(sys.argv) > 2 else 0,
                 json_response=json_answers, log_level="ERROR")
books = {"1": "红楼梦"}


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def read(number: str) -> str:
    """The title of a book."""
    return books[number]


@server.tool()
def write(number: str, title: str) -> str:
    """Puts a book onto the shelf."""
    books[number] = title
    return "kept"


@server.tool()
async def slow(steps: int, context: Context) -> str:
    """Tells of its progress, then answers."""
    for step in range(steps):
        await context.report_progress(step, steps)
        await context.info("working")
    return "after %d steps" % steps


@server.tool()
def cover() -> Image:
    """A picture, which is no text."""
    return Image(data=b"\x89PNG", format="png")


@server.tool()
async def nosy(context: Context) -> str:
    """Asks the client for what it does not offer."""
    try:
        await context.session.list_roots()
    except Exception as error:
        return "refused: " + type(error).__name__
    return "it told me"


server.run(transport=sys.argv[1])
