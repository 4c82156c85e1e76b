"""The Metadata API's deploy, by REST and by SOAP."""
