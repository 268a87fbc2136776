// What jsforce reads from a fake Salesforce, as one JSON object on stdout: node jsforce_calls.cjs URL CLIENT_ID SECRET
const jsforce = require('jsforce');

const [url, clientId, clientSecret] = process.argv.slice(2);

async function main() {
  const conn = new jsforce.Connection({ loginUrl: url, oauth2: { loginUrl: url, clientId, clientSecret }, version: '66.0' });
  await conn.authorize({ grant_type: 'client_credentials' });
  const objects = (await conn.describeGlobal()).sobjects.map((each) => each.name);
  const fields = (await conn.sobject('Account').describe()).fields.map((each) => each.name);
  const paged = await conn.query('SELECT Id, Account.Name FROM Contact', { autoFetch: true, maxFetch: 1000 });
  const deleted = await conn.query('SELECT Id FROM Lead WHERE IsDeleted = true', { scanAll: true });
  const created = await conn.sobject('Account').create({ Name: 'Made by jsforce' });
  const read = await conn.sobject('Account').retrieve(created.id);
  const updated = await conn.sobject('Account').updated('2026-11-01T11:00:00Z', '2026-11-01T13:00:00Z');
  conn.bulk2.pollInterval = 10;
  const bulk = await (await conn.bulk2.query('SELECT Id, Text__c FROM Everything__c')).toArray();
  let refusal = null;
  try {
    await conn.query('SELECT Nonsense FROM Account');
  } catch (error) {
    refusal = { code: error.errorCode, message: error.message };
  }
  return {
    objects,
    fields,
    contacts: paged.records.map((row) => row.Id),
    deleted: deleted.records.map((row) => row.Id),
    created: created.id,
    name: read.Name,
    updated: updated.ids,
    bulk,
    refusal,
    limit: conn.limitInfo.apiUsage.limit,
  };
}

main().then(
  (found) => process.stdout.write(JSON.stringify(found)),
  (error) => {
    process.stderr.write(String(error && error.stack));
    process.exit(1);
  }
);
