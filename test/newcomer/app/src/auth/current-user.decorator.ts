import { createCurrentSession } from 'nest-sessions';
import type { Sessions } from '../sessions/sessions.entity.js';

const Current = createCurrentSession<Sessions>();

/** The user of the session, where the guard has loaded it. */
export const CurrentUser = () => Current('user');
