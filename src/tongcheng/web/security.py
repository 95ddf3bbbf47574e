"""What a page may do: everything it needs comes from its own node, and nothing else may run.

The headers are set on every answer of the node (an error page included), because Litestar's
`before_send` sees each one; a middleware would miss the answers to unknown paths.
"""

from litestar.types import Message, Scope

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

HEADERS: dict[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), "
    "payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


# A page shows a state that changes, or a person's bill: no cache keeps it unasked.
_SENT = [
    (name.lower().encode(), value.encode())
    for name, value in (HEADERS | {"Cache-Control": "no-store"}).items()
]


async def secure(message: Message, _scope: Scope) -> None:
    """Add the headers to an answer; goes into `Litestar(before_send=[secure])`."""
    if message["type"] != "http.response.start":
        return
    given = list(message["headers"])
    names = {name.lower() for name, _ in given}
    message["headers"] = given + [one for one in _SENT if one[0] not in names]
