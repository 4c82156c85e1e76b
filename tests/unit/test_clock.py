"""The local CRM's clock, when nobody is there to tell the time."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from connector.errors import CandorError
from connector.jobs.context import clock
from connector.settings import Settings


def test_a_local_crm_that_is_down_is_said_in_one_line_with_the_command_that_starts_it() -> None:
    with socket.socket() as free:  # bound, and not listening: nobody answers there
        free.bind(("127.0.0.1", 0))
        settings = Settings.model_validate(
            {
                "crm": {"kind": "hubspot", "url": "http://127.0.0.1", "token_file": Path("/x/pg/token")},
                "clock_url": f"http://127.0.0.1:{free.getsockname()[1]}/clock",
            }
        )
        with pytest.raises(CandorError) as error:
            clock(settings).now()
    assert "isn't up" in str(error.value)
    assert str(error.value).endswith("candor playground --crm hubspot --data /x/pg")
    assert "\n" not in str(error.value)
