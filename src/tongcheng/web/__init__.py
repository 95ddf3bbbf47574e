"""The toolkit of the console: layout, tables, words in two languages, charts, a strict CSP.

A service renders its pages with it from frozen view structs; a node makes one `Console`, one
`Toolkit`, and hangs both into its Litestar application.
"""

from tongcheng.web.components import Badge, Cell, Column, Empty, Row, Step, Table, Tone
from tongcheng.web.console import Console, NavItem, NavSection
from tongcheng.web.i18n import LANGUAGES, Language
from tongcheng.web.toolkit import Page, Toolkit, is_page

__all__ = [
    "LANGUAGES",
    "Badge",
    "Cell",
    "Column",
    "Console",
    "Empty",
    "Language",
    "NavItem",
    "NavSection",
    "Page",
    "Row",
    "Step",
    "Table",
    "Tone",
    "Toolkit",
    "is_page",
]
