import type { SessionEventType } from '@app/sessions';
import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { User } from '../users/user.entity.js';

/** Something that happened to a session of a user; kept when the session is deleted. */
@Entity('activity')
export class Activity {
  /** A UUID, version 7: entries sort by it in the order of their writing. */
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

  /** Why it was revoked, or refused. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  reason!: string | null;

  @Column({ type: Date, precision: 3 })
  at!: Date;
}
