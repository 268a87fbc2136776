"""Objects of the platform itself: users, files, histories, and those with ways of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.salesforce.fields import Field, address, flag, number, pick, plain, ref, text, whole
from fake_crm.salesforce.objects import CREATED, DELETE_STAMPS, ID, MODIFIED, SObject

if TYPE_CHECKING:
    from typing import Any

WRITTEN_BY_PLATFORM: dict[str, Any] = {"createable": False}
_USER_NAME = (
    text("LastName", 80, compound="Name", nillable=False),
    text("FirstName", 40, compound="Name"),
    text("Name", 121, nillable=False, settable=False, name_field=True, parts=("FirstName", "LastName")),
)


def system_objects() -> tuple[SObject, ...]:
    """Fresh definitions of them."""
    return (*_people(), *_files(), *_logs(), *_virtual())


def _people() -> tuple[SObject, ...]:
    return (
        SObject.of(
            "User", "005",
            (ID, text("Username", 80, nillable=False), *_USER_NAME, text("CompanyName", 80), text("Title", 80),
             *address("", "Address"), text("Email", 128, "email", nillable=False), text("Phone", 40, "phone"),
             text("Alias", 8, nillable=False), flag("IsActive"), ref("UserRoleId", "UserRole"),
             ref("ProfileId", "Profile"), pick("UserType", "Standard", "Guest", restricted=True),
             pick("TimeZoneSidKey", "Europe/Berlin", "America/New_York", nillable=False, restricted=True),
             plain("LastLoginDate", "datetime", settable=False), ref("ManagerId", "User"), *CREATED, *MODIFIED),
            searchable=True,
        ),
        SObject.of("UserRole", "00E", (ID, text("Name", 80, nillable=False, name_field=True),
                                       ref("ParentRoleId", "UserRole", relationship=None), *MODIFIED)),
        SObject.of("Profile", "00e", (ID, text("Name", 255, nillable=False, name_field=True),
                                      text("Description", 255), *CREATED, *MODIFIED)),
        SObject.of("Group", "00G", (ID, text("Name", 40, nillable=False, name_field=True), text("DeveloperName", 80),
                                    pick("Type", "Queue", "Regular", restricted=True), *CREATED, *MODIFIED)),
        SObject.of("RecordType", "012", (ID, text("Name", 80, nillable=False, name_field=True),
                                         text("DeveloperName", 80, nillable=False), flag("IsActive"), *CREATED,
                                         *MODIFIED)),
        SObject.of("Organization", "00D", (ID, text("Name", 80, nillable=False, name_field=True), flag("IsSandbox"),
                                           pick("OrganizationType", "Developer Edition"), text("InstanceName", 5),
                                           text("NamespacePrefix", 15), *CREATED, *MODIFIED), **WRITTEN_BY_PLATFORM),
        # one of the many lists of choices, which Bulk refuses
        SObject.of("TaskStatus", "01l", (ID, text("MasterLabel", 255), text("ApiName", 255), whole("SortOrder", 9),
                                         flag("IsClosed"), *MODIFIED), in_bulk=False, **WRITTEN_BY_PLATFORM),
    )  # fmt: skip


def _files() -> tuple[SObject, ...]:
    body = Field("Body", "base64", nillable=False)
    version = Field("VersionData", "base64")
    return (
        SObject.of(
            "Attachment", "00P",
            (ID, *DELETE_STAMPS, ref("ParentId", "Account", "Case", "Contact", "Opportunity", nillable=False),
             text("Name", 255, nillable=False, name_field=True), flag("IsPrivate"), text("ContentType", 120),
             whole("BodyLength", 9, settable=False), body, ref("OwnerId", "User"), text("Description", 500), *CREATED,
             *MODIFIED),
            in_bulk=False,  # on the lists of what Bulk refuses that other taps keep
        ),
        SObject.of(
            "ContentVersion", "068",
            (ID, ref("ContentDocumentId", "ContentDocument"), flag("IsLatest"), text("Title", 255, name_field=True),
             text("PathOnClient", 500), text("FileType", 20), text("FileExtension", 40), text("VersionNumber", 20),
             whole("ContentSize", 9, settable=False), version, text("Checksum", 50), ref("OwnerId", "User"),
             *DELETE_STAMPS, *CREATED, *MODIFIED),
        ),
        SObject.of(
            "ContentDocument", "069",
            (ID, *DELETE_STAMPS, text("Title", 255, nillable=False, name_field=True), text("FileType", 20),
             whole("ContentSize", 9), ref("LatestPublishedVersionId", "ContentVersion"), ref("OwnerId", "User"),
             *CREATED, *MODIFIED),
        ),
        SObject.of(
            "ContentDocumentLink", "06A",
            (ID, ref("LinkedEntityId", "Account", "Contact", "Opportunity", nillable=False),
             ref("ContentDocumentId", "ContentDocument", nillable=False), *DELETE_STAMPS,
             plain("SystemModstamp", "datetime", nillable=False, settable=False),
             pick("ShareType", "V", "C", "I", restricted=True), pick("Visibility", "AllUsers", "InternalUsers")),
            filters=("ContentDocumentId", "LinkedEntityId"), in_bulk=False,
        ),
    )  # fmt: skip


def _history(of: str, prefix: str) -> SObject:
    fields = (
        ID, *DELETE_STAMPS, ref(f"{of}Id", of, nillable=False),
        ref("CreatedById", "User", nillable=False, settable=False),
        plain("CreatedDate", "datetime", nillable=False, settable=False),
        pick("Field", "created", "Name", "Owner", "Industry", "AnnualRevenue", "IsActive__c", restricted=True,
             nillable=False),
        pick("DataType", "Text", "Number", "Boolean", "EntityId", restricted=True),
        plain("OldValue", "anyType"), plain("NewValue", "anyType"),
    )  # fmt: skip
    return SObject.of(f"{of}History", prefix, fields, **WRITTEN_BY_PLATFORM)


def _logs() -> tuple[SObject, ...]:
    return (
        _history("Account", "017"),
        SObject.of("OpportunityHistory", "008",
                   (ID, ref("OpportunityId", "Opportunity", nillable=False), text("StageName", 255),
                    number("Amount", 18, 2, "currency"), number("Probability", 3, 0, "percent"),
                    plain("CloseDate", "date"), *DELETE_STAMPS, *CREATED,
                    plain("SystemModstamp", "datetime", nillable=False, settable=False)), **WRITTEN_BY_PLATFORM),
        SObject.of("LoginHistory", "0Ya",
                   (ID, ref("UserId", "User", nillable=False, relationship=None),
                    plain("LoginTime", "datetime", nillable=False, settable=False), pick("LoginType", "Application"),
                    text("SourceIp", 39), text("Status", 128), text("Browser", 64), text("Platform", 64)),
                   replicateable=False, **WRITTEN_BY_PLATFORM),
        SObject.of("AccountShare", "00r",
                   (ID, ref("AccountId", "Account", nillable=False),
                    ref("UserOrGroupId", "Group", "User", nillable=False),
                    pick("AccountAccessLevel", "Read", "Edit", "All", nillable=False, restricted=True),
                    pick("RowCause", "Owner", "Manual", restricted=True),
                    plain("LastModifiedDate", "datetime", settable=False),
                    ref("LastModifiedById", "User", settable=False), *DELETE_STAMPS)),
        SObject.of("AccountFeed", "0D5",
                   (ID, ref("ParentId", "Account", nillable=False), pick("Type", "TrackedChange", "TextPost"),
                    *CREATED, *DELETE_STAMPS, *MODIFIED[-1:], text("Body", 10000, "textarea"), whole("LikeCount", 9)),
                   in_bulk=False, **WRITTEN_BY_PLATFORM),
        SObject.of("AccountChangeEvent", "0JL", (ID, text("ReplayId", 1000), plain("ChangeEventHeader", "complexvalue"),
                                                 text("Name", 255), *CREATED), queryable=False, replicateable=False,
                   retrieveable=False, createable=False),
    )  # fmt: skip


def _virtual() -> tuple[SObject, ...]:
    closed: dict[str, Any] = {"replicateable": False, "in_bulk": False, **WRITTEN_BY_PLATFORM}
    return (
        SObject.of("EntityDefinition", "4ie", (ID, text("DurableId", 255), text("QualifiedApiName", 80),
                                               text("Label", 80), text("KeyPrefix", 3),
                                               Field("RecordTypesSupported", "complexvalue",
                                                     soap="urn:RecordTypesSupported")), **closed),
        SObject.of("FieldDefinition", "4fe", (ID, text("DurableId", 255), text("QualifiedApiName", 80),
                                              ref("EntityDefinitionId", "EntityDefinition", nillable=False),
                                              text("Label", 80), text("DataType", 80), whole("Length", 9)),
                   filters=("EntityDefinitionId", "DurableId"), reified=True, **closed),
        SObject.of("UserFieldAccess", "4uf", (ID, text("DurableId", 255), ref("UserId", "User"),
                                              ref("EntityDefinitionId", "EntityDefinition", nillable=False),
                                              flag("IsAccessible")),
                   filters=("UserId", "DurableId"), reified=True, **closed),
        SObject.of("Vote", "083", (ID, *DELETE_STAMPS, ref("ParentId", "Account", nillable=False),
                                   pick("Type", "Up", "Down"), *CREATED, *MODIFIED[-1:]),
                   filters=("ParentId", "Id"), in_bulk=False),
        SObject.of("ListView", "00B", (ID, text("Name", 40, name_field=True), text("DeveloperName", 80),
                                       text("SobjectType", 40), flag("IsSoqlCompatible"), *CREATED, *MODIFIED),
                   **WRITTEN_BY_PLATFORM),
        SObject.of("Report", "00O", (ID, text("Name", 80, name_field=True), text("FolderName", 256),
                                     text("DeveloperName", 80), text("Description", 255), *DELETE_STAMPS,
                                     plain("LastRunDate", "datetime", settable=False), *CREATED, *MODIFIED),
                   **WRITTEN_BY_PLATFORM),
    )  # fmt: skip
