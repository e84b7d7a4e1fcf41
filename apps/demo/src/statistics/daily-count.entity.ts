import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The sessions of one day that were created, and those deleted after their end. */
@Entity('daily_counts')
export class DailyCount {
  /** In UTC, such as `2026-03-01`. */
  @PrimaryColumn({ type: 'varchar', length: 10 })
  day!: string;

  @Column('int')
  created!: number;

  @Column('int')
  pruned!: number;
}
