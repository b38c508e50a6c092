// A real OpenID provider on a port of this machine: its own sign-in form takes any name and any password.
//   node provider.mjs PORT REDIRECT_URI ALGORITHM [DIRECTORY OF key.pem AND cert.pem]
// Its keys are new with each start. One line of JSON says where it is.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [port, redirectUri, algorithm, tls] = process.argv.slice(2);
const [kind, options] = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }] }[algorithm];
const key = generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' });

const server = tls
  ? createTlsServer({ key: readFileSync(`${tls}/key.pem`), cert: readFileSync(`${tls}/cert.pem`) })
  : createServer();
server.listen(Number(port), '127.0.0.1', () => {
  const issuer = `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'disk',
        client_secret: 'a secret: of 100 %',
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: algorithm,
      },
    ],
    jwks: { keys: [{ ...key, kid: randomUUID(), use: 'sig', alg: algorithm }] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id} of elsewhere`,
        preferred_username: id,
        email: `${id}@example.org`,
        groups: id === 'guest' ? ['guests'] : ['staff', 'all'],
      }),
    }),
    cookies: { keys: ['of the tests'] },
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});
// It ends with the test that started it.
process.stdin.on('end', () => process.exit()).resume();
