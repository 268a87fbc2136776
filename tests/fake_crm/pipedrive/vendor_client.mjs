// Calls of the vendor's own client against an address; prints what each came to, as JSON.
import * as v1 from 'pipedrive/v1';
import * as v2 from 'pipedrive/v2';

const [url, token, appId, appSecret, refreshToken] = process.argv.slice(2);
const two = new v2.Configuration({ apiKey: token, basePath: `${url}/api/v2` });
const one = new v1.Configuration({ apiKey: token, basePath: `${url}/v1` });
const deals = new v2.DealsApi(two);
const found = {};

async function every(call, params) {
  const rows = [];
  let cursor;
  do {
    const page = await call({ ...params, cursor });
    rows.push(...page.data);
    cursor = page.additional_data?.next_cursor;
  } while (cursor);
  return rows;
}

const ids = (rows) => rows.map((row) => row.id);
found.deals = ids(await every((p) => deals.getDeals(p), { limit: 7, sort_by: 'update_time', status: 'open,won,lost,deleted' }));
found.archived = ids(await every((p) => deals.getArchivedDeals(p), { limit: 2 }));
found.since = ids((await deals.getDeals({ updated_since: '2025-11-01T00:00:00Z', updated_until: '2026-05-01T00:00:00Z', limit: 500 })).data);
found.labelled = (await deals.getDeals({ limit: 1, include_option_labels: true })).data[0].custom_fields;
found.products = ids((await new v2.DealProductsApi(two).getDealsProducts({ deal_ids: [1, 2, 3] })).data);
found.installments = ids((await new v2.DealInstallmentsApi(two).getInstallments({ deal_ids: [1, 6] })).data);
found.followers = (await deals.getDealFollowers({ id: 1 })).data;
found.persons = ids(await every((p) => new v2.PersonsApi(two).getPersons(p), { limit: 11 }));
found.organizations = ids(await every((p) => new v2.OrganizationsApi(two).getOrganizations(p), { limit: 11 }));
found.activities = ids(await every((p) => new v2.ActivitiesApi(two).getActivities(p), { limit: 11 }));
found.catalogue = ids(await every((p) => new v2.ProductsApi(two).getProducts(p), { limit: 11 }));
found.fields = (await new v2.DealFieldsApi(two).getDealFields({ limit: 500 })).data.map((row) => row.field_code);
found.stages = ids((await new v2.StagesApi(two).getStages()).data);
found.pipelines = ids((await new v2.PipelinesApi(two).getPipelines()).data);
found.leads = ids((await new v1.LeadsApi(one).getLeads({ limit: 100 })).data);
found.notes = ids((await new v1.NotesApi(one).getNotes({ limit: 100, updated_since: '2024-01-01T00:00:00Z' })).data);
found.files = ids((await new v1.FilesApi(one).getFiles({ limit: 100 })).data);
found.users = ids((await new v1.UsersApi(one).getUsers()).data);
found.me = (await new v1.UsersApi(one).getCurrentUser()).data.company_domain;
found.changelog = (await new v1.DealsApi(one).getDealChangelog({ id: 1 })).data.length;

const made = await deals.addDeal({ AddDealRequest: { title: 'New', value: 12 } });
found.made = made.data.id;
found.changed = (await deals.updateDeal({ id: found.made, UpdateDealRequest: { value: 13 } })).data.value;
found.deleted = (await deals.deleteDeal({ id: found.made })).data.id;

const failure = (call) => call.then(() => null, (error) => error.response?.status ?? error.status ?? error.errorCode ?? error.error);
found.refused = await failure(deals.getDeals({ updated_since: '2025-11-01 00:00:00' }));
const wrong = new v2.Configuration({ apiKey: 'wrong', basePath: `${url}/api/v2` });
found.unauthorized = await failure(new v2.DealsApi(wrong).getDeals());

const oauth = new v2.OAuth2Configuration({ clientId: appId, clientSecret: appSecret, redirectUri: 'http://127.0.0.1/', host: url });
oauth.updateToken({ access_token: 'over', refresh_token: refreshToken, expires_in: 1, token_type: 'bearer', scope: 'base', api_domain: url });
await oauth.tokenRefresh();
found.oauth = ids((await new v2.DealsApi(new v2.Configuration({ accessToken: oauth.getAccessToken, basePath: `${url}/api/v2` })).getDeals({ limit: 2 })).data);
console.log(JSON.stringify(found));
