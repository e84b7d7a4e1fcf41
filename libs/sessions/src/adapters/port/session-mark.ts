import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * What the library itself keeps in a data source beside the sessions: one small table for all tables of sessions there,
 * whose names begin with what they are for. For the `entities` of a data source that names its entities one by one;
 * `autoLoadEntities` has it by `SessionsModule.forFeature`.
 */
@Entity('nest_sessions_marks')
export class SessionMark {
  @PrimaryColumn({ type: 'varchar', length: 255 })
  name!: string;

  @Column({ type: Date, precision: 3 })
  at!: Date;

  @Column({ type: 'varchar', length: 255, nullable: true })
  holder!: string | null;

  @Column({ type: Date, precision: 3, nullable: true })
  until!: Date | null;
}
