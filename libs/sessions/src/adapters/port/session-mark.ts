import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * What the library itself keeps in a data source beside the sessions: one small table for all tables of sessions there,
 * whose names begin with what they are for. For the `entities` of a data source that names its entities one by one;
 * `autoLoadEntities` has it by `SessionsModule.forFeature`.
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

  /** When it happened, where `until` is null. */
  @Column({ type: Date, precision: 3 })
  at!: Date;

  /** Who holds it, where it is a lease; else `null`. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  holder!: string | null;

  /** When it happened at the latest, where that is not known for certain; else `null`. */
  @Column({ type: Date, precision: 3, nullable: true })
  until!: Date | null;
}
