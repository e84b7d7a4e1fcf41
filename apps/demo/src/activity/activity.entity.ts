import type { SessionEventType } from '@app/sessions';
import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** An event of a user's session. It is kept when the session is deleted. */
@Entity('activity')
export class Activity {
  /** A UUID version 7, so that entries sort in the order in which they were written. */
  @PrimaryColumn('uuid')
  id!: string;

  @Index()
  @Column('uuid')
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'userId' })
  user?: User;

  @Column('uuid')
  sessionId!: string;

  @Column({ type: 'varchar', length: 32 })
  type!: SessionEventType;

  /** The reason of a revocation or refusal. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  reason!: string | null;

  @Column({ type: Date, precision: 3 })
  at!: Date;
}
