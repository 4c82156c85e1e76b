"""The pages port: record pages as a rep sees them, and the control routes, closed to other sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from connector.playground.desk import Desk, DeskKind, Refused, TimelineEntry, View
from connector.playground.org import Org
from connector.playground.pages.actions import ACTIONS, DONE, STATUSES
from connector.playground.pages.card import card
from connector.playground.world.rep import choices
from crm_schema import choices as words

PAGE = 25
"""Leads on one page of the list."""
CASES = 50
"""Open cases above it."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_DETAILS = ("title", "company", "email", "phone", "industry", "employees", "annual_revenue", "country", "source",
            "product_interest", "use_case", "heard_from", "needed_by", "hand_raiser", "opted_out", "points")  # fmt: skip


def create_pages(desk: Desk, org: Org, control: APIRouter) -> FastAPI:
    app = FastAPI(title="Candor playground", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "testserver"])

    @app.middleware("http")
    async def same_site(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        """A page elsewhere must not write here through a visitor's browser."""
        site = request.headers.get("sec-fetch-site", "none")
        if request.method not in ("GET", "HEAD") and site not in ("same-origin", "none"):
            return Response("Writes from other sites are refused.", 403)
        answer = await call_next(request)
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    app.include_router(control)
    app.include_router(_Pages(desk, org).router())
    return app


class _Pages:
    def __init__(self, desk: Desk, org: Org) -> None:
        self._desk, self._org = desk, org
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True,
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters["shown"] = shown

    def router(self) -> APIRouter:
        router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
        router.get("/")(self.list)
        router.post("/as")(self.work_as)
        router.get("/record/{kind}/{id}")(self.record)
        router.post("/record/{kind}/{id}")(self.act)
        return router

    def list(self, request: Request, q: str = "", start: int = 0) -> HTMLResponse:
        start = max(start, 0)
        found = list(self._desk.leads(search=q[:100], limit=PAGE + 1, offset=start))
        cards = [(lead, card(lead, self._now())) for lead in found[:PAGE]]
        cases = [(case, self._other("lead", case.values.get("candor_lead"))) for case in self._desk.reviews()]
        cases = sorted(cases, key=lambda case: (-_uncertain_value(case[1]), case[0].id))[:CASES]
        return self._page("leads.html", request, cards=cards, q=q[:100], start=start, size=PAGE,
                          more=len(found) > PAGE, cases=cases, full=len(cases) == CASES)  # fmt: skip

    async def work_as(self, request: Request) -> RedirectResponse:
        """Who clicks: one of the org's users, remembered by a cookie."""
        form = await request.form()
        user, back = str(form.get("user", "")), str(form.get("back", "/"))
        if user not in self._desk.owners():
            raise HTTPException(422, "No such user.")
        safe = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        answer = RedirectResponse(safe, 303)
        answer.set_cookie("rep", user, httponly=True, samesite="lax")
        return answer

    def record(self, request: Request, kind: str, id: str, done: str = "") -> HTMLResponse:
        found = self._other(kind, id) if kind in get_args(DeskKind) else None
        if found is None:
            return self._page("missing.html", request, status=404)
        return self._record(request, found, said=DONE.get(done, ""))

    async def act(self, request: Request, kind: str, id: str) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        view = self._view(kind, id)
        act = ACTIONS.get((kind, form.get("do", "")))
        if act is None:
            raise HTTPException(422, "No such action on this record.")
        try:
            done = act(self._desk, view.kind, id, form, self._user(request, view))
        except Refused as no:
            return self._record(request, view, refused=str(no), given=form)
        back = form.get("back", "")
        path = back if back.startswith("/record/") else f"/record/{kind}/{id}"
        return RedirectResponse(f"{path}?done={done}", 303)

    def _record(
        self, request: Request, view: View, *, said: str = "", refused: str = "",
        given: dict[str, str] | None = None,
    ) -> HTMLResponse:  # fmt: skip
        name = f"{view.kind}.html"
        context: dict[str, Any] = {"view": view, "said": said, "refused": refused, "given": given or {}}
        context |= {"tags": choices(view.values.get("candor_tags")), "tagged": "candor_tags" in view.values}
        if view.kind == "lead":
            context |= self._lead(view)
        if view.kind == "review":
            context["lead"] = self._other("lead", view.values.get("candor_lead"))
        return self._page(name, request, status=422 if refused else 200, **context)

    def _lead(self, view: View) -> dict[str, Any]:
        users = self._desk.owners()
        return {
            "card": card(view, self._now()),
            "details": [(view.labels.get(name, name.replace("_", " ").capitalize()), view.values[name])
                        for name in _DETAILS if name in view.values],
            "cases": [case for case in self._desk.reviews() if case.values.get("candor_lead") == view.id],
            "deals": list(self._desk.deals(view.id)),
            "timeline": [(list(group), users.get(by or "", by or "")) for (_, _, by), group
                         in groupby(self._desk.timeline(view.id, limit=100), _together)],
            "asks": view.values.get("candor_feedback_due") not in (None, "", "none"),
            "statuses": STATUSES,
        }  # fmt: skip

    def _page(self, name: str, request: Request, *, status: int = 200, **context: Any) -> HTMLResponse:
        users = self._desk.owners()
        html = self._templates.get_template(name).render(
            vendor=self._desk.vendor, now=self._now(), users=users, words=words, here=request.url.path,
            me=request.cookies.get("rep", ""), **context,
        )  # fmt: skip
        return HTMLResponse(html, status)

    def _view(self, kind: str, id: str) -> View:
        found = self._other(kind, id) if kind in get_args(DeskKind) else None
        if found is None:
            raise HTTPException(404, "There is no such record.")
        return found

    def _other(self, kind: Any, id: Any) -> View | None:
        try:
            return self._desk.view(kind, str(id))
        except KeyError:
            return None

    def _user(self, request: Request, view: View) -> str:
        """Whoever the visitor works as; else the record's owner; else anyone."""
        users = self._desk.owners()
        for user in (request.cookies.get("rep"), view.values.get("owner_id")):
            if user in users:
                return str(user)
        return next(iter(users), "")

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._org.now() / 1000, UTC)


def _uncertain_value(lead: View | None) -> float:
    """What the queue is ordered by: expected value times the width of the range (routing's own order)."""
    values = {} if lead is None else lead.values
    worth, sure = values.get("candor_expected_value"), values.get("candor_confidence")
    return 0.0 if worth is None or sure is None else float(worth) * (100 - float(sure))


def _together(entry: TimelineEntry) -> tuple[str, object, str | None]:
    """Field changes of one minute by one hand are one line of the timeline; everything else stands alone."""
    return (
        entry.kind,
        entry.at.replace(second=0, microsecond=0) if entry.kind == "field" else id(entry),
        entry.by,
    )


def shown(value: Any) -> str:
    """A field's value on the screen."""
    match value:
        case None | "" | []:
            return "—"
        case bool():
            return "Yes" if value else "No"
        case int() | float():
            return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:g}"
        case datetime():
            return f"{value:%d %b %Y}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
