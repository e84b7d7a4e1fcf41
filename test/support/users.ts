import { Column, PrimaryColumn } from 'typeorm';

/** The columns of the users whom sessions relate to; each suite has an entity of its own. */
export abstract class UserColumns {
  @PrimaryColumn({ type: 'varchar', length: 36 })
  id!: string;

  @Column({ type: 'varchar' })
  name!: string;
}
