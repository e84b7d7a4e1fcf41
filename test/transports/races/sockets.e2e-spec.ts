import { SettableClock } from '../../../libs/sessions/src/testing/index.js';
import { createDatabase } from '../../support/databases.js';
import { Sessions, SocketApp } from '../ws/socket-app.js';
import { describePlatforms } from '../ws/test-sockets.js';
import { describeRaces } from './races.js';

describePlatforms('handshakes of sockets', (platform) =>
  describeRaces(async (name) => {
    const database = await createDatabase(name);
    const app = await SocketApp.start(platform, database, new SettableClock());
    return {
      signIn: async () => app.get(Sessions).create({ userId: 'ann' }),
      revoke: async (id) => app.get(Sessions).revoke({ id }),
      open: (token) => app.open({ tokens: [token] }),
      atWork: () => app.held,
      async close() {
        await app.close();
        await database.drop();
      },
    };
  }),
);
