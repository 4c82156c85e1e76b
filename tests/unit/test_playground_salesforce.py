"""The local Salesforce answers as the vendor does: reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwk, jwt

from connector.playground.salesforce import auth, ids, soql, times
from tests.unit.salesforce_org import DATA, NOW, Client, open_client


@pytest.fixture(scope="module")
def sf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = open_client(tmp_path_factory.mktemp("org"))
    yield client
    client.org.close()


def test_a_seeded_world_reads_as_a_salesforce_org(sf: Client) -> None:
    leads = sf.query(
        "SELECT Name, Status, IsConverted, ConvertedDate, Title, Hand_Raiser__c, Visits__c, Owner.Name FROM Lead"
    )
    assert [r["Name"] for r in leads] == ["Ada Lovelace", "Ada Byron", "Ada Noether", "Ada Hopper"]
    assert (
        leads[0] | {"Title": "CTO", "Visits__c": 3.0, "Hand_Raiser__c": True, "Owner": {"Name": "Sam Seller"}}
        == leads[0]
    )
    assert leads[1]["Hand_Raiser__c"] is False, "a checkbox has no blank"
    assert (leads[2]["IsConverted"], leads[2]["ConvertedDate"]) == (True, "2026-05-12")


def test_conversion_made_account_contact_and_deal_and_the_activities_hang_on_the_contact(sf: Client) -> None:
    (lead,) = sf.query(
        "SELECT ConvertedContactId, ConvertedAccountId, ConvertedOpportunityId FROM Lead WHERE IsConverted = true"
    )
    (account,) = sf.query("SELECT Id, Name, NumberOfEmployees FROM Account")
    (deal,) = sf.query(
        "SELECT Id, IsWon, IsClosed, Amount, CloseDate, (SELECT ContactId FROM OpportunityContactRoles) FROM Opportunity"
    )
    assert lead["ConvertedAccountId"] == account["Id"]
    assert account["Name"] == "Acme", "no account of a company without a converted lead"
    assert deal["OpportunityContactRoles"]["records"] == [{"ContactId": lead["ConvertedContactId"]}]
    assert deal | {"IsWon": True, "IsClosed": True, "Amount": 50_000.0, "CloseDate": "2026-05-27"} == deal
    (call,) = sf.query("SELECT WhoId, TaskSubtype, CallDurationInSeconds, CallDisposition FROM Task")
    (meeting,) = sf.query("SELECT WhoId, DurationInMinutes FROM Event")
    assert (
        call["WhoId"]
        == meeting["WhoId"]
        == lead["ConvertedContactId"]
        == ids.full(lead["ConvertedContactId"][:15])
    )
    assert (call["CallDurationInSeconds"], call["CallDisposition"], meeting["DurationInMinutes"]) == (
        330,
        "Connected",
        45,
    )


def test_an_opening_is_a_date_on_the_message_and_a_reply_comes_in(sf: Client) -> None:
    sent, reply = sf.query(
        "SELECT Subject, Incoming, FirstOpenedDate, CcAddress, RelatedToId FROM EmailMessage ORDER BY MessageDate"
    )
    assert (sent["Incoming"], sent["FirstOpenedDate"]) == (False, "2026-04-25T12:00:00.000+0000")
    assert (reply["Subject"], reply["Incoming"], reply["CcAddress"]) == (
        "RE: Hello",
        True,
        "eva@acme.example",
    )
    web = sf.query("SELECT Type__c, Url__c, User_Agent__c, Lead__c FROM Web_Activity__c ORDER BY At__c")
    assert [w["Type__c"] for w in web] == ["page_view", "email_clicked"]
    assert "scanner" in web[1]["User_Agent__c"]
    assert "scanner" not in web[0]["User_Agent__c"]


def test_history_shows_tracked_fields_to_the_second_and_the_moment_of_conversion(sf: Client) -> None:
    rows = sf.query(
        "SELECT LeadId, Field, OldValue, NewValue, CreatedDate FROM LeadHistory ORDER BY CreatedDate, Id"
    )
    assert [(r["Field"], r["NewValue"]) for r in rows if r["LeadId"] == sf.ids["L1"]] == [
        ("created", None), ("Title", "CTO"), ("Status", "Working - Contacted"),
    ]  # fmt: skip
    (converted,) = [r for r in rows if r["Field"] == "leadConverted"]
    assert (converted["LeadId"], converted["CreatedDate"]) == (sf.ids["L3"], "2026-05-12T12:00:00.000+0000")
    (stage,) = sf.query(
        "SELECT OldValue, NewValue, CreatedBy.Name FROM OpportunityFieldHistory WHERE Field = 'StageName'"
    )
    assert stage == {
        "OldValue": "Qualification",
        "NewValue": "Closed Won",
        "CreatedBy": {"Name": "Automated Process"},
    }
    stages = sf.query("SELECT StageName, Probability FROM OpportunityHistory ORDER BY CreatedDate")
    assert [s["StageName"] for s in stages] == ["Qualification", "Closed Won"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Title != 'CTO'", "Byron Hopper Noether"),
        ("Title = null", "Byron Hopper"),
        ("Title NOT IN ('VP')", "Byron Hopper Lovelace"),
        ("NOT (Title = 'cto')", "Byron Hopper Noether"),
        (
            "LastName LIKE '%O%' AND (Status LIKE 'Closed%' OR Hand_Raiser__c = true)",
            "Hopper Lovelace Noether",
        ),
        ("NumberOfEmployees > 100", "Lovelace"),
        ("HasOptedOutOfEmail = false", "Byron Hopper Lovelace Noether"),
        ("CreatedDate = LAST_N_DAYS:50 AND SystemModstamp < 2026-05-05T00:00:00Z", "Byron Hopper Lovelace"),
        ("CreatedDate = TODAY", ""),
        ("Owner.Name = 'Sam Seller' AND ConvertedDate = 2026-05-12", "Noether"),
        ("Id IN (SELECT LeadId FROM CampaignMember WHERE HasResponded = true)", "Lovelace"),
    ],
)
def test_conditions_mean_what_they_mean_in_soql(sf: Client, where: str, found: str) -> None:
    rows = sf.query(f"SELECT LastName FROM Lead WHERE {where} ORDER BY LastName")
    assert " ".join(r["LastName"] for r in rows) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Nope FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Nope", "INVALID_TYPE"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees = '3'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Description LIKE 'x%'", "INVALID_FIELD"),
        ("SELECT Id FROM LeadHistory WHERE NewValue = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_what_soql_refuses(sf: Client, text: str, code: str) -> None:
    assert sf.refused("GET", "/query", params={"q": text}) == (400, code)


def test_counts_and_groups(sf: Client) -> None:
    assert sf.call("GET", "/query", params={"q": "SELECT COUNT() FROM Lead"}).json() == {
        "totalSize": 4,
        "done": True,
        "records": [],
    }
    rows = sf.query(
        "SELECT Status, COUNT(Id) n, MAX(NumberOfEmployees) FROM Lead GROUP BY Status ORDER BY Status"
    )
    assert rows[-1] == {"Status": "Working - Contacted", "n": 1, "expr0": 120}


def test_paging_follows_only_the_locator(sf: Client) -> None:
    for n in range(250):
        sf.org.create("Campaign", ids.make("701", 5000 + n), {"Name": f"c{n}"}, by=sf.ids["O1"])
    q, short = "SELECT Name FROM Campaign ORDER BY Name", {"Sforce-Query-Options": "batchSize=200"}
    first = sf.call("GET", "/query", params={"q": q}, headers=short).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (251, False, 200)
    locator = first["nextRecordsUrl"].rsplit("/", 1)[1]
    assert locator.startswith("0r8")
    assert len(locator.split("-")[0]) == 18
    rest = sf.http.get(first["nextRecordsUrl"], params={"q": "ignored"}).json()
    assert (rest["done"], len(rest["records"])) == (True, 51)
    assert sf.refused("GET", "/query/0r8gK00000000zzAAA-200") == (400, "INVALID_QUERY_LOCATOR")


@settings(max_examples=40, deadline=None)
@given(stamps=st.lists(st.integers(0, 6), min_size=1, max_size=40), size=st.integers(1, 7))
def test_a_key_set_walk_meets_every_record_once(sf: Client, stamps: list[int], size: int) -> None:
    sf.org.sql("delete from record where obj = 'Group'")
    base = times.ms(NOW)
    sf.org.load("Group", [(ids.make("00G", n), base, base + s, {"Name": "g"}) for n, s in enumerate(stamps)])
    seen: list[str] = []
    where = ""
    while rows := sf.query(
        f"SELECT Id, SystemModstamp FROM Group{where} ORDER BY SystemModstamp, Id LIMIT {size}"
    ):
        seen += [r["Id"] for r in rows]
        at, last = rows[-1]["SystemModstamp"], rows[-1]["Id"]
        where = f" WHERE (SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > '{last}'))"
    assert len(seen) == len(set(seen)) == len(stamps)


@given(st.text(min_size=0, max_size=20))
def test_a_quoted_text_comes_back_as_it_was(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    query = soql.parse(f"SELECT Id FROM Lead WHERE LastName = '{quoted}'")
    assert isinstance(query.where, soql.Compare)
    assert query.where.value == soql.Literal("string", text)


@given(st.integers(0, 62**9 - 1))
def test_an_id_survives_a_system_that_folds_case(number: int) -> None:
    id = ids.make("00Q", number)
    assert (len(id), ids.number(id), ids.full(id[:15])) == (18, number, id)
    assert ids.well_formed(id)


# --- who asks, and how often ---


def test_a_wrong_token_ends_the_session_and_a_used_up_day_refuses(sf: Client) -> None:
    answer = sf.http.get(DATA + "/limits", headers={"Authorization": "Bearer no"})
    assert (answer.status_code, answer.json()) == (
        401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )  # fmt: skip
    before = sf.call("GET", "/limits")
    used = before.json()["DailyApiRequests"]["Max"] - before.json()["DailyApiRequests"]["Remaining"]
    assert before.headers["Sforce-Limit-Info"] == f"api-usage={used}/100000"
    sf.org.set_meta("api_limit", used)
    assert sf.refused("GET", "/limits") == (403, "REQUEST_LIMIT_EXCEEDED")
    sf.org.set_meta("api_limit", 100_000)


def test_tokens_are_given_for_secret_certificate_and_refresh_and_age_by_the_orgs_clock(
    tmp_path: Path,
) -> None:
    sf = open_client(tmp_path)
    app = sf.org.meta("oauth")

    def ask(**form: str) -> tuple[int, dict[str, str]]:
        answer = sf.http.post("/services/oauth2/token", data=form)
        return answer.status_code, answer.json()

    credentials = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    status, given_ = ask(grant_type="client_credentials", **credentials)
    assert (status, given_["instance_url"]) == (200, "https://local.example")
    info = {"Authorization": f"Bearer {given_['access_token']}"}
    who = sf.http.get("/services/oauth2/userinfo", headers=info).json()
    assert who["user_id"] == sf.org.meta("integration_user")
    assert ask(grant_type="refresh_token", refresh_token=app["refresh_token"], **credentials)[0] == 200
    assert ask(grant_type="refresh_token", refresh_token="old", **credentials) == (
        400, {"error": "invalid_grant", "error_description": "expired access/refresh token"},
    )  # fmt: skip

    key = jwk.RSAKey.generate_key(2048)
    auth.register(sf.org, "jwt-app", certificate=key.as_pem(private=False).decode())
    claims = {
        "iss": "jwt-app",
        "sub": who["preferred_username"],
        "aud": "https://local.example",
        "exp": 4_000_000_000,
    }
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert ask(grant_type=grant, assertion=jwt.encode({"alg": "RS256"}, claims, key))[0] == 200
    other = jwk.RSAKey.generate_key(2048)
    assert (
        ask(grant_type=grant, assertion=jwt.encode({"alg": "RS256"}, claims, other))[1]["error"]
        == "invalid_grant"
    )

    sf.org.advance(auth.SESSION)
    assert sf.http.get(DATA + "/limits", headers=info).status_code == 401


def test_versions_end_as_the_vendor_says(sf: Client) -> None:
    assert sf.http.get("/services/data/v30.0/limits").status_code == 410
    assert sf.http.get("/services/data/v69.0/limits").status_code == 404
    assert sf.http.get("https://local.example//services/data/v41.0/limits/").status_code == 200
