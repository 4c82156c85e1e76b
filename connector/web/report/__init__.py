"""The report that people look at: `content` gathers it as plain values, `render` makes one HTML page of them."""

from connector.web.report.content import content
from connector.web.report.render import render

__all__ = ["content", "render"]
