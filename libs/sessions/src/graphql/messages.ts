// Problems with options.
export const NO_GUARD = 'SessionGuard, one made by its for(), or a class that extends it';

// Errors in how the library is called.
export const NO_CONNECTION =
  'SubscriptionSessions finds no socket: have mercurius() be the `subscription` option of Mercurius, and graphqlWs() that of graphql-ws, called as they are.';
