import { type ObjectLiteral, type QueryRunner, SelectQueryBuilder } from 'typeorm';

/** TypeORM's query builder, which asks the primary where there are replicas: these may have revoked sessions as valid ones. */
export class PrimaryQueryBuilder<T extends ObjectLiteral> extends SelectQueryBuilder<T> {
  protected override obtainQueryRunner(): QueryRunner {
    return this.queryRunner ?? this.dataSource.createQueryRunner('master');
  }
}
