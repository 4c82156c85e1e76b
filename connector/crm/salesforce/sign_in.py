"""By the certificate of the External Client App, so that no secret has to be kept anywhere."""

from __future__ import annotations

from connector.crm.sign_in import Question, SignIn

SIGN_IN = SignIn(
    "https://yourcompany.my.salesforce.com",
    intro="Sign-in by certificate, as the README says under 'With your Salesforce'. To use a token instead, stop here and set "
    "CANDOR_TOKEN.",
    questions=(
        Question("client_id", "The app's Consumer Key"),
        Question("private_key_file", "The file of its private key (PEM)"),
        Question("username", "The user name of the integration user"),
        Question(
            "login",
            "Where it signs in (a sandbox: https://test.salesforce.com)",
            "https://login.salesforce.com",
        ),
    ),
)
