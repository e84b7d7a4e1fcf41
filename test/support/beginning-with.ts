import mysql from 'mysql2';

/** Options of a data source each of whose connections to MariaDB or MySQL begins with statements, as they are then. */
export function beginningWith(...statements: readonly (string | (() => string))[]): object {
  return {
    driver: {
      ...mysql,
      createPool(options: mysql.PoolOptions) {
        const pool = mysql.createPool(options);
        pool.on('connection', (connection) => {
          for (const one of statements) connection.query(typeof one === 'string' ? one : one());
        });
        return pool;
      },
    },
  };
}
