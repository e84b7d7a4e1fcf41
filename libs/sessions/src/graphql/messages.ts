// Problems with options.
export const NO_GUARD = 'SessionGuard, one made by its for(), or a class that extends it';

// Errors in how the library is called.
export const NO_CONNECTION =
  'SubscriptionSessions finds no socket: pass mercurius() as the `subscription` option of Mercurius, and graphqlWs() as the option of graphql-ws, unchanged.';
