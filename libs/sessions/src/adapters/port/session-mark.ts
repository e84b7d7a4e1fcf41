import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The library's own small table, which all tables of sessions of a data source share; the names of its rows begin with what
 * they are for. Add it to the `entities` of a data source that names its entities one by one; with `autoLoadEntities`,
 * `SessionsModule.forFeature` adds it.
 *
 * @example
 * ```ts
 * new DataSource({ type: 'postgres', entities: [Sessions.entity, SessionMark] });
 * ```
 */
@Entity('nest_sessions_marks')
export class SessionMark {
  /** What the row is for, such as a lease or an owner, by its name. */
  @PrimaryColumn({ type: 'varchar', length: 255 })
  name!: string;

  /** When it happened, if `until` is null. */
  @Column({ type: Date, precision: 3 })
  at!: Date;

  /** Who holds it, if it is a lease; else `null`. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  holder!: string | null;

  /** When it happened at the latest, if the time is not certain; else `null`. */
  @Column({ type: Date, precision: 3, nullable: true })
  until!: Date | null;
}
