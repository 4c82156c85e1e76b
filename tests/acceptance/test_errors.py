"""What goes wrong at an admin's desk: one clear line saying what and how to mend it, exit code 1, nothing lost, no secret."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.whole_loop import CRMS, Loop, Result, candor_in

WRONG = "wrong-token-0123456789abcdef"
PASSWORD = "s3cret-passw0rd"
DEAD = f"postgresql://candor:{PASSWORD}@127.0.0.1:9/candor"


def one_line(result: Result, *words: str) -> None:
    """Exactly one line on standard error that names what is at fault and what to do."""
    assert result.code == 1, result
    assert result.out == ""
    lines = result.err.splitlines()
    assert len(lines) == 1, result.err
    assert lines[0].startswith("candor: ")
    assert lines[0].endswith("."), lines[0]
    for word in words:
        assert word in lines[0], lines[0]
    for secret in (WRONG, PASSWORD):
        assert secret not in lines[0]


@pytest.mark.parametrize("crm", CRMS)
def test_a_wrong_token_is_named_and_nothing_is_lost(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "waiting")
    right = loop.config.read_text()
    (loop.folder / "wrong").write_text(WRONG)
    loop.setting("crm", token_file=str(loop.folder / "wrong"))
    for command in ("sync", "plan", "backfill"):
        one_line(loop.candor(command), "does not accept the token", "Make a new one", "crm.token_env")
    loop.setting("crm", token_file=str(loop.folder / "nowhere"))
    one_line(loop.candor("sync"), "nowhere can't be read", "crm.token_file")
    assert loop.writes() == []
    loop.config.write_text(right)
    assert loop.candor("sync", "--json").json()["pushed"] > 100


@pytest.mark.parametrize("crm", CRMS)
def test_a_field_that_may_not_be_written_blocks_the_push_until_it_is_mended(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "waiting")
    before = loop.candor("status", "--json").json()["outbox"]["pending"]
    forbid(loop)
    one_line(loop.candor("sync"), "candor_score" if crm == "hubspot" else "Candor_Score__c", "Run `candor")
    waiting = loop.candor("status", "--json").json()["outbox"]
    assert "refused" not in waiting
    assert waiting["pending"] > 100
    if crm == "hubspot":
        loop.candor("apply", "--yes", "--json").json()
    else:
        forbid(loop, allow=True)
    loop.candor("sync", "--json").json()
    assert loop.candor("status", "--json").json()["outbox"] == {"done": before}
    lead = loop.playground.desk.leads(limit=1)[0]
    assert lead.values["candor_score"] is not None


def forbid(loop: Loop, *, allow: bool = False) -> None:
    """An admin takes the right to edit candor_score from the integration user; in HubSpot, archives the property."""
    org = loop.playground.org
    if loop.crm == "hubspot":
        schema = import_module("connector.playground.hubspot.schema").Schema(org)
        schema.archive_properties("contacts", ["candor_score"])
        return
    for row in org.all("FieldPermissions"):
        if row.data["Field"] == "Lead.Candor_Score__c" and (not allow or row.data.get("was")):
            mine = {"PermissionsEdit": allow and row.data["was"], "was": row.data["PermissionsEdit"]}
            org.load(row.obj, [(row.id, row.created, row.modified, {**row.data, **mine})])
    org.set_meta("schema_mark", f"allowed: {allow}")


@pytest.mark.parametrize("crm", CRMS)
def test_settings_database_and_policy_say_what_is_wrong_with_them(
    crm: str, loop_of: Callable[..., Loop]
) -> None:
    loop = loop_of(crm, "settled")
    good = loop.config.read_text()

    def sync(text: str = good, **env: str) -> Result:
        loop.config.write_text(text)
        return loop.start("sync", env=env).end()

    # What nobody reads is not missed: a rep touches a lead.
    assert (
        loop.click("lead", loop.playground.desk.leads(limit=1)[0].id, do="tag", tag="unexpected_fit") == 303
    )
    loop.setting("mapping", lead={"points": "No_Such_Column__c"})
    one_line(sync(loop.config.read_text()), "No_Such_Column__c", "'points'", "mapping.lead in candor.toml")
    one_line(sync(CANDOR_DATABASE_URL=DEAD), "database does not answer", "CANDOR_DATABASE_URL")
    one_line(
        sync(CANDOR_DATABASE_URL=DEAD.replace("postgresql", "mysql")),
        "not one of a PostgreSQL",
        "postgresql://user",
    )
    one_line(sync(good.replace("[crm]", "[crm")), "candor.toml is no valid TOML", "line ", "Mend")
    one_line(
        sync(good + "\n[schedule]\nsync_minutes = -1\n"), "schedule.sync_minutes", "greater than 0", "Mend"
    )
    one_line(
        sync(good + "\n[schedule]\nsync_minuets = 1\n"), "schedule.sync_minuets", "not permitted", "Mend"
    )
    policy = loop.folder / "policy.toml"
    policy.write_text("[thresholds]\nestablished = 700\n")
    one_line(sync('policy = "policy.toml"\n' + good), "policy.toml", "thresholds.established", "100")
    policy.write_text("[thresholds]\nestablisht = 70\n")
    one_line(sync('policy = "policy.toml"\n' + good), "policy.toml", "establisht", "known here")
    loop.config.unlink()
    one_line(loop.candor("sync"), "There is no", "candor.toml", "candor init", "--config")
    loop.config.write_text(good)
    one_line(loop.candor("score", "no-such-lead"), "no lead no-such-lead", "Check the id")
    one_line(sync(CANDOR_ENGINE="spark://nowhere"), "no engine 'spark://nowhere'", "Set CANDOR_ENGINE to")
    address = loop.info["url"].rsplit(":", 1)[0] + ":9"
    one_line(sync(good.replace(loop.info["url"], address)), "can't be reached")
    assert sync().code == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty", b"", "empty.csv is empty"),
        ("ragged", b"id,won\n1,2,3,4\n5\n", "ragged.csv, line 2: 4 values where the header has 2"),
        ("header", b"id,company,won\n", "header.csv has a header and no rows"),
        ("binary", bytes(range(256)) * 8, "Save it as CSV in UTF-8"),
        (None, b"", "There is no"),
    ],
)
def test_a_malformed_file_of_leads_is_named_with_its_line(
    name: str | None, content: bytes, says: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{name}.csv"
    if name is not None:
        file.write_bytes(content)
    out = tmp_path / "demo"
    result = candor_in(tmp_path, "demo", "--leads", str(file), "--out", str(out), "--yes").end()
    one_line(result, says)


def test_a_mapping_that_names_an_unknown_column_is_named(tmp_path: Path) -> None:
    leads, mapping = tmp_path / "leads.csv", tmp_path / "mapping.toml"
    leads.write_text("Id,Company,Won\n" + "".join(f"{n},Firm {n},{n % 2}\n" for n in range(40)))
    shipped = next(
        Path(import_module("connector.playground.world.mapping").SHIPPED).glob("x_education*.toml")
    )
    mapping.write_text(shipped.read_text())
    result = candor_in(
        tmp_path,
        "demo",
        "--leads",
        str(leads),
        "--mapping",
        str(mapping),
        "--out",
        str(tmp_path / "demo"),
        "--yes",
    ).end()
    one_line(result, "mapping", "column", "Lead Quality")


@pytest.mark.parametrize("crm", CRMS)
def test_no_secret_is_ever_logged_or_kept_in_the_settings(crm: str, loop_of: Callable[..., Loop]) -> None:
    loop = loop_of(crm, "trained")
    token = Path(loop.info["token_file"]).read_text().strip()
    assert len(token) > 20
    said = [
        loop.start(*command, env={"CANDOR_LOG": "debug"}).end()
        for command in (("sync",), ("status",), ("doctor",))
    ]
    (loop.folder / "wrong").write_text(WRONG)
    loop.setting("crm", token_file=str(loop.folder / "wrong"))
    said += [loop.candor("sync"), loop.candor("doctor"), loop.candor("sync", "--json")]
    said.append(loop.start("sync", env={"CANDOR_DATABASE_URL": DEAD}).end())
    everything = "\n".join(r.out + r.err for r in said) + loop.config.read_text()
    for file in (loop.folder / "candor-data").rglob("*"):
        everything += file.read_text(errors="replace") if file.is_file() else ""
    for secret in (token, WRONG, PASSWORD):
        assert secret not in everything
    assert oct((loop.folder / "playground" / "token").stat().st_mode & 0o777) == "0o600"
    assert "CANDOR_TOKEN" not in os.environ, "these tests use a token file"


def test_brackets_in_what_people_write_are_only_brackets(loop_of: Callable[..., Loop]) -> None:
    loop = loop_of("hubspot", "settled")
    lead = loop.playground.desk.leads(limit=1)[0].id
    text = "[/bold] VP [red]"
    record = next(r for r in loop.playground.org.all("contacts") if r.id == lead)
    mine = {**record.data, "industry": text, "jobtitle": text}
    loop.playground.org.load("contacts", [(lead, record.created, loop.playground.org.now(), mine)])
    assert loop.candor("sync").code == 0
    for command in (("pause", text), ("sync",), ("status",), ("score", lead, "--explain"), ("resume",)):
        said = loop.candor(*command)
        assert said.code == 0, said.err
        assert command[0] not in ("pause", "sync", "status") or text in said.out


def test_where_nobody_can_answer_yes_is_named(loop_of: Callable[..., Loop]) -> None:
    loop = loop_of("hubspot", "settled")
    asked = loop.candor("remove", "--json")
    assert (asked.code, asked.out.strip()) == (1, ""), "the list and the question are no result"
    assert "remove  property contacts.candor_score" in asked.err
    assert asked.err.splitlines()[-1].startswith("candor: Nobody is there to answer. Add --yes")
    assert loop.playground.desk.leads(limit=1)[0].values["candor_score"] is not None
