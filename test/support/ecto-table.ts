/** What a migration of ecto_sessions 0.3 makes on PostgreSQL (PARITY 1.1). */
export const ECTO_TABLE = [
  `CREATE TABLE sessions (
     id uuid PRIMARY KEY,
     auth_token_digest varchar(255) NOT NULL,
     data jsonb NOT NULL DEFAULT '{}',
     expires_at timestamp,
     user_id varchar(255) NOT NULL,
     inserted_at timestamp(6) NOT NULL,
     updated_at timestamp(6) NOT NULL
   )`,
  'CREATE UNIQUE INDEX sessions_auth_token_digest_index ON sessions (auth_token_digest)',
];
