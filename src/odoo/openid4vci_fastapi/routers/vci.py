# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The endpoints of the issuers as a router of FastAPI. It knows no Odoo: who runs it
says by dependency_overrides how vci_http is asked."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

# Method, target, [name, value, name, value, ...] and body give a status, headers, body.
Answer = tuple[int, list[tuple[str, str]], bytes]
Ask = Callable[[str, str, list[str], bytes], Answer]

MAX_BODY = 1024 * 1024
METHODS = ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"]

vci_router = APIRouter()


def ask_vci_http() -> Ask:
    """How vci_http is asked. Whoever includes the router overrides this."""
    raise NotImplementedError("override the dependency ask_vci_http")


def max_body() -> int:
    """How many bytes a body may have. Whoever includes the router may override this."""
    return MAX_BODY


def target_of_request(request: Request) -> str:
    """Path and query as they came, not decoded."""
    scope = request.scope
    if scope.get("raw_path"):
        target = scope["raw_path"].decode("latin-1")
    else:
        target = quote(scope["path"], safe="/:@!$&'()*+,;=~")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    return target


async def body_of_request(
    request: Request, limit: Annotated[int, Depends(max_body)]
) -> bytes | int:
    """The body as it came, form or not; or the status with which it is refused."""
    announced = request.headers.get("Content-Length", "").lstrip("0")
    if (len(announced), announced) > (len(str(limit)), str(limit)):
        return 413
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > limit:
                return 413
    except ClientDisconnect:
        return 400
    return bytes(body)


# No "async": the database makes this wait, and others shall not wait with it.
@vci_router.api_route("/{path:path}", methods=METHODS, include_in_schema=False)
def vci_endpoint(
    request: Request,
    target: Annotated[str, Depends(target_of_request)],
    body: Annotated[bytes | int, Depends(body_of_request)],
    ask: Annotated[Ask, Depends(ask_vci_http)],
    limit: Annotated[int, Depends(max_body)],
) -> Response:
    if isinstance(body, int):
        description = {
            400: "the body did not come to its end",
            411: "Content-Length is needed here",
            413: f"the body has more than {limit // 1024} kB",
        }[body]
        return JSONResponse(
            {"error": "invalid_request", "error_description": description},
            status_code=body,
            headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"},
        )
    # SQL's text has no NUL (RFC 9110 section 5.5: it may become a space).
    headers = [
        part.decode("latin-1").replace("\0", " ")
        for pair in request.headers.raw
        for part in pair
    ]
    status, names_and_values, content = ask(
        request.method, target.replace("\0", "%00"), headers, body
    )
    answered = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in names_and_values
    ]
    response = Response(content, status)
    # The answer to HEAD tells the length of what it leaves out.
    told = {name for name, _value in answered} | {b"content-type"}
    response.raw_headers = answered + [
        (name, value) for name, value in response.raw_headers if name not in told
    ]
    return response
