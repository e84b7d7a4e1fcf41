import mysql from 'mysql2';

/** Options of a data source each of whose connections to MariaDB begins with a statement. */
export function beginningWith(statement: string): object {
  return {
    driver: {
      ...mysql,
      createPool(options: mysql.PoolOptions) {
        const pool = mysql.createPool(options);
        pool.on('connection', (connection) => void connection.query(statement));
        return pool;
      },
    },
  };
}
