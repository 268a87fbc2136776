"""Forms, campaigns, marketing emails and subscription types, by the vendor's clients where these have the call."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from hubspot_sdk import HubSpot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_crm import FakeCrm
    from tests.fake_crm.conftest import Client

hubspot: Any = importlib.import_module("hubspot")
FORMS = "/marketing/forms/2026-09-beta"
SUBMISSIONS = "/form-integrations/v1/submissions/forms"


@pytest.fixture
def vendor(crm: FakeCrm) -> Any:
    return hubspot.Client.create(access_token=crm.token, host=crm.url, base_url=crm.url)


@pytest.fixture
def sdk(crm: FakeCrm) -> Iterator[HubSpot]:
    with HubSpot(access_token=crm.token, base_url=crm.url, max_retries=0) as client:
        yield client


def test_only_forms_of_the_editor_come_unless_all_are_asked_for(client: Client) -> None:
    assert ["Newsletter"] == [form["name"] for form in client.get(FORMS).json()["results"]]
    assert 2 == len(client.get(FORMS, formTypes="all").json()["results"])
    assert ["captured"] == [form["formType"] for form in client.get(FORMS, formTypes="captured").json()["results"]]


def test_forms_have_a_dated_path_as_a_beta_only(client: Client) -> None:
    assert client.get("/marketing/forms/2026-09").status_code == 404


def test_archived_forms_are_apart(client: Client, crm: FakeCrm) -> None:
    form_id = next(iter(crm.hubspot.forms))
    crm.hubspot.archive_form(form_id)
    assert [] == client.get(FORMS).json()["results"]
    assert ["2026-11-01T00:00:00.000Z"] == [
        form["archivedAt"] for form in client.get(FORMS, archived="true").json()["results"]
    ]


def test_the_vendors_client_reads_forms(vendor: Any) -> None:
    page = vendor.marketing.forms.forms_api.get_page(form_types=["all"], limit=1)
    assert ("Newsletter", ["email", "firstname"]) == (
        page.results[0].name,
        [field.name for field in page.results[0].field_groups[0].fields],
    )
    rest = vendor.marketing.forms.forms_api.get_page(form_types=["all"], limit=1, after=page.paging.next.after)
    assert (["Found on the website"], None) == ([form.name for form in rest.results], rest.paging)


def test_submissions_come_newest_first_and_stay_in_place(client: Client, crm: FakeCrm) -> None:
    form_id = next(iter(crm.hubspot.forms))
    page = client.get(f"{SUBMISSIONS}/{form_id}", limit=10).json()
    crm.hubspot.submit_form(form_id, {"email": "late@example.com"})
    rest = client.get(f"{SUBMISSIONS}/{form_id}", limit=50, after=page["paging"]["next"]["after"]).json()
    times = [row["submittedAt"] for row in [*page["results"], *rest["results"]]]
    assert (sorted(times, reverse=True), 25, None) == (times, len(times), rest.get("paging"))
    assert {"conversionId", "submittedAt", "values", "pageUrl"} == page["results"][0].keys()


@pytest.mark.parametrize(("query", "status"), [({"limit": 51}, 400), ({"after": "x"}, 400), ({"since": 1}, 400)])
def test_submissions_are_refused(client: Client, crm: FakeCrm, query: dict[str, Any], status: int) -> None:
    form_id = next(iter(crm.hubspot.forms))
    assert status == client.get(f"{SUBMISSIONS}/{form_id}", **query).status_code
    assert 404 == client.get(f"{SUBMISSIONS}/none").status_code


def test_the_newer_client_reads_campaigns(sdk: HubSpot, crm: FakeCrm) -> None:
    crm.hubspot.add_campaign("Autumn", hs_audience="everybody")
    rows = list(sdk.marketing.campaigns.list(limit=1, properties=["hs_name", "hs_audience", "none_such"]))
    assert [{"hs_name": "Spring"}, {"hs_name": "Autumn", "hs_audience": "everybody"}] == [
        row.properties for row in rows
    ]
    one = sdk.marketing.campaigns.get(rows[0].id, properties=["hs_budget_items_sum_amount"])
    assert {"hs_budget_items_sum_amount": "1500.50"} == one.properties


def test_campaigns_are_refused_above_100_a_page_and_in_an_unknown_order(client: Client) -> None:
    path = "/marketing/campaigns/2026-09"
    assert 400 == client.get(path, limit=101).status_code == client.get(path, sort="colour").status_code
    assert 200 == client.get(path, limit=100, sort="-updatedAt").status_code
    assert {} == client.get(path).json()["results"][0]["properties"]


def test_both_clients_read_marketing_emails(vendor: Any, sdk: HubSpot, crm: FakeCrm) -> None:
    email_id = crm.hubspot.add_marketing_email("Goodbye")
    crm.hubspot.count_email(email_id, open=7)
    page = vendor.marketing.emails.marketing_emails_api.get_page(include_stats=True)
    assert (2, 7) == (page.total, page.results[1].stats.counters["open"])
    assert ["Welcome", "Goodbye"] == [row.name for row in sdk.marketing.emails.list(limit=1)]
    crm.hubspot.archive_marketing_email(email_id)
    assert ["Goodbye"] == [row.name for row in sdk.marketing.emails.list(archived=True)]


def test_statistics_come_only_on_demand(client: Client) -> None:
    (row,) = client.get("/marketing/emails/2026-09").json()["results"]
    assert {"stats", "campaignName", "workflowNames"}.isdisjoint(row)


def test_both_clients_read_subscription_types(vendor: Any, sdk: HubSpot) -> None:
    (old,) = vendor.communication_preferences.definition_api.get_page().subscription_definitions
    answer = sdk.communication_preferences.definitions.list(include_translations=True)
    assert ("News", "2849", ["en"]) == (
        old.name,
        answer.results[0].id,
        [each.language_code for each in answer.results[0].subscription_translations or ()],
    )


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        (FORMS, ["forms"]),
        (f"{SUBMISSIONS}/x", ["forms", "forms-uploaded-files"]),
        ("/marketing/campaigns/2026-09", ["marketing.campaigns.read"]),
        ("/marketing/emails/2026-09", ["content"]),
        ("/email/public/v1/events", ["content"]),
        (
            "/communication-preferences/2026-09/definitions",
            ["communication_preferences.read", "communication_preferences.read_write"],
        ),
    ],
)
def test_each_area_has_its_scopes(client: Client, crm: FakeCrm, path: str, scopes: list[str]) -> None:
    client.token = crm.access.add_token("narrow", scopes=["tickets"])
    refusal = client.get(path)
    assert (403, scopes) == (refusal.status_code, refusal.json()["errors"][0]["context"]["requiredScopes"])
