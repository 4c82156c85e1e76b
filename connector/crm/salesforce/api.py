"""One way to call Salesforce: counted, within the budget, errors mapped, one new login when a session has expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceGeneralError

from connector.crm.base import CRMError, NoAnswer, OverBudget
from connector.crm.connection import Connection
from connector.crm.salesforce.auth import Login
from connector.crm.salesforce.errors import mapped, refusal
from connector.crm.salesforce.meter import Meter, MeteredAdapter

API_VERSION = "62.0"
"""The one place. Versions live at least three years; 62 is Spring '25."""

QUERIES_A_CALL = 5
SUBREQUESTS_A_CALL = 25
"""Of POST /composite: 25 subrequests, of them 5 queries or collections, for one call (FACTS 6)."""

METADATA = "http://soap.sforce.com/2006/04/metadata"
TIMEOUT = 120.0
"""Seconds for a call of the SOAP face."""

BASE = f"/services/data/v{API_VERSION}/"


class Api:
    """`backoff` in seconds between tries of a read."""

    def __init__(self, connection: Connection, *, backoff: float = 0.5) -> None:
        self.meter = Meter()
        self.session = requests.Session()
        self.session.verify = connection.ca or True
        self.session.trust_env = False
        if "proxy" in connection.options:
            self.session.proxies = {"https": connection.options["proxy"]}
        self.session.mount("https://", MeteredAdapter(self.meter, backoff=backoff))
        self._login = Login(connection, self.session)
        self._budget = connection.budget
        self._calls_before = int(connection.options.get("calls_today", 0))
        self._client: Salesforce | None = None

    def close(self) -> None:
        self.session.close()

    def call(self, method: str, path: str, *, what: str, write: bool = False, **more: Any) -> Any:
        """One request to a path below /services/data/vXX.0/; its JSON answer, None when there is none."""
        return self._call(lambda client: client.restful(path, method=method, **more), what, write)

    def ask(self, path: str, body: Mapping[str, Any], *, what: str) -> Any:
        """A read by POST. It changes nothing, so one whose answer was lost is asked once more."""
        try:
            return self.call("POST", path, what=what, json=body)
        except NoAnswer:
            return self.call("POST", path, what=what, json=body)

    def user_info(self) -> Any:
        return self._call(lambda client: client.oauth2("userinfo"), "asking who we are", False)

    def soap(self, body: str, *, what: str) -> str:
        """A read call of the Metadata API's SOAP face, which has some that REST lacks: the envelope that is answered.
        `body` is what stands inside <soapenv:Body>."""
        return str(self._call(lambda client: self._posted(client, body), what, False))

    def _posted(self, client: Salesforce, body: str) -> str:
        envelope = (
            f'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:met="{METADATA}">'
            f"<soapenv:Header><met:SessionHeader><met:sessionId>{escape(client.session_id)}</met:sessionId>"
            f"</met:SessionHeader></soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        )
        url = f"{client.base_url.partition('/services/')[0]}/services/Soap/m/{API_VERSION}"
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        answer = self.session.post(url, data=envelope.encode(), headers=headers, timeout=TIMEOUT)
        if answer.status_code >= 300:
            raise SalesforceGeneralError(url, answer.status_code, "Soap", answer.content)
        return answer.text

    def query(self, soql: str, *, what: str, deleted_too: bool = False) -> Any:
        """The first page of an answer."""
        return self.call("GET", "queryAll" if deleted_too else "query", what=what, params={"q": soql})

    def more(self, url: str, *, what: str) -> Any:
        """The page that `nextRecordsUrl` names."""
        return self.call("GET", url.removeprefix(BASE), what=what)

    def queries(self, soqls: Sequence[tuple[str, bool]], *, what: str) -> list[Any]:
        """First pages of many queries (soql, deleted too), five a call. An answer that is a refusal is a CRMError."""
        paths = [f"{'queryAll' if all_ else 'query'}?q={quote(soql, safe='')}" for soql, all_ in soqls]
        return self.composite(paths, what=what, a_call=QUERIES_A_CALL)

    def composite(self, paths: Sequence[str], *, what: str, a_call: int = SUBREQUESTS_A_CALL) -> list[Any]:
        """Many GETs in few calls. Each answer is its body, or the CRMError that it stands for."""
        answers: list[Any] = []
        for start in range(0, len(paths), a_call):
            requests_ = [
                {"method": "GET", "url": BASE + path, "referenceId": f"r{n}"}
                for n, path in enumerate(paths[start : start + a_call])
            ]
            body = self.ask("composite", {"allOrNone": False, "compositeRequest": requests_}, what=what)
            for part in body["compositeResponse"]:
                status = part["httpStatusCode"]
                answers.append(
                    part["body"] if status < 300 else refusal(what, status, part["body"], self.meter)
                )
        return answers

    def _call(self, do: Any, what: str, write: bool) -> Any:
        self._within_budget()
        self.meter.writes += write
        with mapped(what, self.meter):
            if self._client is None:
                self._log_in()
            try:
                return do(self._client)
            except SalesforceExpiredSession:
                # A request that met 401 did nothing, so sending it again is safe even for a write.
                if not self._login.renewable:
                    raise
                self._log_in()
                return do(self._client)

    def _log_in(self) -> None:
        token = self._login.token()
        self._client = Salesforce(
            instance_url=token.url,
            session_id=token.access,
            session=self.session,
            version=API_VERSION,
            object_pairs_hook=None,  # plain dicts
        )

    def _within_budget(self) -> None:
        used = self._calls_before + self.meter.calls
        if self._budget is not None and used >= self._budget:
            raise OverBudget(
                f"Candor's own budget of {self._budget} API calls a day is used up.",
                fix="It goes on tomorrow; crm.daily_calls in candor.toml raises the budget.",
            )


def ok(answer: Any) -> Any:
    """An answer of `composite`, or its refusal raised."""
    if isinstance(answer, CRMError):
        raise answer
    return answer
