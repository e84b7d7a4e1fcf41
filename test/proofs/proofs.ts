import { type Break, BREAKS } from './breaks.js';

/** That a guarantee rests on what its test tells: once it is broken, the test fails. */
export interface Proof {
  /** How its line begins. */
  readonly guarantee: string;
  readonly breaks: Break;
  /** One of the tests that the line cites. */
  readonly test: string;
  /** Which of its tests, by a pattern of their names; all, where there is none. */
  readonly only?: string;
}

const IN_PROCESS = 'on (?:sqlite|memory)';
const ON_POSTGRES = 'on postgres';

function proof(guarantee: string, broken: keyof typeof BREAKS, test: string, only?: string): Proof {
  return { guarantee, breaks: BREAKS[broken], test: `${test}spec.ts`, only };
}

const unit = (file: string): string => `libs/sessions/src/${file}.`;
const suite = (file: string): string => `test/${file}.e2e-`;

export const PROOFS: readonly Proof[] = [
  // A stolen dump
  proof('The database stores only a digest', 'storesTokens', unit('token/digest')),
  proof('A session ends at its idle timeout', 'knowsNoAbsoluteEnd', suite('lifecycle/absolute-limit'), IN_PROCESS),
  proof('No call sets an end beyond', 'takesAnyEnd', suite('lifecycle/absolute-limit'), IN_PROCESS),
  proof('An end that the application sets', 'movesFixedEnds', suite('lifecycle/fixed-ends'), IN_PROCESS),
  proof('An invalid token causes no write, and', 'notesUsesOfEnded', suite('lifecycle/last-use'), IN_PROCESS),
  proof('You can replace keys and algorithms', 'knowsTheFirstKeyOnly', suite('lifecycle/keyring'), IN_PROCESS),
  proof('A digest presented as a token', 'looksForTokensInClear', suite('guard/responses')),
  proof('No read selects the digest', 'showsDigests', suite('service/get'), IN_PROCESS),
  proof('MD5 is not available', 'offersMd5', unit('options/resolve-options')),

  // Guessing
  proof("Tokens come from the operating system's CSPRNG", 'guessesPlainTokens', unit('token/generate')),
  proof("Tokens come from the operating system's CSPRNG", 'guessesPrefixedTokens', unit('token/generate')),
  proof("Tokens come from the operating system's CSPRNG", 'takesShortTokens', unit('options/resolve-options')),
  proof('The application compares no secrets', 'looksForTokensInClear', unit('token/digest')),
  proof('`RefusalBudget.attempt` [limits]', 'countsNoGuesses', suite('guard/refusals'), 'of passwords'),
  proof('`onRefused: budget.onRefused` limits', 'countsNoRefusals', suite('guard/refusals'), 'are answered with 429'),
  proof('Malformed, unknown, expired and ended tokens', 'fallsOverNoTokens', suite('guard/responses')),

  // Replays and races
  proof('After a logout or the end of a session', 'knowsNoEnd', suite('guard/tables')),
  proof('With a near cache, this holds', 'remembersEnded', suite('cache/near-cache'), IN_PROCESS),
  proof('A node that may have missed an invalidation', 'trustsWhatItMissed', unit('cache/invalidation-bus')),
  proof('Behind a pooler that shares connections', 'trustsAnyPool', unit('cache/channels/channel-connections')),
  proof('A sign-in whose proof began before', 'takesStaleProofs', suite('lifecycle/credentials-changed'), IN_PROCESS),
  proof('One call ends one session', 'endsAllOthersToo', suite('lifecycle/revoke'), IN_PROCESS),
  proof('Nothing revives a session that another request', 'revivesByExtensions', suite('lifecycle/extend'), IN_PROCESS),
  proof('On SQLite, where TypeORM has one connection', 'cutsIntoTransactions', suite('races/sqlite-transactions')),
  proof('The server decides when a session ends, in UTC', 'goesByTheWrongClock', unit('session/lifetime')),
  proof("The first revocation's reason and time", 'endsEndedSessions', suite('lifecycle/revoke'), IN_PROCESS),
  proof('The limit of concurrent sessions', 'countsWithoutLock', suite('races/session-limits'), ON_POSTGRES),
  proof('No session outlives its revocation', 'replacesTokensOfEndedSessions', suite('races/revocation'), ON_POSTGRES),
  proof('A token can be rotated while', 'rotatesTwice', suite('races/rotation'), ON_POSTGRES),
  proof('A replaced token that is used', 'forgivesReplacedTokens', suite('lifecycle/rotate'), IN_PROCESS),
  proof('A one-time token gives', 'endsEndedSessions', suite('lifecycle/take-once'), IN_PROCESS),
  proof('Two requests that change a session', 'losesChanges', suite('lifecycle/update'), IN_PROCESS),

  // Doing more than one may
  proof('A route can require that the owner', 'asksForNoFreshness', suite('guard/freshness')),
  proof('A GraphQL field has only its own', 'sharesLookUpsOfMutations', suite('transports/graphql/look-ups')),
  proof('A key can do what its scopes allow', 'asksForNoScopes', suite('guard/scopes')),
  proof('Signing in ends the session', 'leavesTheReplacedSession', suite('lifecycle/sign-in'), IN_PROCESS),
  proof('The library generates every token', 'takesUnknownFields', suite('lifecycle/create'), IN_PROCESS),
  proof('A token of one table never passes', 'takesEveryTable', suite('guard/tables')),
  proof('A request with two tokens is refused', 'choosesAToken', unit('http/credentials')),

  // Cookies
  proof('A cookie is Secure, HttpOnly', 'showsCookiesToScripts', unit('http/cookie-options')),
  proof('The server decides when a session ends, however', 'knowsNoEnd', suite('guard/cookies')),
  proof('A token that is sent as a cookie', 'leavesAnswersToCaches', suite('guard/shared-caches')),
  proof('Other answers to a session from a cookie', 'sharesAnswers', suite('guard/shared-caches')),
  proof('The answer that signs somebody out', 'keepsOlderCookies', suite('guard/cookies')),
  proof('An unknown token in a cookie is never adopted', 'fallsOverNoTokens', suite('guard/cookies')),
  proof('A request that may change something', 'takesCookiesFromAnywhere', suite('guard/cookies-csrf')),
  proof('This check does not rely on preflights', 'restsOnPreflights', suite('guard/cookies-csrf')),
  proof('Only GET, HEAD and OPTIONS', 'takesDeleteForSafe', unit('http/request-origin')),
  proof('The cookie of a WebSocket handshake', 'takesHandshakesFromAnywhere', suite('guard/cookies')),
  proof('The [WebSocket adapters]', 'letsAllSocketsIn', suite('transports/ws/adapters'), 'lets nobody in'),
  proof('Whatever [`LiveSessions`]', 'leavesHeldOpen', unit('live/held-sessions')),
  proof('The guard holds event streams', 'followsNothing', suite('transports/streams/sse'), 'so does its producer'),
  proof('A GraphQL connection that', 'keepsWhatHasChanged', suite('transports/graphql/connections'), 'sees a change'),
  proof(
    'Each message of a socket has',
    'keepsForCopies',
    suite('transports/ws/own-sessions'),
    'after a message with a token',
  ),
  proof('What a client sends when it connects', 'takesOwnWordsForHeaders', suite('transports/graphql/sockets')),
  proof('Two tokens in a request, one of them in a cookie', 'choosesACookie', unit('http/credentials')),
  proof('No `Cookie` header', 'decodesCookies', suite('guard/cookies')),
  proof('Neither an outage nor a late answer', 'dropsCookiesOfScripts', suite('guard/cookies')),

  // Leaks
  proof('Only the session that a call', 'showsTokens', suite('lifecycle/authenticate'), IN_PROCESS),
  proof('Neither errors nor log lines contain', 'showsValues', suite('lifecycle/create'), IN_PROCESS),
  proof("TypeORM's loggers get no token", 'logsDigests', suite('failure/unseen')),
  proof('An error response names no table', 'namesTables', suite('errors/answers')),
  proof('Events contain neither tokens nor digests', 'tellsDigests', suite('events/events'), IN_PROCESS),
  proof('Relations that a guard or a call loads', 'loadsHiddenColumns', suite('lifecycle/relations'), IN_PROCESS),
  proof('A class made by `dto`', 'answersWithMore', suite('openapi/dto')),
  proof('A token in the URL is ignored', 'takesTokensFromUrls', suite('guard/responses')),
  proof('Challenges are quoted strings', 'quotesNothing', unit('http/challenge')),

  // Garbage and load
  proof('Text that cannot be a token', 'takesAnyText', unit('token/parse')),
  proof('An invalid token causes no write.', 'notesUsesOfEnded', suite('lifecycle/last-use'), IN_PROCESS),
  proof('While the database is down', 'logsOutByOutages', suite('failure/outage')),
  proof('The same holds for every call', 'knowsNoOutages', suite('failure/not-now')),
  proof('However many clients', 'keepsAllUses', suite('lifecycle/last-use'), IN_PROCESS),
  proof('A slow or locked table', 'takesTheWholePool', unit('util/bulkhead')),
  proof('If the database server hangs', 'asksWhatFails', unit('util/bulkhead')),
  proof('If the database server hangs', 'waitsForEver', unit('util/bulkhead')),
  proof('A row that cannot be read', 'takesUnreadableForRead', suite('failure/unreadable-row')),
  proof('If a time that decides', 'hidesUnreadableEnds', suite('lifecycle/unreadable-ends')),
  proof(
    'A transformer runs in the asynchronous context',
    'readsRowsForOthers',
    suite('table/transformers'),
    ON_POSTGRES,
  ),
  proof('Expired rows are deleted in batches', 'takesNoLease', suite('pruning/leases')),
  proof('No deletion touches a row', 'deletesInAllPartitions', suite('pruning/partitions')),
  proof('Invalid options are startup errors', 'startsWithProblems', suite('options/wrong-types')),
  proof('An unknown option fails', 'takesUnknownOptions', suite('options/unknown-options')),
  proof('`trustedOrigins` are whole origins', 'trustsWildcards', unit('http/cookie-options')),
  proof('No query can sort by a digest', 'sortsByDigests', suite('options/unknown-options')),
  proof('Best-effort writes', 'failsForFavours', suite('failure/read-only')),
  proof('What the database rolls back', 'givesUpAtOnce', suite('failure/undone')),
  proof('A refused RPC message', 'logsRefusedEvents', suite('transports/rpc/messages')),

  // Injection
  proof('Every value is a bound parameter', 'writesPathsOut', suite('service/list'), ON_POSTGRES),
  proof('MySQL and MariaDB connections with', 'startsWithoutEscapes', suite('table/check-table')),
  proof('A filter that is `undefined`', 'takesUndefinedForAny', suite('service/list'), IN_PROCESS),
  proof('Filters that are no set of conditions', 'takesPromisesForAny', suite('service/no-records'), IN_PROCESS),

  // OWASP ASVS 5.0, chapter V7
  proof('7.1.1', 'knowsNoIdleEnd', suite('lifecycle/own-limits'), IN_PROCESS),
  proof('7.1.2', 'countsWithoutLock', suite('races/session-limits'), ON_POSTGRES),
  proof('7.2.1', 'knowsNoEnd', suite('guard/tables')),
  proof('7.2.2', 'takesEveryTable', suite('guard/tables')),
  proof('7.2.3', 'guessesPlainTokens', unit('token/generate')),
  proof('7.2.4', 'leavesTheReplacedSession', suite('lifecycle/sign-in'), IN_PROCESS),
  proof('7.3.1', 'knowsNoIdleEnd', suite('lifecycle/extend'), IN_PROCESS),
  proof('7.3.2', 'knowsNoAbsoluteEnd', suite('lifecycle/absolute-limit'), IN_PROCESS),
  proof('7.4.1', 'endsNothing', suite('lifecycle/revoke'), IN_PROCESS),
  proof('7.4.2', 'endsNothing', suite('lifecycle/revoke'), IN_PROCESS),
  proof('7.4.3', 'takesStaleProofs', suite('races/credentials'), ON_POSTGRES),
  proof('7.4.5', 'endsNothing', suite('lifecycle/revoke'), IN_PROCESS),
  proof('7.5.1', 'asksForNoFreshness', suite('guard/freshness')),
  proof('7.5.2', 'endsNothing', suite('demo/demo'), IN_PROCESS),
  proof('7.5.3', 'asksForNoFreshness', suite('guard/freshness')),
  proof('7.6.2', 'fallsOverNoTokens', suite('guard/responses')),

  // RFC 6750
  proof('§2: at most one method', 'choosesAToken', suite('guard/responses')),
  proof('§2.1: `Authorization: Bearer`', 'knowsOneSpelling', unit('http/credentials')),
  proof("§2.2: a token in a form's body", 'takesTokensFromBodies', suite('guard/responses')),
  proof('§2.3: a token in the URL', 'takesTokensFromUrls', suite('guard/responses')),
  proof('§3: every refusal for lack of a suitable token', 'challengesNobody', suite('guard/responses')),
  proof('§3: no error code for a request without', 'blamesWhoHasNoToken', suite('guard/responses')),
  proof('§3: `scope` lists', 'forgetsTheScopes', suite('guard/scopes')),
  proof('§3.1: `invalid_token` is 401', 'fallsOverNoTokens', suite('guard/responses')),
  proof('§3.1: `insufficient_scope` is 403', 'asksForNoScopes', suite('guard/scopes')),
  proof('§5.2: tokens have enough entropy', 'storesTokens', unit('token/digest')),
  proof('§5.3: TLS, and no caching', 'letsTokensBeKept', suite('demo/demo'), IN_PROCESS),
  proof('§5.3: tokens do not live forever', 'forgivesReplacedTokens', suite('lifecycle/rotate'), IN_PROCESS),
];
