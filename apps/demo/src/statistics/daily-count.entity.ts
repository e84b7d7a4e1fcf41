import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How many sessions were created, and how many deleted after their end, on one day. */
@Entity('daily_counts')
export class DailyCount {
  /** Of UTC, such as `2026-03-01`. */
  @PrimaryColumn({ type: 'varchar', length: 10 })
  day!: string;

  @Column('int')
  created!: number;

  @Column('int')
  pruned!: number;
}
