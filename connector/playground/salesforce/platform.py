"""The objects of the platform itself: people, queues, permission sets, the organization."""

from __future__ import annotations

from connector.playground.salesforce.model import (
    AUDIT,
    ID,
    SObject,
    choice,
    flag,
    moment,
    number,
    read_only,
    refers,
    sobject,
    text,
)  # fmt: skip
from connector.playground.salesforce.standard import LEAD_STATUSES, STAGES

USER = sobject(
    "User", "User", "Users", "005",
    (
        ID, text("Username", "Username", 80, required=True), text("LastName", "Last Name", 80, required=True),
        text("FirstName", "First Name", 40), read_only(text("Name", "Full Name", 121, required=True, name_field=True)),
        text("Email", "Email", 128, type="email", required=True), text("Title", "Title", 80),
        flag("IsActive", "Active", required=True, default=True),
        read_only(choice("UserType", "User Type", ("Standard", "AutomatedProcess"), length=40)),
        text("TimeZoneSidKey", "Time Zone", 40), refers("ProfileId", "Profile ID", "Profile"), *AUDIT,
    ),
    deletable=False,
)  # fmt: skip

PROFILE = sobject(
    "Profile", "Profile", "Profile", "00e",
    (ID, text("Name", "Name", 255, required=True, name_field=True), *AUDIT),
    createable=False, updateable=False, deletable=False,
)  # fmt: skip

GROUP = sobject(
    "Group", "Group", "Group", "00G",
    (
        ID, text("Name", "Name", 40, required=True, name_field=True), text("DeveloperName", "Developer Name", 80),
        choice("Type", "Type", ("Regular", "Queue", "Role", "Organization"), length=40, required=True, updateable=False),
        text("Email", "Email", 255, type="email"), flag("DoesSendEmailToMembers", "Send Email to Members", required=True),
        *AUDIT,
    ),
)  # fmt: skip

GROUP_MEMBER = sobject(
    "GroupMember", "Group Member", "Group Member", "011",
    (ID, refers("GroupId", "Group ID", "Group", required=True),
     refers("UserOrGroupId", "User/Group ID", "Group", "User", required=True), AUDIT[4]),
)  # fmt: skip

QUEUE_SOBJECT = sobject(
    "QueueSobject", "Queue Sobject", "Queue Sobject", "03g",
    (ID, refers("QueueId", "Queue ID", "Group", required=True),
     text("SobjectType", "Sobject Type", 40, required=True), AUDIT[1], AUDIT[4]),
)  # fmt: skip

ORGANIZATION = sobject(
    "Organization", "Organization", "Organizations", "00D",
    (
        ID, text("Name", "Name", 80, required=True, name_field=True), text("Country", "Country", 80),
        text("TimeZoneSidKey", "Time Zone", 40), text("LanguageLocaleKey", "Language", 40),
        text("DefaultLocaleSidKey", "Locale", 40), text("OrganizationType", "Edition", 40),
        text("InstanceName", "Instance Name", 5), flag("IsSandbox", "Is Sandbox", required=True),
        moment("TrialExpirationDate", "Trial Expiration Date"), text("NamespacePrefix", "Namespace Prefix", 15),
        number("FiscalYearStartMonth", "Fiscal Year Starts In", 8, type="int"), *AUDIT,
    ),
    createable=False, updateable=False, deletable=False,
)  # fmt: skip

LEAD_STATUS = sobject(
    "LeadStatus", "Lead Status Value", "Lead Status Value", "01J",
    (
        ID, text("MasterLabel", "Master Label", 255), text("ApiName", "API Name", 255),
        number("SortOrder", "Sort Order", 8, type="int"), flag("IsDefault", "Is Default", required=True),
        flag("IsConverted", "Is Converted", required=True), *AUDIT,
    ),
    createable=False, updateable=False, deletable=False,
)  # fmt: skip

OPPORTUNITY_STAGE = sobject(
    "OpportunityStage", "Opportunity Stage", "Opportunity Stage", "01J",
    (
        ID, text("MasterLabel", "Master Label", 255), text("ApiName", "API Name", 255),
        flag("IsActive", "Is Active", required=True), number("SortOrder", "Sort Order", 8, type="int"),
        flag("IsClosed", "Closed", required=True), flag("IsWon", "Won", required=True),
        text("ForecastCategoryName", "Forecast Category", 40),
        number("DefaultProbability", "Probability", 3, type="percent"), *AUDIT,
    ),
    createable=False, updateable=False, deletable=False,
)  # fmt: skip

PERMISSION_SET = sobject(
    "PermissionSet", "Permission Set", "Permission Set", "0PS",
    (
        ID, text("Name", "Permission Set Name", 80, required=True), text("Label", "Permission Set Label", 80, required=True),
        text("Description", "Description", 255), flag("IsOwnedByProfile", "Is Owned By Profile", required=True),
        flag("IsCustom", "Is Custom", required=True, default=True), *AUDIT,
    ),
)  # fmt: skip

_PARENT = refers("ParentId", "Parent ID", "PermissionSet", required=True)

FIELD_PERMISSIONS = sobject(
    "FieldPermissions", "Field Permissions", "Field Permissions", "01k",
    (
        ID, _PARENT, text("SobjectType", "Sobject Type", 40, required=True), text("Field", "Field Name", 240, required=True),
        flag("PermissionsRead", "Read Field", required=True), flag("PermissionsEdit", "Edit Field", required=True), AUDIT[4],
    ),
)  # fmt: skip

OBJECT_PERMISSIONS = sobject(
    "ObjectPermissions", "Object Permissions", "Object Permissions", "110",
    (
        ID, _PARENT, text("SobjectType", "Sobject Type", 40, required=True),
        *(flag(f"Permissions{w}", f"{w} Records", required=True) for w in
          ("Read", "Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")), *AUDIT,
    ),
)  # fmt: skip

ASSIGNMENT = sobject(
    "PermissionSetAssignment", "Permission Set Assignment", "Permission Set Assignment", "0Pa",
    (
        ID, refers("PermissionSetId", "PermissionSet ID", "PermissionSet", required=True, children="Assignments"),
        refers("AssigneeId", "Assignee ID", "User", required=True, children="PermissionSetAssignments"), AUDIT[4],
    ),
    updateable=False,
)  # fmt: skip

CLIENT_APP = sobject(
    "ExternalClientApplication", "External Client Application", "External Client Applications", "0xI",
    (
        ID, text("DeveloperName", "Name", 80, required=True), text("MasterLabel", "Label", 80, required=True), *AUDIT,
    ),
    createable=False, updateable=False, deletable=False,
)  # fmt: skip
"""Made by metadata alone. [REC describe-global; its fields beyond DeveloperName unverified]"""

PLATFORM: tuple[SObject, ...] = (
    CLIENT_APP, FIELD_PERMISSIONS, GROUP, GROUP_MEMBER, LEAD_STATUS, OBJECT_PERMISSIONS, OPPORTUNITY_STAGE, ORGANIZATION,
    PERMISSION_SET, ASSIGNMENT, PROFILE, QUEUE_SOBJECT, USER,
)  # fmt: skip

PERMISSION_OBJECTS = frozenset(
    {"PermissionSet", "FieldPermissions", "ObjectPermissions", "PermissionSetAssignment"}
)


def reference_rows() -> list[tuple[str, dict[str, object]]]:
    """The picklist tables an org comes with: (object, data)."""
    rows: list[tuple[str, dict[str, object]]] = []
    for order, (word, status) in enumerate(LEAD_STATUSES.items(), 1):
        rows.append(("LeadStatus", {
            "MasterLabel": status, "ApiName": status, "SortOrder": order, "IsDefault": word == "new",
            "IsConverted": word == "converted"}))  # fmt: skip
    for order, (stage, (category, probability, word)) in enumerate(STAGES.items(), 1):
        rows.append(("OpportunityStage", {
            "MasterLabel": stage, "ApiName": stage, "IsActive": True, "SortOrder": order,
            "IsClosed": word in ("won", "lost"), "IsWon": word == "won", "ForecastCategoryName": category,
            "DefaultProbability": probability}))  # fmt: skip
    return rows
