"""Makes record.png anew: `python docs/images/make.py`. A local Salesforce, the whole way to scores, and the record page
of a lead that Candor is unsure about. Needs Chromium and the tools of `make dev`.

With `--pages URL --lead ID` it takes the picture of a local CRM that is up (as `candor demo --keep` leaves one).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
WIDTH, MARGIN = 1000, 16
"""CSS pixels. The picture is the head of the record: score, range, flags, reasons, tags."""

UNSURE = range(45, 66)
"""Points of width of the range that the picture should show."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages")
    parser.add_argument("--lead")
    asked = parser.parse_args()
    if asked.pages and asked.lead:
        take(asked.pages, asked.lead)
        return
    from connector.playground.server import WorldOptions, launched

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with launched("salesforce", folder / "crm", WorldOptions(leads=2000)) as (_, info):
            candor(folder, "init", "--playground", str(folder / "crm"), "--yes")
            for command in (["apply", "--yes"], ["backfill"], ["train"]):
                candor(folder, *command)
            wrote = orjson.loads(candor(folder, "sync", "--json"))["wrote"]
            take(info["pages"], unsure(wrote))


def candor(folder: Path, *arguments: str) -> bytes:
    command = [
        sys.executable,
        "-m",
        "connector.cli.main",
        *arguments,
        "--config",
        str(folder / "candor.toml"),
    ]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def unsure(wrote: Sequence[Mapping[str, Any]]) -> str:
    """The lead to show: in review, wide, with a flag, the highest score first."""
    values = {line["id"]: line["values"] for line in wrote if line["kind"] == "lead"}
    found = [
        (v["candor_score"], id)
        for id, v in sorted(values.items())
        if v.get("candor_route") == "review"
        and round(v["candor_score_high"] - v["candor_score_low"]) in UNSURE
        and v.get("candor_flags")
    ]
    return max(found)[1]


def take(pages: str, lead: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": WIDTH, "height": 900}, color_scheme="light", device_scale_factor=1.25
        )
        page.goto(f"{pages}/record/lead/{lead}")
        top, bottom = page.locator("h1").bounding_box(), page.locator("#candor ~ p.soft").last.bounding_box()
        assert top is not None
        assert bottom is not None
        start = top["y"] - MARGIN
        height = bottom["y"] + bottom["height"] - start + MARGIN / 2
        clip = {"x": 0, "y": start, "width": WIDTH, "height": height}
        page.screenshot(path=HERE / "record.png", clip=clip, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
