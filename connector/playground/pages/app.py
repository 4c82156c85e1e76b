"""The pages port: the record pages and the control routes, closed to other sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from connector.playground.desk import Desk
from connector.playground.org import Org


def create_pages(desk: Desk, org: Org, control: APIRouter) -> FastAPI:
    app = FastAPI(title="Candor playground", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"])

    @app.middleware("http")
    async def same_site(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """A page elsewhere must not write here through a visitor's browser."""
        site = request.headers.get("sec-fetch-site", "none")
        if request.method not in ("GET", "HEAD") and site not in ("same-origin", "none"):
            return Response("Writes from other sites are refused.", 403)
        return await call_next(request)

    app.include_router(control)
    return app
