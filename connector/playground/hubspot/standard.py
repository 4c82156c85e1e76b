"""HubSpot's own properties of each object: name, label, type and options as the vendor has them, cut to what leads need."""

from __future__ import annotations

from typing import Any

from connector.playground.hubspot.catalog import SINGULAR, created_property, modified_property

_GROUPS = {
    "contacts": "contactinformation",
    "companies": "companyinformation",
    "deals": "dealinformation",
    "tickets": "ticketinformation",
    "calls": "call",
    "emails": "email",
    "meetings": "meeting",
    "notes": "note",
    "tasks": "task",
}

_LEAD_STATUS = "NEW,OPEN,IN_PROGRESS,OPEN_DEAL,UNQUALIFIED,ATTEMPTED_TO_CONTACT,CONNECTED,BAD_TIMING"
_LIFECYCLE = "subscriber,lead,marketingqualifiedlead,salesqualifiedlead,opportunity,customer,evangelist,other"
_SOURCES = (
    "ORGANIC_SEARCH,PAID_SEARCH,EMAIL_MARKETING,SOCIAL_MEDIA,REFERRALS,OTHER_CAMPAIGNS,DIRECT_TRAFFIC,OFFLINE,"
    "PAID_SOCIAL"
)
_EMPLOYEES = "1-5,5-25,25-50,50-100,100-500,500-1000,1000+"
LIFECYCLE_ORDER = tuple(_LIFECYCLE.split(","))
EMPLOYEE_RANGES = tuple(_EMPLOYEES.split(","))

# name | label | type/fieldType | options | "ro": HubSpot's own to write
_PROPERTIES = {
    "contacts": f"""
firstname|First Name|string/text
lastname|Last Name|string/text
email|Email|string/text
hs_email_domain|Email Domain|string/text||ro
jobtitle|Job Title|string/text
company|Company Name|string/text
industry|Industry|string/text
numemployees|Number of Employees|enumeration/select|{_EMPLOYEES}
annualrevenue|Annual Revenue|string/text
country|Country/Region|string/text
city|City|string/text
state|State/Region|string/text
phone|Phone Number|string/phonenumber
mobilephone|Mobile Phone Number|string/phonenumber
website|Website URL|string/text
hs_lead_status|Lead Status|enumeration/radio|{_LEAD_STATUS}
lifecyclestage|Lifecycle Stage|enumeration/radio|{_LIFECYCLE}
hs_lifecyclestage_opportunity_date|Became an opportunity date|datetime/date||ro
hs_lifecyclestage_lead_date|Became a lead date|datetime/date||ro
hubspot_owner_id|Contact owner|enumeration/select|owners
hs_analytics_source|Original Traffic Source|enumeration/select|{_SOURCES}
hs_analytics_last_url|Last Page Seen|string/text||ro
hs_analytics_last_timestamp|Time Last Seen|datetime/date||ro
hs_analytics_num_page_views|Number of Pageviews|number/number||ro
hs_analytics_num_visits|Number of Sessions|number/number||ro
hs_email_last_send_date|Last marketing email send date|datetime/date||ro
hs_email_last_open_date|Last marketing email open date|datetime/date||ro
hs_email_last_click_date|Last marketing email click date|datetime/date||ro
hs_email_optout|Unsubscribed from all email|bool/booleancheckbox
recent_conversion_event_name|Recent Conversion|string/text||ro
recent_conversion_date|Recent Conversion Date|datetime/date||ro
num_conversion_events|Number of Form Submissions|number/number||ro
num_associated_deals|Number of Associated Deals|number/number||ro
num_notes|Number of Sales Activities|number/number||ro
notes_last_updated|Last Activity Date|datetime/date||ro
hubspotscore|HubSpot Score|number/number||ro
hs_merged_object_ids|Merged record IDs|enumeration/checkbox||ro
hs_linkedin_url|LinkedIn URL|string/text
hs_object_source|Record source|string/text||ro
""",
    "companies": """
name|Company name|string/text
domain|Company Domain Name|string/text
hs_additional_domains|Additional Domains|string/text
industry|Industry|string/text
numberofemployees|Number of Employees|number/number
annualrevenue|Annual Revenue|number/number
country|Country/Region|string/text
city|City|string/text
phone|Phone Number|string/phonenumber
hubspot_owner_id|Company owner|enumeration/select|owners
lifecyclestage|Lifecycle Stage|enumeration/radio|LIFECYCLE
hs_merged_object_ids|Merged record IDs|enumeration/checkbox||ro
num_associated_contacts|Number of Associated Contacts|number/number||ro
""".replace("LIFECYCLE", _LIFECYCLE),
    "deals": """
dealname|Deal Name|string/text
amount|Amount|number/number
deal_currency_code|Currency|enumeration/select|USD,EUR,GBP
dealstage|Deal Stage|enumeration/radio|stages
pipeline|Pipeline|enumeration/select|pipelines
closedate|Close Date|datetime/date
hubspot_owner_id|Deal owner|enumeration/select|owners
closed_lost_reason|Closed Lost Reason|string/textarea
closed_won_reason|Closed Won Reason|string/textarea
hs_merged_object_ids|Merged record IDs|enumeration/checkbox||ro
""",
    "tickets": """
subject|Ticket name|string/text
content|Ticket description|string/textarea
hs_pipeline|Pipeline|enumeration/select|pipelines
hs_pipeline_stage|Ticket status|enumeration/select|stages
hs_ticket_category|Category|enumeration/checkbox|PRODUCT_ISSUE,BILLING_ISSUE,FEATURE_REQUEST,GENERAL_INQUIRY
hs_ticket_priority|Priority|enumeration/select|LOW,MEDIUM,HIGH,URGENT
hubspot_owner_id|Ticket owner|enumeration/select|owners
""",
    "calls": """
hs_timestamp|Activity date|datetime/date
hs_call_title|Call Title|string/text
hs_call_body|Call notes|string/html
hs_call_direction|Call direction|enumeration/select|INBOUND,OUTBOUND
hs_call_duration|Call duration|number/number
hs_call_status|Call Status|enumeration/select|COMPLETED,NO_ANSWER,BUSY,FAILED,CANCELED,MISSED
hs_call_disposition|Call outcome|string/text
hubspot_owner_id|Activity assigned to|enumeration/select|owners
hs_object_source|Record source|string/text
""",
    "emails": """
hs_timestamp|Activity date|datetime/date
hs_email_subject|Email Subject|string/text
hs_email_text|Text body|string/textarea
hs_email_html|Email body|string/html
hs_email_direction|Email Direction|enumeration/select|EMAIL,INCOMING_EMAIL,FORWARDED_EMAIL
hs_email_status|Email send status|enumeration/select|SENT,BOUNCED,FAILED,SCHEDULED,SENDING
hs_email_cc_email|Email CC Address|string/text
hs_email_to_email|Email To Address|string/text
hs_email_from_email|Email From Address|string/text
hs_email_open_count|Number of email opens|number/number
hs_email_click_count|Number of email clicks|number/number
hs_email_thread_id|Thread|string/text
hubspot_owner_id|Activity assigned to|enumeration/select|owners
hs_object_source|Record source|string/text
""",
    "meetings": """
hs_timestamp|Activity date|datetime/date
hs_meeting_title|Meeting name|string/text
hs_meeting_body|Meeting description|string/html
hs_meeting_start_time|Start time|datetime/date
hs_meeting_end_time|End time|datetime/date
hs_meeting_outcome|Meeting outcome|enumeration/select|SCHEDULED,COMPLETED,RESCHEDULED,NO_SHOW,CANCELED
hubspot_owner_id|Activity assigned to|enumeration/select|owners
hs_object_source|Record source|string/text
""",
    "notes": """
hs_timestamp|Activity date|datetime/date
hs_note_body|Note body|string/html
hubspot_owner_id|Activity assigned to|enumeration/select|owners
hs_object_source|Record source|string/text
""",
    "tasks": """
hs_timestamp|Due date|datetime/date
hs_task_subject|Task Title|string/text
hs_task_body|Task notes|string/html
hs_task_status|Task Status|enumeration/select|NOT_STARTED,IN_PROGRESS,WAITING,COMPLETED,DEFERRED
hs_task_priority|Priority|enumeration/select|NONE,LOW,MEDIUM,HIGH
hs_task_type|Task Type|enumeration/select|TODO,EMAIL,CALL,LINKED_IN
hubspot_owner_id|Activity assigned to|enumeration/select|owners
hs_object_source|Record source|string/text
""",
}
OUTSIDE_OPTIONS = ("owners", "stages", "pipelines")
"""Enumerations whose options live elsewhere (`externalOptions`)."""


def property_definition(
    name: str,
    label: str,
    type: str,
    field_type: str,
    group: str,
    at: str,
    *,
    options: str = "",
    read_only: bool = False,
    standard: bool = False,
    outside: str | None = None,
) -> dict[str, Any]:
    """A property as the API shows it; `_outside` says where an enumeration's options are kept."""
    made = [
        {
            "label": o.replace("_", " ").capitalize() if standard else o,
            "value": o,
            "displayOrder": n,
            "hidden": False,
        }
        for n, o in enumerate(options.split(",") if options else [])
    ]
    if type == "bool":
        made = [
            {"label": t, "value": v, "displayOrder": n, "hidden": False}
            for n, (t, v) in enumerate((("Yes", "true"), ("No", "false")))
        ]
    return {
        "updatedAt": at,
        "createdAt": at,
        "name": name,
        "label": label,
        "type": type,
        "fieldType": field_type,
        "description": "",
        "groupName": group,
        "options": made,
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": outside is not None,
        "archived": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": standard,
        "modificationMetadata": {
            "archivable": not standard,
            "readOnlyDefinition": standard,
            "readOnlyValue": read_only,
        },
        "formField": not read_only,
        "dataSensitivity": "non_sensitive",
        **({"_outside": outside} if outside else {}),
    }


def standard_properties(obj: str) -> dict[str, dict[str, Any]]:
    group, at = _GROUPS[obj], "2020-06-30T15:57:37.000Z"
    made: dict[str, dict[str, Any]] = {}
    for line in _PROPERTIES[obj].strip().splitlines():
        name, label, kind, *rest = line.split("|")
        options = rest[0] if rest else ""
        type, field_type = kind.split("/")
        outside = options if options in OUTSIDE_OPTIONS else None
        made[name] = property_definition(
            name, label, type, field_type, group, at,
            options="" if outside else options, read_only="ro" in rest[1:], standard=True, outside=outside,
        )  # fmt: skip
    for name, label, kind in (
        ("hs_object_id", "Record ID", "number/number"),
        (created_property(obj), "Create Date", "datetime/date"),
        (modified_property(obj), "Last Modified Date", "datetime/date"),
    ):
        type, field_type = kind.split("/")
        made[name] = property_definition(
            name, label, type, field_type, group, at, read_only=True, standard=True
        )
    if obj == "contacts":
        made["email"]["hasUniqueValue"] = True
    return made


def standard_groups(obj: str) -> list[dict[str, Any]]:
    name = _GROUPS[obj]
    return [
        {
            "name": name,
            "label": f"{SINGULAR[obj].capitalize()} information",
            "displayOrder": 0,
            "archived": False,
        }
    ]
