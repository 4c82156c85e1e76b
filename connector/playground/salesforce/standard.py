"""The standard sales objects of the local org, trimmed to the fields that a sales team's org fills.

Names, types, lengths and picklists follow the vendor's describe answers; fields that no world fills are left out.
"""

from __future__ import annotations

from connector.playground.salesforce.model import (
    AUDIT,
    ID,
    IS_DELETED,
    Field,
    SObject,
    choice,
    day,
    flag,
    moment,
    number,
    read_only,
    refers,
    sobject,
    text,
)  # fmt: skip

INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction", "Consulting",
    "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental", "Finance",
    "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery", "Manufacturing", "Media",
    "Not For Profit", "Recreation", "Retail", "Shipping", "Technology", "Telecommunications", "Transportation",
    "Utilities", "Other",
)  # fmt: skip
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
LEAD_STATUSES = {
    "new": "Open - Not Contacted",
    "working": "Working - Contacted",
    "nurture": "Nurturing",
    "qualified": "Qualified",
    "converted": "Closed - Converted",
    "disqualified": "Closed - Not Converted",
}
"""the world's word -> this org's Status value"""

STAGES: dict[str, tuple[str, int, str]] = {
    "Prospecting": ("Pipeline", 10, ""),
    "Qualification": ("Pipeline", 10, "discovery"),
    "Needs Analysis": ("Pipeline", 20, ""),
    "Value Proposition": ("Pipeline", 50, ""),
    "Id. Decision Makers": ("Pipeline", 60, ""),
    "Perception Analysis": ("Pipeline", 70, ""),
    "Proposal/Price Quote": ("Pipeline", 75, "proposal"),
    "Negotiation/Review": ("Pipeline", 90, "negotiation"),
    "Closed Won": ("Closed", 100, "won"),
    "Closed Lost": ("Omitted", 0, "lost"),
}
"""StageName -> forecast category, probability in percent, the world's word"""

STAGE_OF = {word: stage for stage, (_, _, word) in STAGES.items() if word}


def _person_name(last_required: bool = True) -> tuple[Field, ...]:
    return (
        text("LastName", "Last Name", 80, required=last_required, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        choice(
            "Salutation",
            "Salutation",
            ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."),
            length=40,
            compound="Name",
        ),
        read_only(text("Name", "Full Name", 121, required=True, name_field=True)),
    )


def _address(prefix: str, label: str) -> tuple[Field, ...]:
    return (
        text(f"{prefix}Street", f"{label}Street", type="textarea"),
        text(f"{prefix}City", f"{label}City", 40),
        text(f"{prefix}State", f"{label}State/Province", 80),
        text(f"{prefix}PostalCode", f"{label}Zip/Postal Code", 20),
        text(f"{prefix}Country", f"{label}Country", 80),
    )


_PHONE = text("Phone", "Phone", 40, type="phone")
_EMAIL = text("Email", "Email", 80, type="email")
_DESCRIPTION = text("Description", "Description", 32000, type="textarea")
_LAST_ACTIVITY = read_only(day("LastActivityDate", "Last Activity"))
_OWNER = refers("OwnerId", "Owner ID", "User", required=True)
_OWNER_OR_QUEUE = refers("OwnerId", "Owner ID", "Group", "User", required=True)
_MASTER = "MasterRecordId"

LEAD = sobject(
    "Lead", "Lead", "Leads", "00Q",
    (
        ID, IS_DELETED, read_only(refers(_MASTER, "Master Record ID", "Lead")),
        *_person_name(),
        text("Title", "Title", 128), text("Company", "Company", 255, required=True),
        *_address("", ""),
        _PHONE, text("MobilePhone", "Mobile Phone", 40, type="phone"), _EMAIL,
        text("Website", "Website", 255, type="url"), _DESCRIPTION,
        choice("LeadSource", "Lead Source", LEAD_SOURCES),
        choice("Status", "Status", tuple(LEAD_STATUSES.values()), required=True, default="Open - Not Contacted"),
        choice("Industry", "Industry", INDUSTRIES), choice("Rating", "Rating", ("Hot", "Warm", "Cold")),
        number("AnnualRevenue", "Annual Revenue", type="currency"),
        number("NumberOfEmployees", "Employees", 8, type="int"),
        _OWNER_OR_QUEUE,
        flag("HasOptedOutOfEmail", "Email Opt Out", required=True), flag("DoNotCall", "Do Not Call", required=True),
        read_only(flag("IsConverted", "Converted", required=True)),
        read_only(day("ConvertedDate", "Converted Date")),
        read_only(refers("ConvertedAccountId", "Converted Account ID", "Account")),
        read_only(refers("ConvertedContactId", "Converted Contact ID", "Contact")),
        read_only(refers("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity")),
        flag("IsUnreadByOwner", "Unread By Owner", required=True, default=True),
        *AUDIT, _LAST_ACTIVITY,
        read_only(text("EmailBouncedReason", "Email Bounced Reason", 255)),
        read_only(moment("EmailBouncedDate", "Email Bounced Date")),
    ),
    mergeable=True, history="LeadHistory",
)  # fmt: skip

CONTACT = sobject(
    "Contact", "Contact", "Contacts", "003",
    (
        ID, IS_DELETED, read_only(refers(_MASTER, "Master Record ID", "Contact")),
        refers("AccountId", "Account ID", "Account", children="Contacts"),
        *_person_name(), *_address("Mailing", "Mailing "),
        _PHONE, text("MobilePhone", "Mobile Phone", 40, type="phone"), _EMAIL,
        text("Title", "Title", 128), text("Department", "Department", 80),
        choice("LeadSource", "Lead Source", LEAD_SOURCES), _DESCRIPTION, _OWNER,
        flag("HasOptedOutOfEmail", "Email Opt Out", required=True), flag("DoNotCall", "Do Not Call", required=True),
        *AUDIT, _LAST_ACTIVITY,
    ),
    mergeable=True, history="ContactHistory",
)  # fmt: skip

ACCOUNT = sobject(
    "Account", "Account", "Accounts", "001",
    (
        ID, IS_DELETED, read_only(refers(_MASTER, "Master Record ID", "Account")),
        text("Name", "Account Name", 255, required=True, name_field=True),
        choice("Type", "Account Type", ("Prospect", "Customer - Direct", "Customer - Channel", "Other")),
        *_address("Billing", "Billing "), _PHONE, text("Website", "Website", 255, type="url"),
        choice("Industry", "Industry", INDUSTRIES), number("AnnualRevenue", "Annual Revenue", type="currency"),
        number("NumberOfEmployees", "Employees", 8, type="int"), _DESCRIPTION, _OWNER, *AUDIT, _LAST_ACTIVITY,
    ),
    mergeable=True, history="AccountHistory",
)  # fmt: skip

OPPORTUNITY = sobject(
    "Opportunity", "Opportunity", "Opportunities", "006",
    (
        ID, IS_DELETED, refers("AccountId", "Account ID", "Account", children="Opportunities"),
        text("Name", "Name", 120, required=True, name_field=True), _DESCRIPTION,
        choice("StageName", "Stage", tuple(STAGES), required=True),
        number("Amount", "Amount", 18, 2, type="currency"), number("Probability", "Probability (%)", 3, type="percent"),
        read_only(number("ExpectedRevenue", "Expected Amount", 18, 2, type="currency")),
        day("CloseDate", "Close Date", required=True),
        choice("Type", "Opportunity Type", ("Existing Business", "New Business")), text("NextStep", "Next Step", 255),
        choice("LeadSource", "Lead Source", LEAD_SOURCES),
        read_only(flag("IsClosed", "Closed", required=True)), read_only(flag("IsWon", "Won", required=True)),
        choice("ForecastCategoryName", "Forecast Category", ("Omitted", "Pipeline", "Best Case", "Commit", "Closed")),
        refers("CampaignId", "Campaign ID", "Campaign"), _OWNER, *AUDIT, _LAST_ACTIVITY,
        read_only(moment("LastStageChangeDate", "Last Stage Change Date")),
        read_only(refers("ContactId", "Contact ID", "Contact")),
    ),
    history="OpportunityFieldHistory",
)  # fmt: skip

_ACTIVITY_PARENTS = ("Account", "Campaign", "Opportunity")

TASK = sobject(
    "Task", "Task", "Tasks", "00T",
    (
        ID, refers("WhoId", "Name ID", "Contact", "Lead", children="Tasks"),
        refers("WhatId", "Related To ID", *_ACTIVITY_PARENTS, children="Tasks"),
        text("Subject", "Subject", 255, type="combobox"), day("ActivityDate", "Due Date Only"),
        choice("Status", "Status",
               ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"),
               required=True, default="Not Started"),
        choice("Priority", "Priority", ("High", "Normal", "Low"), required=True, default="Normal"),
        read_only(flag("IsHighPriority", "High Priority", required=True)), _OWNER_OR_QUEUE, _DESCRIPTION, IS_DELETED,
        read_only(refers("AccountId", "Account ID", "Account")),
        read_only(flag("IsClosed", "Closed", required=True)), *AUDIT,
        read_only(flag("IsArchived", "Archived", required=True)),
        number("CallDurationInSeconds", "Call Duration", 8, type="int"),
        choice("CallType", "Call Type", ("Internal", "Inbound", "Outbound"), length=40),
        text("CallDisposition", "Call Result", 255),
        choice("TaskSubtype", "Task Subtype", ("Task", "Email", "ListEmail", "Cadence", "Call"), length=40,
               restricted=True, default="Task"),
        read_only(moment("CompletedDateTime", "Completed Date")),
    ),
)  # fmt: skip

EVENT = sobject(
    "Event", "Event", "Events", "00U",
    (
        ID, refers("WhoId", "Name ID", "Contact", "Lead", children="Events"),
        refers("WhatId", "Related To ID", *_ACTIVITY_PARENTS, children="Events"),
        text("Subject", "Subject", 255, type="combobox"), text("Location", "Location", 255),
        flag("IsAllDayEvent", "All-Day Event", required=True), moment("ActivityDateTime", "Due Date Time"),
        day("ActivityDate", "Due Date Only"), number("DurationInMinutes", "Duration", 8, type="int"),
        moment("StartDateTime", "Start Date Time"), moment("EndDateTime", "End Date Time"), _DESCRIPTION,
        read_only(refers("AccountId", "Account ID", "Account")), _OWNER, IS_DELETED, *AUDIT,
        read_only(flag("IsArchived", "Archived", required=True)),
        choice("EventSubtype", "Event Subtype", ("Event",), length=40),
    ),
)  # fmt: skip

EMAIL_MESSAGE = sobject(
    "EmailMessage", "Email Message", "Email Messages", "02s",
    (
        ID, refers("ActivityId", "Activity ID", "Task"), refers("CreatedById", "Created By ID", "User"),
        *(f for f in AUDIT if f.name != "CreatedById"),
        text("TextBody", "Text Body", 32000, type="textarea"), text("Subject", "Subject", 3000),
        text("FromName", "From Name", 1000), text("FromAddress", "From Address", 1000, type="email"),
        text("ToAddress", "To Address", 4000), text("CcAddress", "CC Address", 4000),
        flag("Incoming", "Is Incoming", required=True),
        choice("Status", "Status", ("0", "1", "2", "3", "4", "5"), length=40, required=True, default="3",
               labels=("New", "Read", "Replied", "Sent", "Forwarded", "Draft")),
        moment("MessageDate", "Message Date"), IS_DELETED, text("MessageIdentifier", "Message ID", 765),
        text("ThreadIdentifier", "Thread ID", 765),
        refers("RelatedToId", "Related To ID", "Account", "Contact", "Lead", "Opportunity", children="Emails"),
        flag("IsTracked", "Is Tracked", required=True), flag("IsOpened", "Opened?", required=True),
        read_only(moment("FirstOpenedDate", "First Opened")), read_only(moment("LastOpenedDate", "Last Opened")),
        flag("IsBounced", "Is Bounced", required=True),
    ),
)  # fmt: skip

CAMPAIGN = sobject(
    "Campaign", "Campaign", "Campaigns", "701",
    (
        ID, IS_DELETED, text("Name", "Name", 80, required=True, name_field=True),
        choice("Type", "Type", ("Conference", "Webinar", "Email", "Advertisement", "Direct Mail", "Other")),
        choice("Status", "Status", ("Planned", "In Progress", "Completed", "Aborted")),
        day("StartDate", "Start Date"), day("EndDate", "End Date"), flag("IsActive", "Active", required=True),
        _DESCRIPTION, _OWNER, *AUDIT,
    ),
)  # fmt: skip

CAMPAIGN_MEMBER = sobject(
    "CampaignMember", "Campaign Member", "Campaign Members", "00v",
    (
        ID, IS_DELETED, refers("CampaignId", "Campaign ID", "Campaign", required=True, children="CampaignMembers"),
        refers("LeadId", "Lead ID", "Lead", children="CampaignMembers"),
        refers("ContactId", "Contact ID", "Contact", children="CampaignMembers"),
        choice("Status", "Status", ("Sent", "Responded"), default="Sent"),
        read_only(flag("HasResponded", "Responded", required=True)), *AUDIT,
        read_only(day("FirstRespondedDate", "First Responded Date")),
    ),
)  # fmt: skip

CONTACT_ROLE = sobject(
    "OpportunityContactRole", "Opportunity Contact Role", "Opportunity Contact Role", "00K",
    (
        ID, refers("OpportunityId", "Opportunity ID", "Opportunity", required=True, children="OpportunityContactRoles"),
        refers("ContactId", "Contact ID", "Contact", required=True, children="OpportunityContactRoles"),
        choice("Role", "Role", ("Business User", "Decision Maker", "Economic Buyer", "Evaluator", "Influencer",
                                "Technical Buyer", "Other")),
        flag("IsPrimary", "Primary", required=True), *AUDIT, IS_DELETED,
    ),
)  # fmt: skip

OPPORTUNITY_HISTORY = sobject(
    "OpportunityHistory", "Opportunity History", "Opportunity History", "008",
    tuple(read_only(f) for f in (
        ID, refers("OpportunityId", "Opportunity ID", "Opportunity", required=True, children="OpportunityHistories"),
        refers("CreatedById", "Created By ID", "User", required=True),
        moment("CreatedDate", "Created Date", required=True), choice("StageName", "Stage", tuple(STAGES)),
        number("Amount", "Amount", 18, 2, type="currency"), number("Probability", "Probability (%)", 3, type="percent"),
        day("CloseDate", "Close Date"), moment("SystemModstamp", "System Modstamp", required=True), IS_DELETED,
    )),
    createable=False, updateable=False, deletable=False,
)  # fmt: skip

SALES: tuple[SObject, ...] = (
    ACCOUNT, CAMPAIGN, CAMPAIGN_MEMBER, CONTACT, EMAIL_MESSAGE, EVENT, LEAD, OPPORTUNITY, CONTACT_ROLE,
    OPPORTUNITY_HISTORY, TASK,
)  # fmt: skip
