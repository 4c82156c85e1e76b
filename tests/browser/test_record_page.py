"""The record page in a real browser: what a rep reads, clicks and says."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from connector.playground.control import Faults, routes
from connector.playground.org import Org
from connector.playground.pages.app import create_pages
from connector.playground.world.generate import generate
from tests.world_desk import PlainDesk, plain_org

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium: apt-get install chromium"),
]
SCORED = {
    "candor_score": 62, "candor_score_low": 45, "candor_score_high": 78, "candor_confidence": 67,
    "candor_band": "unsure", "candor_flags": "Employees 12,000: 10× your typical deal\nNew industry for you",
    "candor_reasons": "+14 Read pricing and a case study\n-6 No title known\n+4 Everything else\n"
                      "Based on 212 leads like this.",
    "candor_fit": 71, "candor_engagement": 64, "candor_expected_value": 18400, "candor_route": "review",
    "candor_route_reason": "Confidence below 65 and high engagement: a person should look first.",
    "candor_model": "universal 3", "candor_scored_at": "2026-06-30T09:00:00+00:00", "candor_trend": "+14 since Thursday 25 June: visits 9, was 2",
    "candor_tags": [], "candor_override_score": None, "candor_override_reason": None,
    "candor_feedback_due": "high_but_dark", **{f"candor_feedback_{n}": None for n in range(1, 6)},
    "candor_outcome_as_expected": None, "candor_surprise_reason": None,
}  # fmt: skip


class Site:
    """Pages over a small org: lead l-L00001 scored, l-L00002 not yet, l-L00003 in an org without Candor's fields."""

    def __init__(self, folder: Path) -> None:
        self.org = Org(folder / "org.sqlite")
        world, _ = generate(leads=60, months=6, seed=1)
        for person in world.people:
            person.status = "new"
        self.desk: PlainDesk = plain_org(self.org, world)
        self.org.update("lead", "l-L00001", SCORED, by="candor")
        blank = {
            **dict.fromkeys(SCORED),
            "candor_route": "unscored",
            "candor_route_reason": "Candor has no model yet.",
        }
        self.org.update("lead", "l-L00002", blank, by="candor")
        self.org.create("review", "r1", {
            "_key": None, "_name": "CR-000001", "candor_lead": "l-L00001", "candor_score": 62, "candor_confidence": 67,
            "candor_tier": "specialist", "candor_due": "2026-07-01", "candor_status": "open", "candor_decision": None,
            "candor_reason": None,
        }, by="candor")  # fmt: skip
        self.desk.log("l-L00001", "call", by="U07", detail={"answered": True})
        faults = Faults()
        app = create_pages(self.desk, self.org, routes(self.org, faults, lambda days, seed: {}))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.org.close()

    def values(self, id: str = "l-L00001") -> Any:
        return self.desk.view("lead", id).values


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, site: Site) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    outside = [url for url in asked if not url.startswith(site.url) and not url.startswith("data:")]
    context.close()
    assert outside == []
    assert [text for text in problems if "Failed to load resource" not in text] == []


def _shot(page: Any, name: str) -> None:
    """With CANDOR_SHOTS=folder the pages are kept as pictures, for a person's eyes."""
    if folder := os.environ.get("CANDOR_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_the_card_never_shows_a_score_without_its_range(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/record/lead/l-L00001")
    track = page.get_by_role("img", name="Score 62, likely 45 to 78, of 100")
    box = track.bounding_box()
    band, tick = track.locator(".likely").bounding_box(), track.locator(".tick").bounding_box()
    assert abs(band["x"] - box["x"] - 0.45 * box["width"]) < 2
    assert abs(band["width"] - 0.33 * box["width"]) < 2
    assert abs(tick["x"] + tick["width"] / 2 - box["x"] - 0.62 * box["width"]) < 2
    body = page.inner_text("body")
    for said in ("62, likely 45 to 78", "Employees 12,000: 10× your typical deal", "Read pricing and a case study",
                 "Based on 212 leads like this.", "A reviewer looks at this lead first",
                 "Confidence below 65 and high engagement"):  # fmt: skip
        assert said in body
    _shot(page, "lead-light")


def test_a_tag_is_one_click_on_and_one_click_off(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/record/lead/l-L00001")
    page.get_by_role("button", name="Unexpected fit").click()
    assert site.values()["candor_tags"] == ["unexpected_fit"]
    button = page.get_by_role("button", name="Unexpected fit", pressed=True)
    assert "qualified for reasons" in page.inner_text("#help-unexpected_fit")
    page.get_by_role("button", name="Unusual buying process").click()
    assert site.values()["candor_tags"] == ["unexpected_fit", "unusual_buying_process"]
    button.click()
    assert site.values()["candor_tags"] == ["unusual_buying_process"]


def test_an_override_needs_its_reason_and_can_be_taken_back(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/record/lead/l-L00001")
    page.get_by_label("Score, 0 to 100").fill("85")
    page.get_by_role("button", name="Set my score").click()
    assert site.values()["candor_override_score"] is None
    page.get_by_label("Why", exact=True).fill('They named a budget <b>"now"</b>')
    page.get_by_role("button", name="Set my score").click()
    assert site.values()["candor_override_score"] == 85
    assert 'They named a budget <b>"now"</b>' in page.inner_text("body")
    page.get_by_role("button", name="Take it back").click()
    assert site.values()["candor_override_score"] is None


def test_a_form_that_is_due_is_five_clicks(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/record/lead/l-L00001")
    for answer in ("One person", "A need for later", "Later", "A budget", "Silent"):
        page.get_by_label(answer, exact=True).check()
    page.get_by_role("button", name="Send").click()
    assert page.get_by_role("status").inner_text().startswith("Thank you")
    said = site.values()
    assert [said[f"candor_feedback_{n}"] for n in range(1, 6)] == [
        "one_person", "need_later", "later", "budget", "silent",
    ]  # fmt: skip


def test_a_case_is_not_completed_without_a_reason(page: Any, site: Site) -> None:
    page.goto(site.url)
    page.locator("section", has_text="1 case to review").get_by_role("link").click()
    assert "CR-000001" in page.inner_text("main")
    page.get_by_label("Decision").select_option("route")
    page.get_by_label("Anything else worth knowing").fill("Ask Ada")
    page.get_by_role("button", name="Complete the case").click()
    assert "without a decision and a reason" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Decision").input_value() == "route"
    assert page.get_by_label("Anything else worth knowing").input_value() == "Ask Ada"
    _shot(page, "review-refused")
    page.get_by_label("Because of").select_option("hidden_budget")
    page.get_by_role("button", name="Complete the case").click()
    case = site.desk.view("review", "r1").values
    assert (case["candor_status"], case["candor_decision"], case["candor_reason"]) == (
        "completed", "route", "hidden_budget",
    )  # fmt: skip


def test_the_closing_question_asks_what_decided_it(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/record/lead/l-L00001")
    page.get_by_label("Status").select_option("disqualified")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Save answer").click()
    assert "What decided it?" in page.get_by_role("alert").inner_text()
    page.get_by_label("No", exact=True).check()
    page.get_by_label("If not: what decided it?").select_option("lost_timing")
    page.get_by_role("button", name="Save answer").click()
    assert site.values()["candor_surprise_reason"] == "lost_timing"


def test_states_without_a_score_say_what_comes_next(page: Any, site: Site) -> None:
    page.goto(f"{site.url}/record/lead/l-L00002")
    assert "Candor has no model yet." in page.inner_text("body")
    page.goto(f"{site.url}/record/lead/l-L00003")
    assert "candor apply" in page.inner_text("body")
    assert page.get_by_role("button", name="Unexpected fit").count() == 0
    _shot(page, "lead-no-fields")
    page.goto(f"{site.url}/?q=zzzz")
    assert "No open lead matches" in page.inner_text("body")
    assert page.goto(f"{site.url}/record/lead/none").status == 404
    assert page.get_by_role("link", name="Back to the leads").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_320_pixels_in_both_schemes(browser: Any, site: Site, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 700}, color_scheme=scheme)
    for path in ("/", "/record/lead/l-L00001", "/record/review/r1", "/record/lead/l-L00003"):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(_CONTRAST) == []
        _shot(page, f"narrow-{scheme}-{path.strip('/').replace('/', '-') or 'list'}")
    page.close()


_CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const back = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.offsetParent) continue;
    const [a, b] = [lum(parse(getComputedStyle(e).color)), lum(back(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push(e.tagName + ': ' + e.textContent.trim().slice(0, 40));
  }
  return low;
}"""
