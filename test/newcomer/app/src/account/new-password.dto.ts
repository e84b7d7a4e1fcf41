import { IsString, MinLength } from 'class-validator';

export class NewPasswordDto {
  @IsString()
  @MinLength(8)
  password!: string;
}
