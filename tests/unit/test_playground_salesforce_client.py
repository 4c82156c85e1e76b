"""The vendor's usual Python client works on the local Salesforce as it is, over TLS."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
import trustme
import uvicorn
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)  # fmt: skip

from connector.playground.salesforce.app import create_app
from tests.unit.salesforce_org import Client, grants, open_client, package, xml, zipped


@dataclass(frozen=True)
class Served:
    client: Client
    sf: Salesforce
    session: requests.Session
    url: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("org")
    client = open_client(folder)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    config = uvicorn.Config(
        create_app(client.org),
        host="127.0.0.1",
        port=0,
        log_level="error",
        timeout_keep_alive=60,
        ssl_certfile=str(folder / "server.pem"),
    )
    server = uvicorn.Server(config)
    up = threading.Event()
    startup = server.startup

    async def announce(sockets: object = None) -> None:
        await startup(sockets)  # type: ignore[arg-type]
        up.set()

    server.startup = announce  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    assert up.wait(20)
    url = f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with requests.Session() as session:
        session.verify, session.trust_env = str(folder / "ca.pem"), False
        sf = Salesforce(
            instance_url=url, session_id=client.org.meta("token"), session=session, version="62.0"
        )
        yield Served(client, sf, session, url)
    server.should_exit = True
    thread.join(20)
    client.org.close()


def test_reads_writes_and_errors(served: Served) -> None:
    sf = served.sf
    lead = served.client.ids["L1"]
    assert {f["name"] for f in sf.Lead.describe()["fields"]} >= {"Id", "Hand_Raiser__c"}
    sf.Lead.update(lead, {"Title": "Chief"})
    assert sf.Lead.get(lead)["Title"] == "Chief"
    names = [
        r["Name"] for r in sf.query_all_iter("SELECT Name FROM Lead WHERE LastName != 'Temp' ORDER BY Id")
    ]
    assert names[:2] == ["Ada Lovelace", "Ada Byron"]
    made = sf.Lead.create({"LastName": "Temp", "Company": "X"})
    assert sf.Lead.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Lead.get("00Q000000000000AAA")
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
        sf.query("SELECT Nope FROM Lead")
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    assert sf.api_usage["api-usage"].total == 100_000
    old = Salesforce(instance_url=served.url, session_id="old", session=served.session, version="62.0")
    with pytest.raises(SalesforceExpiredSession):
        old.query("SELECT Id FROM Lead")


def test_bulk_2_queries_in_pages_and_ingests_with_a_result_a_row(served: Served) -> None:
    sf, ids = served.sf, served.client.ids
    query = "SELECT LastName, IsConverted, CreatedDate FROM Lead WHERE LastName IN ('Lovelace', 'Noether')"
    pages = list(sf.bulk2.Lead.query(query, max_records=1, wait=0))
    assert [p.splitlines()[1] for p in pages] == [
        '"Lovelace","false","2026-04-22T12:00:00.000Z"', '"Noether","true","2026-04-22T12:00:00.000Z"',
    ]  # fmt: skip
    rows = [{"Id": ids["L2"], "Points__c": "3"}, {"Id": ids["L3"], "Points__c": "3"}]
    (job,) = sf.bulk2.Lead.update(records=rows, wait=0)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    assert (
        "CANNOT_UPDATE_CONVERTED_LEAD:cannot reference converted lead:--"
        in sf.bulk2.Lead.get_failed_records(job["job_id"])
    )
    assert served.client.query(f"SELECT Points__c FROM Lead WHERE Id = '{ids['L2']}'") == [{"Points__c": 3.0}]


def test_mdapi_deploys_a_key_by_which_records_are_upserted(served: Served) -> None:
    sf, client = served.sf, served.client
    text = (
        "<fields><fullName>Key__c</fullName><label>Key</label><type>Text</type><length>20</length>"
        "<externalId>true</externalId></fields>"
    )
    files = {
        "package.xml": package(CustomField=["Campaign.Key__c"], PermissionSet=["Keys"]),
        "objects/Campaign.object": xml("CustomObject", text),
        "permissionsets/Keys.permissionset": grants("Keys", "Campaign.Key__c"),
    }
    options = {"sandbox": True, "rollbackOnError": True, "tests": "", "testLevel": "NoTestRun"}
    id, state = sf.mdapi.deploy(io.BytesIO(zipped(files)), **options)
    assert state == "Queued"
    status, _, detail, _ = sf.mdapi.check_deploy_status(id)
    assert (status, detail["deployed_count"], detail["errors"]) == ("Succeeded", "3", [])
    broken = {**files, "objects/Campaign.object": xml("CustomObject", text.replace("Text<", "Txt<"))}
    id, _ = sf.mdapi.deploy(io.BytesIO(zipped(broken)), **options)
    status, _, detail, _ = sf.mdapi.check_deploy_status(id)
    assert status == "Failed"
    assert detail["errors"][0] == {
        "type": "CustomField", "file": "objects/Campaign.object", "status": "Error", "message": "Invalid field type: Txt",
    }  # fmt: skip

    client.give("Keys")
    assert sf.Campaign.upsert("Key__c/a-1", {"Name": "One"}) == 201
    assert sf.Campaign.upsert("Key__c/a-1", {"Name": "Two"}) == 200
    assert sf.Campaign.get_by_custom_id("Key__c", "a-1")["Name"] == "Two"
    sf.Campaign.create({"Name": "Twin", "Key__c": "a-1"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Campaign.upsert("Key__c/a-1", {"Name": "Three"})
    with pytest.raises(SalesforceResourceNotFound, match="Provided external ID field does not exist"):
        sf.Campaign.upsert("Name/a-1", {"Type": "Email"})
    assert sf.query("SELECT COUNT() FROM Campaign WHERE Name = 'Three'")["totalSize"] == 0
