/** A change of the library after which a guarantee does not hold. */
export interface Break {
  /** By its path from the root. */
  readonly file: string;
  /** What stands there once. */
  readonly from: string;
  readonly to: string;
}

function inLibrary(file: string, from: string, to = ''): Break {
  return { file: `libs/sessions/src/${file}`, from, to };
}

/** By what is wrong then. */
export const BREAKS = {
  leavesHeldOpen: inLibrary('live/held-sessions.ts', 'else this.#end(id, held);', 'else void held;'),
  followsNothing: inLibrary(
    'guard/connections.ts',
    'const hold = store.held.hold(session, ended, () => begun.changed());',
    'const hold = { release: (): void => void ended };',
  ),
  keepsForCopies: inLibrary(
    'guard/connections.ts',
    'opened && ConnectionCall.is(call) && CONNECTION',
    'opened && CONNECTION',
  ),
  keepsWhatHasChanged: inLibrary('guard/followed-session.ts', 'this.#changes++;'),
  storesTokens: inLibrary(
    'token/digest.ts',
    "if (algorithm !== null) return hash(algorithm, salt === undefined ? token : salt + token, 'hex');",
    'if (algorithm !== null) return token;',
  ),
  looksForTokensInClear: inLibrary(
    'token/digest.ts',
    'return usable.map((scheme) => digestToken(token, scheme));',
    'return [token, ...usable.map((scheme) => digestToken(token, scheme))];',
  ),
  knowsTheFirstKeyOnly: inLibrary('token/digest.ts', 'return usable.map(', 'return usable.slice(0, 1).map('),
  offersMd5: inLibrary('token/digest.ts', "  'blake2s256',\n] as const;", "  'blake2s256',\n  'md5',\n] as const;"),
  guessesPrefixedTokens: inLibrary(
    'token/generate.ts',
    'of randomBytes(length - text.length + 8)) {',
    'of Uint8Array.from({ length: length - text.length + 8 }, () => Math.random() * 256)) {',
  ),
  guessesPlainTokens: inLibrary(
    'token/generate.ts',
    'return randomBytes(Math.ceil((format.length * 3) / 4))',
    'return Buffer.from(Array.from({ length: Math.ceil((format.length * 3) / 4) }, () => Math.random() * 256))',
  ),
  takesShortTokens: inLibrary('token/format.ts', 'MIN_TOKEN_BITS = 128', 'MIN_TOKEN_BITS = 1'),
  takesAnyText: inLibrary(
    'token/parse.ts',
    'return token.length >= MIN_PLAIN_LENGTH && PLAIN.test(token);',
    'return true;',
  ),
  fallsOverNoTokens: inLibrary(
    'lifecycle/authenticate.ts',
    'if (digests.length === 0) return this.#refused(MALFORMED, presentation);',
    "if (digests.length === 0) throw new TypeError('no token');",
  ),
  countsNoGuesses: inLibrary('guard/refusal-budget.ts', 'this.#take(this.#points(request, account))', 'this.#take([])'),
  countsNoRefusals: inLibrary(
    'guard/refused-token.ts',
    'await onRefused(request, reason, session);',
    'void [onRefused, reason, session];',
  ),
  knowsNoEnd: inLibrary(
    'lifecycle/read-session.ts',
    'return { session, isValid: !hasEnded, isDue: due };',
    'return { session, isValid: true, isDue: due };',
  ),
  knowsNoAbsoluteEnd: inLibrary(
    'session/validity.ts',
    'return absoluteMs === null || absoluteMs > nowMs;',
    'return true;',
  ),
  knowsNoIdleEnd: inLibrary(
    'session/validity.ts',
    '(session.expiresAt && session.expiresAt.getTime() <= nowMs)',
    'false',
  ),
  takesAnyEnd: inLibrary(
    'lifecycle/update.ts',
    'const limited = earlier(end, lifetimeLimits(current, table.options).absoluteEnd);',
    'const limited = end;',
  ),
  goesByTheWrongClock: inLibrary(
    'session/lifetime.ts',
    'new Date(now.getTime() + ttlMs)',
    'new Date(Date.now() + ttlMs)',
  ),
  movesFixedEnds: inLibrary('lifecycle/extend.ts', '...(fixedEndsAreKept && MOVABLE), expiresAt };', 'expiresAt };'),
  revivesByExtensions: inLibrary(
    'lifecycle/extend.ts',
    "And(MoreThanOrEqual(param(`seen${i}`)), LessThan(param('ifBefore')))",
    "LessThan(param('ifBefore'))",
  ),
  failsForFavours: inLibrary(
    'lifecycle/extend.ts',
    'this.table.favours.failed(EXTENSION, error, manager !== undefined);',
    'throw error;',
  ),
  showsDigests: inLibrary(
    'lifecycle/table-context.ts',
    'const selected = shownColumns(definition).map(({ property }) => property);',
    "const selected = [...shownColumns(definition).map(({ property }) => property), 'authTokenDigest'];",
  ),
  tellsDigests: inLibrary(
    'lifecycle/create.ts',
    "table.events.emit({ type: 'created', session });",
    "table.events.emit({ type: 'created', session: { ...session, ...{ authTokenDigest } } });",
  ),
  endsEndedSessions: inLibrary('lifecycle/revoke.ts', 'where: allOf(where, valid(table, now)),', 'where,'),
  endsNothing: inLibrary('lifecycle/revoke.ts', 'where: allOf(where, valid(table, now)),', 'where: [],'),
  endsAllOthersToo: inLibrary(
    'service/sessions.service.ts',
    'return this.#revoke([filters, { id: Not(this.#idOf(session)) }], options);',
    'return this.#revoke([filters], options);',
  ),
  replacesTokensOfEndedSessions: inLibrary(
    'lifecycle/replace-token.ts',
    'const where = allOf({ id: changed.id }, asSeen, valid(table, table.now()));',
    'const where = allOf({ id: changed.id }, asSeen);',
  ),
  rotatesTwice: inLibrary(
    'lifecycle/replace-token.ts',
    '...(definition.rotation && { rotatedAt: rotatedAt ?? IsNull() }),',
  ),
  forgivesReplacedTokens: inLibrary(
    'lifecycle/replaced-tokens.ts',
    "await revoke(table, { id: session.id }, 'token_reuse', inside);",
  ),
  losesChanges: inLibrary(
    'lifecycle/update.ts',
    'const asSeen = ifUnchanged ? unchangedSince(table, session) : {};',
    'const asSeen = {};',
  ),
  countsWithoutLock: inLibrary(
    'lifecycle/insert-session.ts',
    ": writeSerially(adapter, table.events, locks, write, provedAt && 'currentRows');",
    ': write(adapter);',
  ),
  leavesTheReplacedSession: inLibrary(
    'lifecycle/insert-session.ts',
    "if (replaced !== undefined) await revoke(table, { id: replaced }, 'superseded', inner, tell);",
  ),
  takesStaleProofs: inLibrary(
    'lifecycle/credentials-changed.ts',
    'return provedAt.getTime() <= changedMs + SKEW_MS;',
    'return Number.isNaN(changedMs);',
  ),
  takesUnknownFields: inLibrary(
    'table/attributes.ts',
    '.filter(isUnknown)',
    '.filter((name) => isUnknown(name) && false)',
  ),
  showsValues: inLibrary(
    'adapters/query/values.ts',
    "return typeof value === 'object' ? 'an object' : `a ${typeof value}`;",
    'return String(value);',
  ),
  remembersEnded: inLibrary('cache/changes.ts', 'if (ids) this.forget(ids);', 'if (ids) void ids;'),
  trustsWhatItMissed: inLibrary('cache/invalidation-bus.ts', 'if (!this.live) this.#clear();'),
  trustsAnyPool: inLibrary(
    'cache/channels/channel-connections.ts',
    'return purposes.length > size ? [poolTooSmall(purposes, size)] : [];',
    'return [];',
  ),
  cutsIntoTransactions: inLibrary(
    'adapters/typeorm/sqlite/line.ts',
    'return isFree() ? attempt() : undefined;',
    'return attempt();',
  ),
  takesTheWholePool: inLibrary('util/coalescer.ts', 'return Math.min(lanes, this.#bulkhead.room);', 'return lanes;'),
  asksWhatFails: inLibrary('util/coalescer.ts', 'if (breaker.isOpen) return breaker.mayProbe();'),
  logsDigests: inLibrary(
    'adapters/typeorm/secrets.ts',
    "return hidden === true && kind === 'string';",
    'return hidden === true && kind === undefined;',
  ),
  givesUpAtOnce: inLibrary('adapters/typeorm/retry.ts', 'const RETRIES = 3;', 'const RETRIES = 0;'),
  deletesInAllPartitions: inLibrary(
    'adapters/typeorm/dialects/postgres.ts',
    "const place = isView ? key : 'tableoid, ctid';",
    "const place = isView ? key : 'ctid';",
  ),
  notesUsesOfEnded: inLibrary(
    'lifecycle/last-use.ts',
    "{ id: param('id'), lastUsedAt: Or(IsNull(), LessThanOrEqual(param('before'))) },\n        valid(this.table, now()),",
    "{ id: param('id'), lastUsedAt: Or(IsNull(), LessThanOrEqual(param('before'))) },",
  ),
  keepsAllUses: inLibrary(
    'lifecycle/last-use.ts',
    'if (this.#pending.size > MOST_PENDING) {',
    'if (this.#pending.size < 0) {',
  ),
  writesPathsOut: inLibrary(
    'adapters/typeorm/dialects/postgres.ts',
    '${bind(`strict ${jsonPath(path)}`)}::jsonpath',
    "'strict ${jsonPath(path)}'::jsonpath",
  ),
  takesUnreadableForRead: inLibrary(
    'adapters/typeorm/raw-row.ts',
    'throw unreadable(table, columns[i]!, row, cause);',
    'return { ...row, ...(cause as object) };',
  ),
  readsRowsForOthers: inLibrary(
    'lifecycle/token-lookup.ts',
    'byDigest.set(row.value(column), row);',
    'byDigest.set((row.load(), row.value(column)), row);',
  ),
  hidesUnreadableEnds: inLibrary('lifecycle/read-session.ts', 'if (session.isExpired) unreadableEnds.record(session);'),
  loadsHiddenColumns: inLibrary(
    'adapters/typeorm/entity-reader.ts',
    'columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual)',
    'columns.filter(({ isVirtual }) => !isVirtual)',
  ),
  sortsByDigests: inLibrary(
    'service/session-query.ts',
    'for (const [name] of orderEntries(this.#store.columns, order)) columnOf(this.#store.columns, name);',
  ),
  takesPromisesForAny: inLibrary(
    'errors/option-types.ts',
    "return prototype === Object.prototype || prototype === null || tagOf(value) === 'Object';",
    'return prototype !== undefined;',
  ),
  takesUndefinedForAny: inLibrary(
    'lifecycle/filters.ts',
    "if (value === undefined) errors[field] = 'is undefined: leave it out, or give a value or null';\n    else if",
    'if (value === undefined) delete set[field];\n    else if',
  ),
  takesUnknownOptions: inLibrary(
    'errors/known-options.ts',
    'if (unknown.length > 0) throw new SessionValidationError(table, Object.fromEntries(unknown));',
  ),
  startsWithProblems: inLibrary(
    'registry/sessions.registry.ts',
    'if (this.#problems.length > 0) throw new SessionsConfigError(',
    'if (this.#problems.length < 0) throw new SessionsConfigError(',
  ),
  namesTables: inLibrary(
    'errors/sessions-error.ts',
    'super({ statusCode, message: told, error,',
    'super({ statusCode, message: ofTable(table, problem), error,',
  ),
  takesNoLease: inLibrary(
    'lifecycle/pruning-turns.ts',
    'if (taken === false) return { deleted: 0, leftTo: await holderOf(adapter, lease) };',
  ),
  letsTokensBeKept: { file: 'apps/demo/src/http/no-store.decorator.ts', from: "'no-store'", to: "'private'" },
  waitsForEver: inLibrary(
    'util/coalescer.ts',
    'return performance.now() - since > this.#bulkhead.timeoutMs - 1;',
    'return false;',
  ),
  knowsNoOutages: inLibrary(
    'adapters/typeorm/unavailable.ts',
    'if (!kind) return undefined;',
    'if (kind) return undefined;',
  ),
  answersWithMore: inLibrary(
    'table/session-dto.ts',
    'set: (instance, name, value) => !takes(instance, name) || Reflect.set(instance, name, value),',
    'set: (instance, name, value) => Reflect.set(instance, name, value),',
  ),
  startsWithoutEscapes: inLibrary(
    'table/checks/server.ts',
    "sqlMode?.includes('NO_BACKSLASH_ESCAPES') ?",
    "sqlMode?.includes('') ?",
  ),
  showsTokens: inLibrary(
    'service/sessions.service.ts',
    "Object.defineProperty(Object.assign({}, session), 'authToken', { value: authToken })",
    'Object.assign({}, session, { authToken })',
  ),
  takesEveryTable: inLibrary(
    'guard/guarded-tables.ts',
    '...others.map((table) => registry.store(table))] as const;',
    '...registry.all()] as const;',
  ),
  takesTokensFromUrls: inLibrary(
    'guard/session.guard.ts',
    'return credentialsOf(request, this.#tables().sources);',
    "const [, token] = /[?&]access_token=([^&]*)/.exec(String((request as { url?: string }).url)) ?? [];\n    if (token) return { kind: 'one', token, source: 'bearer' };\n    return credentialsOf(request, this.#tables().sources);",
  ),
  takesCookiesFromAnywhere: inLibrary(
    'guard/session.guard.ts',
    'throw crossOriginRefusal(cookieTable);',
    'void crossOriginRefusal;',
  ),
  restsOnPreflights: inLibrary(
    'guard/session.guard.ts',
    'return !isUnsafe(request) || isFromOwnOrigin(request, trustedOrigins);',
    "return !isUnsafe(request) || request.headers['content-type'] !== 'application/json' || isFromOwnOrigin(request, trustedOrigins);",
  ),
  asksForNoFreshness: inLibrary(
    'guard/requirements.ts',
    'if (now.getTime() - limitStart(session).getTime() <= maxAgeMs) return undefined;',
    'if (now.getTime() > 0) return undefined;',
  ),
  asksForNoScopes: inLibrary(
    'guard/requirements.ts',
    'if (missing.length === 0) return undefined;',
    'if (missing) return undefined;',
  ),
  forgetsTheScopes: inLibrary('guard/requirements.ts', "parameters: { scope: needed.join(' ') },", 'parameters: {},'),
  choosesAToken: inLibrary('http/credentials.ts', "if (found.kind === 'one') return { kind: 'several' };"),
  choosesACookie: inLibrary(
    'http/credentials.ts',
    '.map((pair) => pair.slice(name.length + 1).trimEnd());',
    '.map((pair) => pair.slice(name.length + 1).trimEnd())\n    .slice(0, 1);',
  ),
  decodesCookies: inLibrary(
    'http/credentials.ts',
    '.map((pair) => pair.slice(name.length + 1).trimEnd());',
    '.map((pair) => decodeURIComponent(pair.slice(name.length + 1).trimEnd()));',
  ),
  knowsOneSpelling: inLibrary(
    'http/credentials.ts',
    '/^bearer(?:[ \\t]+|$)/i.exec(value)',
    '/^Bearer(?:[ \\t]+|$)/.exec(value)',
  ),
  quotesNothing: inLibrary('http/challenge.ts', 'text.replace(/[\\\\"]/g, String.raw`\\$&`)', 'text'),
  showsCookiesToScripts: inLibrary('http/cookie-options.ts', 'httpOnly: true', 'httpOnly: false'),
  trustsWildcards: inLibrary(
    'http/cookie-options.ts',
    'return ORIGIN.test(text) && URL.canParse(text) && new URL(text).origin === text;',
    'return text.length > 0;',
  ),
  takesDeleteForSafe: inLibrary(
    'http/request-origin.ts',
    "['GET', 'HEAD', 'OPTIONS']",
    "['GET', 'HEAD', 'OPTIONS', 'DELETE']",
  ),
  leavesAnswersToCaches: inLibrary('guard/cookie.ts', '  keepFromCaches(raw);\n'),
  sharesAnswers: inLibrary('guard/cookie.ts', "adapter.setHeader(response, 'Cache-Control', 'private');", 'void 0;'),
  keepsOlderCookies: inLibrary(
    'guard/cookie.ts',
    'const others = lines.filter((line) => !isOfCookie(line, options.cookie));',
    'const others = lines;',
  ),
  dropsCookiesOfScripts: inLibrary(
    'guard/authenticate-cookie.ts',
    'if (isNavigation(request)) clearCookie(adapter, response, table);',
    'clearCookie(adapter, response, table);',
  ),
  takesHandshakesFromAnywhere: inLibrary(
    'guard/session-cookies.ts',
    'if (!isFromOwnOrigin(request, trustedOrigins)) return undefined;',
  ),
  logsOutByOutages: inLibrary(
    'guard/authenticate-request.ts',
    'return session instanceof Promise ? session.catch((error: unknown) => fail(error, logger)) : session;',
    'return session instanceof Promise ? session.catch(() => null) : session;',
  ),
  letsAllSocketsIn: inLibrary('guard/gateway-entrance.ts', 'return isOpen ? undefined : refusal;', 'return undefined;'),
  takesOwnWordsForHeaders: inLibrary(
    'guard/calls/handshake.ts',
    'headers: headersOf(pairsIn(rawHeaders)),',
    'headers,',
  ),
  sharesLookUpsOfMutations: inLibrary(
    'guard/calls/graphql-call.ts',
    "return info === undefined || info.operation.operation === 'query' ? operation : rootOf(info.path);",
    'return info === undefined || rootOf(info.path) ? operation : info.path;',
  ),
  logsRefusedEvents: inLibrary('guard/calls/rpc-call.ts', '      if (isEvent) return exception;\n'),
  challengesNobody: inLibrary('guard/session.guard.ts', 'this.refuse(context, ...lackOf(found)),', 'lackOf(found)[0],'),
  blamesWhoHasNoToken: inLibrary(
    'guard/found.ts',
    "return [new UnauthorizedException(SESSION_REQUIRED, { errorCode: 'ERR_SESSION_REQUIRED' })];",
    "return [new UnauthorizedException(SESSION_REQUIRED, { errorCode: 'ERR_SESSION_REQUIRED' }), 'invalid_token'];",
  ),
  takesTokensFromBodies: inLibrary(
    'guard/session.guard.ts',
    'return credentialsOf(request, this.#tables().sources);',
    "const { access_token: token } = (request as { body?: { access_token?: string } }).body ?? {};\n    if (token) return { kind: 'one', token, source: 'bearer' };\n    return credentialsOf(request, this.#tables().sources);",
  ),
} satisfies Record<string, Break>;
