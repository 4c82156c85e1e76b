"""The report in a real browser: nothing sticks out at 320 px, text is readable in light and dark (WCAG AA)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.web.report import content, render
from scoring.routing.policy import Policy
from tests.unit.matured import matured

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]

CONTRAST = """
() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const lum = (c) => rgb(c).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = getComputedStyle(document.body).backgroundColor;
  const low = [];
  for (const e of document.querySelectorAll("p, h1, h2, dt, dd, th, td, a, span, summary, figcaption, .label")) {
    const [a, b] = [lum(getComputedStyle(e).color), lum(ground)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push(e.textContent.slice(0, 40));
  }
  return low;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("n", [0, 2500])
def test_the_page_fits_a_phone_and_can_be_read(browser: Any, tmp_path: Path, n: int, scheme: str) -> None:
    made = content(
        matured(n), Policy(), {}, None, {}, "snapshot",
        org="Northwind", currency="USD", made_at=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    file = tmp_path / "report.html"
    file.write_text(render(made), encoding="utf-8")
    page = browser.new_page(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(CONTRAST) == []
    assert asked == [file.as_uri()]
    page.close()
