/** A tour of the demo at this address, to be pasted into bash as it is, and as often as one likes. */
export function walkthrough(address: string): string {
  return String.raw`
URL=${address}
EMAIL="ada-$RANDOM-$RANDOM@example.com"
LOGIN="{\"email\":\"$EMAIL\",\"password\":\"correct horse\"}"
field() { node -pe "JSON.parse(fs.readFileSync(0))$1"; }
call() { curl -sS -w ' (%{http_code})\n' -H 'Content-Type: application/json' "$@"; }

# Sign up, and log in: the token is shown this once, since the database has only its digest.
call "$URL/api/sign-up" -d "$LOGIN"
TOKEN=$(call "$URL/api/login" -d "$LOGIN" -w '' | field .token)

# A route that asks for a session takes the token in either header, and refuses to answer without one.
call "$URL/api/me" -H "Authorization: Bearer $TOKEN"
call "$URL/api/me" -H "X-Auth-Token: $TOKEN"
call "$URL/api/me"

# Log in from two other devices, and look at all sessions.
PHONE=$(call "$URL/api/login" -d "$LOGIN" -w '' -A Phone | field .token)
call "$URL/api/login" -d "$LOGIN" -o /dev/null -A Tablet
call "$URL/api/account/sessions" -H "Authorization: Bearer $TOKEN"

# End the session of the phone: it stays in the list until the expiry job deletes it. Delete the one of the tablet.
session() { call "$URL/api/account/sessions" -H "Authorization: Bearer $TOKEN" -w '' | field ".find(s => s.device.userAgent === '$1').id"; }
call -X POST "$URL/api/account/sessions/$(session Phone)/expire" -H "Authorization: Bearer $TOKEN"
call "$URL/api/me" -H "Authorization: Bearer $PHONE"
call -X DELETE "$URL/api/account/sessions/$(session Tablet)" -H "Authorization: Bearer $TOKEN"

# Make a project and a key for it: machines use it on their own route, and only there.
PROJECT=$(call "$URL/api/projects" -H "Authorization: Bearer $TOKEN" -d '{"name":"Engine"}' -w '' | field .id)
KEY=$(call "$URL/api/projects/$PROJECT/keys" -H "Authorization: Bearer $TOKEN" -d '{"name":"build server"}' -w '' | field .key)
call "$URL/api/project" -H "Authorization: Bearer $KEY"
call "$URL/api/me" -H "Authorization: Bearer $KEY"

# Count sessions, and sign out everywhere: the token is refused from the next request on.
call "$URL/api/statistics"
call -X POST "$URL/api/account/sign-out-everywhere" -H "Authorization: Bearer $TOKEN"
call -i "$URL/api/me" -H "Authorization: Bearer $TOKEN"

# That is all. To watch the expiry job, start the demo by: DEMO_SESSION_TTL=10s DEMO_PRUNING_INTERVAL=5s npm start
`.trim();
}
