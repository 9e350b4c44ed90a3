// Prints the token that a credential of @azure/identity gets: CREDENTIAL SCOPE. The output is a JSON
// object with `token` and `expires_on`, or with `error`.

import {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  DefaultAzureCredential,
  ManagedIdentityCredential,
} from "@azure/identity";

const credentials = {
  managed: ManagedIdentityCredential,
  default: DefaultAzureCredential,
  az: AzureCliCredential,
  azd: AzureDeveloperCliCredential,
};

const [name, scope] = process.argv.slice(2);
try {
  const { token, expiresOnTimestamp } = await new credentials[name]().getToken(scope);
  console.log(JSON.stringify({ token, expires_on: Math.floor(expiresOnTimestamp / 1000) }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
