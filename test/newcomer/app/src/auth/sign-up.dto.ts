import { IsString, Length } from 'class-validator';
import { LoginDto } from './login.dto.js';

export class SignUpDto extends LoginDto {
  @IsString()
  @Length(1, 80)
  name!: string;
}
