import { Global, Module } from '@nestjs/common';
import { Guesses } from './guesses.js';

@Global()
@Module({ providers: [Guesses], exports: [Guesses] })
export class GuessesModule {}
