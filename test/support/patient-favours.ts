import { waits } from '../../libs/sessions/src/lifecycle/favours.js';
import { UNTIL_IT_HANGS } from './until.js';

// A slow machine must not leave out what is written by the way, nor write last uses while a test looks at something else.
waits.answerMs = waits.lastUseMs = UNTIL_IT_HANGS.timeout;
