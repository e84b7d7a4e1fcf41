import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('audit_entries')
export class AuditEntry {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  action!: string;

  /** Of the session or the API key that did it. */
  @Column({ type: 'text', nullable: true })
  sessionId!: string | null;
}
