/** A tour of the demo at this address. Paste it into bash, as often as you like. */
export function walkthrough(address: string): string {
  return String.raw`
URL=${address}
EMAIL="ada-$RANDOM-$RANDOM@example.com"
LOGIN="{\"email\":\"$EMAIL\",\"password\":\"correct horse\"}"
field() { node -pe "JSON.parse(fs.readFileSync(0))$1"; }
call() { curl -sS -w ' (%{http_code})\n' -H 'Content-Type: application/json' "$@"; }
mine() { call -H "Authorization: Bearer $TOKEN" "$@"; }

# Sign up. The response does not reveal who has an account. The link in the mail creates the account, once, and logs in. The
# token is shown only once, since the database has only its digest.
call "$URL/api/sign-up" -d "{\"email\":\"$EMAIL\"}"
LINK=$(call "$URL/dev/outbox" -w '' | grep -om1 'token=[^"]*' | head -n1 | cut -d= -f2)
TOKEN=$(call "$URL/api/sign-up/finish" -d "{\"token\":\"$LINK\",\"password\":\"correct horse\"}" -w '' | field .token)
call "$URL/api/sign-up/finish" -d "{\"token\":\"$LINK\",\"password\":\"correct horse\"}"

# A guarded route accepts the token in either header, and refuses requests without one.
call "$URL/api/me" -H "Authorization: Bearer $TOKEN"
call "$URL/api/me" -H "X-Auth-Token: $TOKEN"
call "$URL/api/me"

# Log in from two other devices, and revoke the session of the phone. It stays in the list, with the reason.
PHONE=$(call "$URL/api/login" -d "$LOGIN" -w '' -A Phone | field .token)
call "$URL/api/login" -d "$LOGIN" -o /dev/null -A Tablet
mine -X DELETE "$URL/api/account/sessions/$(mine "$URL/api/account/sessions" -w '' | field '.find(s => s.device === "Phone").id')"
call "$URL/api/me" -H "Authorization: Bearer $PHONE"
mine "$URL/api/account/sessions"

# Rotate the token. The old one works for another half minute, for requests under way. Used later, it ends the session.
OLD=$TOKEN
TOKEN=$(mine -X POST "$URL/api/session/rotate" -w '' | field .token)
call "$URL/api/me" -H "Authorization: Bearer $OLD"
mine "$URL/api/me"

# Confirm your password, which the next route requires. A new password ends all other sessions.
TOKEN=$(mine "$URL/api/account/reauthenticate" -d '{"password":"correct horse"}' -w '' | field .token)
mine "$URL/api/account/password" -d '{"password":"battery staple"}'

# Create a project and a key for it. Machines use it only on their own routes, and only for what its scopes allow.
PROJECT=$(mine "$URL/api/projects" -d '{"name":"Engine"}' -w '' | field .id)
KEY=$(mine "$URL/api/projects/$PROJECT/keys" -d '{"name":"build server","scopes":["project:read"]}' -w '' | field .key)
call "$URL/api/project" -H "Authorization: Bearer $KEY"
call -i -X PATCH "$URL/api/project" -H "Authorization: Bearer $KEY" -d '{"name":"Motor"}'
call "$URL/api/me" -H "Authorization: Bearer $KEY"

# Count sessions, show your activity, and sign out everywhere. The token is refused from then on.
call "$URL/api/statistics"
mine "$URL/api/account/activity"
mine -X POST "$URL/api/account/sign-out-everywhere"
mine -i "$URL/api/me"

# Log in once more. To watch this session expire and be deleted, start the demo with:
# DEMO_SESSION_TTL=10s DEMO_PRUNING_INTERVAL=5s npm start
call "$URL/api/login" -d "{\"email\":\"$EMAIL\",\"password\":\"battery staple\"}"
# That is all.
`.trim();
}
