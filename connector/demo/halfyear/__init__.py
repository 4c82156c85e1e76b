"""Half a year with Candor and with usual practice, in process: no CRM, no HTTP, only a world and people with few hours."""
