import { IsIn, IsString, Length } from 'class-validator';

export class NewKeyDto {
  @IsString()
  @Length(1, 80)
  name!: string;

  @IsIn(['reports:read', 'reports:write'], { each: true })
  scopes!: ('reports:read' | 'reports:write')[];
}
