import { Exclude } from 'class-transformer';
import { Column, Entity, OneToMany, PrimaryGeneratedColumn } from 'typeorm';
// oxlint-disable-next-line import/no-cycle -- entities that relate to each other
import { type Session, SessionsEntity } from '../sessions/sessions.entity.js';

export type Role = 'member' | 'admin';

@Entity('users')
export class User {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ type: 'text', unique: true })
  email!: string;

  @Column('text')
  name!: string;

  @Exclude()
  @Column({ type: 'text', select: false })
  passwordHash!: string;

  @Column({ type: 'text', default: 'member' })
  role!: Role;

  @OneToMany(() => SessionsEntity, (session) => session.user)
  sessions!: Session[];
}
